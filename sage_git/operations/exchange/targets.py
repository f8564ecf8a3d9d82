"""What a PEER means: one of the peers kept, a remote of the user's repository, a path or a URL; and how it is met.

Not here: meeting it (`sync`), and asking over ssh whether a clone is there (`far_clones`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from sage_git.errors import GitFailed, UsageError
from sage_git.gitrepo.exchange import RemoteEnvironment, clone_store_of
from sage_git.judgement.policy import Publish
from sage_git.operations.checkout import Checkout
from sage_git.operations.exchange import far_clones
from sage_git.operations.exchange.kept import PeerBook

SERVED: Final = "sage://"
_FILE: Final = "file://"
_LISTENING_S: Final = 2.0


class Kind(Enum):
    """How logs are exchanged with a peer."""

    REMOTE = "remote"
    """A git repository that anybody pushes to: fetched from and pushed to."""
    CLONE = "clone"
    """Somebody's clone on a disk: read from its store, never written to."""
    SERVED = "served"
    """Somebody's `sage-git serve`, or a clone that ssh reaches: read only."""
    BUNDLE = "bundle"
    """A file: read, then written anew."""


@dataclass(frozen=True, slots=True)
class Target:
    """A peer to meet: `url` is what git is given to read from, `push_url` where ours goes."""

    name: str
    kind: Kind
    url: str
    push_url: str | None = None
    private_url: str | None = None
    """Where bodies are that only trusted peers are given."""


def default_targets(checkout: Checkout, book: PeerBook, publish: Publish) -> list[Target]:
    """Every peer kept, and the remotes that the policy publishes to and this clone has."""
    remotes = checkout.repository.remotes()
    names = [*book.peers, *(remote for remote in publish.remotes if remote in remotes and remote not in book.peers)]
    return named_targets(checkout, book, names)


def named_targets(checkout: Checkout, book: PeerBook, names: Sequence[str]) -> list[Target]:
    """What each of `names` means. Raises UsageError."""
    remotes = checkout.repository.remotes()
    return [_target(checkout, book, remotes, name) for name in dict.fromkeys(names)]


def nearby_targets(checkout: Checkout, book: PeerBook, timeout_s: float = _LISTENING_S) -> list[Target]:
    """The servers in the local network whose keys are allowed here too. Raises NotHere, PeerFailed."""
    from sage_git.peers.discovery import discover  # zeroconf is an extra

    found = discover(checkout.known_identity().repository, timeout_s)
    return [
        _at(checkout, allowed.name or each.key[:12], each.url, each.url, trusted=allowed.trusted)
        for each in found
        if (allowed := book.allowed.get(each.key)) is not None
    ]


def found_out(checkout: Checkout, target: Target, remote: RemoteEnvironment) -> Target:
    """`target`, to be read only if a clone turns out to be there."""
    if target.kind is not Kind.REMOTE or not far_clones.is_clone(checkout, target.url, remote):
        return target
    return named_targets(checkout, PeerBook.read(checkout.sage), [target.name])[0]


def bundle_target(name: str, path: Path) -> Target:
    """The bundle file at `path`, which the user calls `name`."""
    return Target(name, Kind.BUNDLE, str(path), str(path))


def checked_address(url: str) -> str:
    """`url`, which may stand for a peer. Raises UsageError."""
    if url.startswith("-") or not url.strip():
        raise UsageError(f"{url!r} is no URL", remedy="give a path or a URL that git understands")
    if url.startswith(SERVED):
        from sage_git.peers.address import Address  # only those who meet servers pay for it

        Address.parse(url)
    return url


def is_path(url: str) -> bool:
    """True if git takes `url` for a path: no scheme, and no host before a colon (git-fetch(1), GIT URLS)."""
    return "://" not in url and ":" not in url.partition("/")[0]


def _target(checkout: Checkout, book: PeerBook, remotes: frozenset[str], name: str) -> Target:
    peer = book.peers.get(name)
    if peer is not None:
        return _at(checkout, name, peer.url, peer.url, trusted=peer.trusted)
    if name in remotes:
        return _at(checkout, name, _url(checkout, name), _url(checkout, name, "--push"), trusted=False)
    if "/" in name or ":" in name or _path(checkout, name).exists():
        return _at(checkout, name, name, name, trusted=False)
    raise UsageError(f"no peer and no remote is called {name}", remedy="sage-git peer add NAME URL, or give a URL")


def _at(checkout: Checkout, name: str, url: str, push_url: str, *, trusted: bool) -> Target:
    checked_address(url)
    if url.startswith(SERVED):
        base = url.rstrip("/")
        return Target(name, Kind.SERVED, f"{base}/", private_url=f"{base}/private" if trusted else None)
    store_url = far_clones.store_known_at(checkout, url)
    if store_url is not None:
        private_url = f"{store_url.removesuffix('store.git')}private.git" if trusted else None
        return Target(name, Kind.SERVED, store_url, private_url=private_url)
    if url.startswith(_FILE):
        url = unquote(url.removeprefix(_FILE))
    if is_path(url) or ("://" not in url and _path(checkout, url).exists()):
        path = _path(checkout, url)
        if path.is_file() and not (path.suffix == ".git" or path.name == ".git"):
            return Target(name, Kind.BUNDLE, str(path), str(path))
        store = clone_store_of(path)
        if store is not None:
            private = store.with_name("private.git")
            return Target(name, Kind.CLONE, str(store), private_url=str(private) if trusted else None)
        return Target(name, Kind.REMOTE, str(path), str(path))
    return Target(name, Kind.REMOTE, url, push_url)


def _path(checkout: Checkout, text: str) -> Path:
    """A path as git takes it from the top of the work tree."""
    return Path(checkout.repository.work_tree or checkout.repository.git_dir, text)


def _url(checkout: Checkout, remote: str, *options: str) -> str:
    try:
        shown = checkout.repository.git("remote", "get-url", *options, remote)
    except GitFailed as failure:
        raise UsageError(f"git does not know where {remote} is: {failure}") from None
    return shown.decode("utf-8", "surrogateescape").split("\n")[0]
