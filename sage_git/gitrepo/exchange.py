"""Meeting a peer: which logs it has, giving it ours, and bundles of all. git carries it, and only refs of writers.

A peer is whatever git can reach: a forge, a path, ssh, a server of ours, a bundle file. Not here: taking what a peer
has (quarantine), and who is given what.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

from sage_git.chronicle.ids import is_hex
from sage_git.errors import GitFailed, PeerFailed, StorageError
from sage_git.gitrepo.command import run
from sage_git.gitrepo.log_tree import WRITERS, Half, ref_of, writer_of
from sage_git.gitrepo.quarantine import Quarantine, discard_left, make_empty
from sage_git.gitrepo.remote_environment import (
    LONGEST_LISTING_S,
    RemoteEnvironment,
    checked_url,
    refused_by_git,
)
from sage_git.gitrepo.store import Store

__all__ = [
    "Pushed",
    "Quarantine",
    "RemoteEnvironment",
    "check_bundle",
    "clone_store_of",
    "discard_left",
    "list_logs",
    "push_logs",
    "write_bundle",
]

_MOST_LISTED_BYTES: Final = 8 << 20
"""Some 60,000 writers."""
_MOST_REPORTED_BYTES: Final = 32 << 20
_PUSHED_AT_ONCE: Final = 500  # they are arguments, and those are few
_LONGEST_LINK_BYTES: Final = 1 << 13
_SIGNATURES: Final = (b"# v2 git bundle\n", b"# v3 git bundle\n")
_LONGEST_SIGNATURE_BYTES: Final = 32
_MEANINGS: Final = {
    "stale info": "the log there is not the one that was seen; run `sage-git sync` again",
    "fetch first": "the log there is not known here; run `sage-git sync` again",
    "failed to update ref": "the peer cannot write the ref; if a git was killed over there, delete the .lock beside it",
}


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a peer said to the log of one writer; `reason` is empty if it took it, or had it."""

    writer: str
    reason: str

    @property
    def is_taken(self) -> bool:
        return not self.reason


def list_logs(url: str, remote: RemoteEnvironment) -> dict[str, str]:
    """The commit of every writer's log that the peer at `url` has; refs of another form are as if they were not there.

    Raises PeerFailed, UsageError.
    """
    make_empty(remote.home, remote.object_format)
    arguments = ("ls-remote", "--refs", "--", checked_url(url), f"{WRITERS}*")
    done = remote.run(*arguments, git_dir=remote.home, seconds=LONGEST_LISTING_S, output_bytes=_MOST_LISTED_BYTES)
    if done.status:
        raise refused_by_git(done, url)
    logs = {}
    for line in done.output.decode("utf-8", "replace").splitlines():
        commit, _, ref = line.partition("\t")
        writer = writer_of(ref)
        if writer is not None and is_hex(commit, 40, 64):
            logs[writer] = commit
    return logs


def push_logs(store: Store, url: str, wanted: Mapping[str, tuple[str, str]], remote: RemoteEnvironment) -> list[Pushed]:
    """What the peer at `url` said to each log: writer → (commit here, commit that is expected there or "").

    A log that is another there than expected is left as it is. Raises PeerFailed if nothing was said, UsageError.
    """
    checked_url(url)
    told: dict[str, str] = {}
    logs = list(wanted.items())
    for start in range(0, len(logs), _PUSHED_AT_ONCE):
        told |= _push(store, url, logs[start : start + _PUSHED_AT_ONCE], remote)
    return [Pushed(writer, told.get(writer, "the peer did not say what became of it")) for writer in wanted]


def check_bundle(path: Path) -> None:
    """Raises PeerFailed if what is at `path` is no bundle (gitformat-bundle(5)), StorageError if it cannot be read."""
    try:
        with path.open("rb") as file:
            begins = file.readline(_LONGEST_SIGNATURE_BYTES)
    except OSError as problem:
        raise StorageError.from_os(problem, str(path), "read") from problem
    if begins not in _SIGNATURES:
        raise PeerFailed("the file is no git bundle, and was left as it is", remedy="name another one, or delete it")


