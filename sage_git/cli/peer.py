"""`peer`: whom this clone exchanges logs with, and whose keys may read what it serves."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from sage_git.cli import render
from sage_git.cli.text import Span, Style, span
from sage_git.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sage_git.cli.surroundings import Surroundings
    from sage_git.cli.text import Line
    from sage_git.operations.checkout import Checkout
    from sage_git.operations.exchange.kept import PeerBook


def register(commands: Any) -> None:
    """Add `peer` and what stands behind it."""
    peer = commands.add_parser(
        "peer",
        description="say whom to exchange logs with, and who may read what is served",
        usage="sage-git peer [OPTIONS] [list|add|remove|allow|deny|key|certify] …",
    )
    render.reading_options(peer)
    peer.set_defaults(run=list_command)
    forms = peer.add_subparsers(dest="form", prog="sage-git peer", parser_class=type(peer))

    listed = forms.add_parser("list", usage="sage-git peer list", description="list peers and allowed keys")
    render.reading_options(listed)
    listed.set_defaults(run=list_command)

    add = forms.add_parser("add", usage="sage-git peer add NAME URL", description="exchange logs with a peer")
    add.add_argument("name", metavar="NAME", help="what to call it, as laptop")
    add.add_argument("url", metavar="URL", help="a git remote's URL, a path, or what `sage-git serve` prints")
    add.add_argument("--trusted", action="store_true", help="ask it for what it gives to nobody but those it trusts")
    add.set_defaults(run=add_command)

    remove = forms.add_parser("remove", usage="sage-git peer remove NAME", description="forget a peer")
    remove.add_argument("name", metavar="NAME", help="the peer")
    remove.set_defaults(run=remove_command)

    allow = forms.add_parser("allow", usage="sage-git peer allow KEY", description="let a key read what is served")
    allow.add_argument("key", metavar="KEY", help="what `sage-git peer key` prints over there")
    allow.add_argument("--name", metavar="NAME", default="", help="whose it is, for you to remember")
    allow.add_argument("--trusted", action="store_true", help="let it read what is withheld from everybody else")
    allow.set_defaults(run=allow_command)

    deny = forms.add_parser("deny", usage="sage-git peer deny KEY", description="let a key read nothing any more")
    deny.add_argument("key", metavar="KEY", help="the key")
    deny.set_defaults(run=deny_command)

    key = forms.add_parser("key", usage="sage-git peer key", description="print this clone's key")
    key.set_defaults(run=key_command)

    certify = forms.add_parser(
        "certify", usage="sage-git peer certify", description="sign this clone's key with your SSH key"
    )
    certify.add_argument("--key", metavar="FILE", help="the SSH key, instead of git's user.signingKey")
    certify.set_defaults(run=certify_command)


def list_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """List peers and allowed keys; 0."""
    with _opened(surroundings) as checkout:
        book = _book(checkout)
    with render.screen(arguments, surroundings) as out:
        if arguments.json:
            for name, peer in book.peers.items():
                out.json({"peer": name, "url": peer.url, "trusted": peer.trusted})
            for key, allowed in book.allowed.items():
                out.json({"allowed": key, "name": allowed.name, "trusted": allowed.trusted})
        else:
            out.lines(_lines(book))
    return 0


def add_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Keep a peer; 0."""
    from sage_git.operations.exchange.kept import Peer
    from sage_git.operations.exchange.targets import checked_address, is_path

    url, name, later = checked_address(arguments.url), arguments.name, ""
    if is_path(url) or ("://" not in url and (surroundings.cwd / url).exists()):
        path = (surroundings.cwd / url).resolve()  # it must mean the same wherever sage-git is started
        url, later = str(path), "" if path.exists() else f", once {path} is there"
    with _opened(surroundings) as checkout:
        if name in checkout.repository.remotes():
            raise UsageError(f"a git remote is called {name} already", remedy=f"sage-git sync {name} meets that one")
        _book(checkout).with_peer(name, Peer(url, arguments.trusted)).write(checkout.sage)
    return _said(arguments, surroundings, f"sage-git sync {name} exchanges logs with it{later}")


def remove_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Forget a peer; 0."""
    with _opened(surroundings) as checkout:
        _book(checkout).without_peer(arguments.name).write(checkout.sage)
    return _said(arguments, surroundings, f"{arguments.name} is forgotten; what came from it stays")


def allow_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Let a key read; 0."""
    from sage_git.operations.exchange.kept import Allowed
    from sage_git.storage.keys import writer_id

    with _opened(surroundings) as checkout:
        if arguments.key == writer_id(checkout.sage):
            raise UsageError(
                "this is the key of this clone", remedy="run `sage-git peer key` over there, and name that"
            )
        allowed = Allowed(arguments.name, arguments.trusted)
        _book(checkout).with_key(arguments.key, allowed).write(checkout.sage)
    what = "everything, withheld bodies too" if arguments.trusted else "what is published"
    return _said(arguments, surroundings, f"it may read {what} while `sage-git serve` runs")


def deny_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Let a key read nothing; 0."""
    with _opened(surroundings) as checkout:
        _book(checkout).without_key(arguments.key).write(checkout.sage)
    return _said(arguments, surroundings, "it may read nothing from now on; what it has, it has")


def key_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Print this clone's key, which is made if there is none; 0."""
    from sage_git.storage.keys import ensure_writer
    from sage_git.storage.lock import held

    with _opened(surroundings) as checkout, held(checkout.sage / "log.lock", 10_000):
        key = ensure_writer(checkout.sage, checkout.known_identity().repository)
    return _said(arguments, surroundings, key)


def certify_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Sign this clone's key with the user's SSH key; 0."""
    from sage_git.operations.exchange.certifying import certify

    with _opened(surroundings) as checkout:
        key = None if arguments.key is None else (surroundings.cwd / arguments.key).absolute()
        principals = certify(checkout, key)
    who = principals or "a key that .sage/allowed_signers does not have: it tells nobody anything until it has"
    return _said(arguments, surroundings, f"certified by {who}; the next sync takes it along")


def _opened(surroundings: Surroundings) -> Checkout:
    from sage_git.operations.checkout import Checkout

    checkout = Checkout.open(surroundings.cwd, surroundings.environment)
    checkout.known_identity()
    return checkout


def _book(checkout: Checkout) -> PeerBook:
    from sage_git.operations.exchange.kept import PeerBook

    return PeerBook.read(checkout.sage)


def _said(arguments: argparse.Namespace, surroundings: Surroundings, words: str) -> int:
    with render.screen(arguments, surroundings) as out:
        out.line(span(words))
    return 0


def _lines(book: PeerBook) -> Iterator[Line]:
    if not book.peers and not book.allowed:
        yield [Span("no peers; sage-git peer add NAME URL keeps one, and sage-git sync meets the remotes")]
    longest = max(map(len, book.peers), default=0)
    for name, peer in book.peers.items():
        trust = [Span("  trusted", Style.STRONG)] if peer.trusted else []
        yield [span(name.ljust(longest), Style.STRONG), Span("  "), span(peer.url), *trust]
    for key, allowed in book.allowed.items():
        trust = [Span("  trusted", Style.STRONG)] if allowed.trusted else []
        yield [Span("may read  ", Style.FAINT), span(key), span(f"  {allowed.name}" if allowed.name else ""), *trust]
