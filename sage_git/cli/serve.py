"""`serve`: give this clone's sealed logs to the peers that are allowed to read them."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sage_git.cli import render
from sage_git.cli.text import Span, Style, span
from sage_git.errors import StorageError, UsageError

if TYPE_CHECKING:
    import argparse

    from sage_git.cli.render import Screen
    from sage_git.cli.surroundings import Surroundings
    from sage_git.peers.visits import Visit


def register(commands: Any) -> None:
    """Add `serve`."""
    from sage_git.peers.address import PORT

    serve = commands.add_parser(
        "serve",
        description="let peers fetch this clone's log, over TLS; only keys of `sage-git peer allow` may",
        usage="sage-git serve [--host HOST] [--port PORT] [--lan]",
    )
    serve.add_argument("--host", default="", help="listen on this address only; else on all of this machine")
    serve.add_argument(
        "--port", type=_port, default=PORT, help=f"listen there; {PORT} if not named, 0 for any free one"
    )
    serve.add_argument("--lan", action="store_true", help="announce it in the local network, for `sage-git sync` there")
    serve.set_defaults(run=serve_command)


def serve_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Serve until interrupted (130) or asked to end (0). Raises NotHere, StorageError, PeerFailed."""
    from sage_git.operations.checkout import Checkout
    from sage_git.operations.serving import key_instead_of, server_of

    with (
        Checkout.open(surroundings.cwd, surroundings.environment) as checkout,
        render.screen(arguments, surroundings) as out,
        ExitStack() as announcement,
    ):
        said: set[str | None] = {None}

        def report(visit: Visit) -> None:
            _show(out, surroundings, visit)
            key = key_instead_of(server.address.key, checkout.sage)
            if key not in said:
                said.add(key)
                _say(out, Span(f"this clone goes on under a new key, {key}: start `sage-git serve` again"))

        server = server_of(checkout, arguments.host, arguments.port, report)
        if arguments.lan:
            from sage_git.peers.discovery import announced

            repository = checkout.known_identity().repository
            announcement.enter_context(announced(repository, server.address, arguments.host))
        out.line(f"serving {server.address}")
        out.flush()
        server.run()
    return 0


def _show(out: Screen, surroundings: Surroundings, visit: Visit) -> None:
    """One line for a visit: when, who, what became of it."""
    from sage_git.peers.visits import Ending

    style = Style.PLAIN if visit.ending is Ending.SERVED else Style.FAINT
    when = surroundings.local(datetime.now().astimezone())
    who = f"{visit.host.removeprefix('::ffff:')} {visit.key[:12] if visit.key else '-'}"
    what = f"{visit.share.value}: {visit.ending.value}" if visit.share else visit.ending.value
    words = f" ({visit.words})" if visit.words else ""
    traffic = f", {visit.sent_bytes:,} bytes in {visit.seconds:.2f} s" if visit.sent_bytes else ""
    _say(out, Span(f"{when:%Y-%m-%d %H:%M:%S}  ", Style.FAINT), span(f"{who}  {what}{words}{traffic}", style))


def _say(out: Screen, *line: Span) -> None:
    try:
        out.line(*line)
        out.flush()
    except (BrokenPipeError, StorageError):
        pass  # nobody reads what we say, and that is no reason to serve nobody


def _port(text: str) -> int:
    """The port that `text` names. Raises UsageError."""
    if not text.isdecimal() or len(text) > 5 or int(text) >= 1 << 16:
        raise UsageError(f"serve: {text!r} is no port", remedy="name one from 0 (any free one) to 65535")
    return int(text)