def write_bundle(store: Store, path: Path) -> bool:
    """True if `path` is a bundle of every log now, as it is published here; False if there is none to put into it.

    A crash leaves what was there before. Raises StorageError.
    """
    repository = store.repository(Half.PUBLIC)
    refs = "".join(f"{ref_of(writer)}\n" for writer in repository.writers()).encode("ascii")
    if not refs:
        return False
    arguments = ("bundle", "create", "--quiet", str(path.absolute()), "--stdin")
    lock = path.with_name(f"{path.name}.lock")
    try:
        try:
            run(arguments, git_dir=repository.git_dir, input=refs, environment=repository.environment)
        except GitFailed:
            if not lock.exists():
                raise
            lock.unlink()  # of a run that was killed
            run(arguments, git_dir=repository.git_dir, input=refs, environment=repository.environment)
    except GitFailed as failure:
        said = failure.stderr.strip().splitlines()
        reason = said[-1].removeprefix("fatal: ") if said else str(failure)
        remedy = "see that the folder is there, and has room"
        raise StorageError(str(path), "write", reason, remedy=remedy) from None
    except OSError as problem:
        raise StorageError.from_os(problem, str(path), "write") from problem
    return True


def clone_store_of(path: Path) -> Path | None:
    """Where the store of the clone at `path` is, or will be: of a work tree, linked or not, or of a bare repository.

    None if that is no repository that keeps a record.
    """
    try:
        found = _git_directory(path)
        if found is None:
            return None
        common = _link(found / "commondir", "")
        sage = (found / common if common is not None else found) / "sage"
        return sage / Half.PUBLIC.value if sage.is_dir() else None
    except OSError:  # a name that no system can have, or a place that we may not look into
        return None


def _git_directory(path: Path) -> Path | None:
    """The git directory of the repository at `path`, as gitrepository-layout(5) has it. Raises OSError."""
    if (path / ".git").is_file():
        named = _link(path / ".git", "gitdir: ")
        return path / named if named is not None else None
    for place in (path / ".git", path):
        if (place / "HEAD").is_file() and (place / "objects").is_dir():
            return place
    return None


def _link(path: Path, begins: str) -> Path | None:
    """The path that a file of one line names after `begins`. Raises OSError."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        line = file.read(_LONGEST_LINK_BYTES).decode("utf-8", "surrogateescape").removesuffix("\n")
    return Path(line.removeprefix(begins)) if line.startswith(begins) and "\0" not in line else None


def _push(
    store: Store, url: str, wanted: Sequence[tuple[str, tuple[str, str]]], remote: RemoteEnvironment
) -> dict[str, str]:
    """Why each of these logs was not taken; empty if it was. Raises PeerFailed if nothing was said."""
    leases = [f"--force-with-lease={ref_of(writer)}:{expected}" for writer, (_, expected) in wanted]
    refspecs = [f"{commit}:{ref_of(writer)}" for writer, (commit, _) in wanted]
    options = ("--porcelain", "--no-progress", "--no-verify", "--no-follow-tags", "--recurse-submodules=no")
    repository = store.repository(Half.PUBLIC)
    arguments = ("push", *options, *leases, "--", url, *refspecs)
    with NamedTemporaryFile("w", encoding="ascii") as known:
        # Of what a commit without parents has, git leaves out only what those have where history is cut off.
        known.writelines(f"{commit}\n" for commit in repository.trees([there for _, (_, there) in wanted if there]))
        known.flush()
        around = replace(remote, variables={**remote.variables, "GIT_SHALLOW_FILE": known.name})
        done = around.run(*arguments, git_dir=repository.git_dir, output_bytes=_MOST_REPORTED_BYTES)
    told = _report(done.output.decode("utf-8", "replace"))
    if not told:
        raise refused_by_git(done, url)
    return told


def _report(told: str) -> dict[str, str]:
    """Why each writer's log was not taken, as `git push --porcelain` says; empty if it was (git-push(1), OUTPUT)."""
    reasons = {}
    for line in told.splitlines():
        flag, *fields = line.split("\t")
        writer = writer_of(fields[0].rpartition(":")[2]) if len(fields) == 2 else None
        if writer is not None:
            said = fields[1].partition("(")[2].removesuffix(")") or fields[1]
            reasons[writer] = "" if flag != "!" else _MEANINGS.get(said, f"the peer refused it: {said}")
    return reasons
