"""Having a command carried out: in a lane of its record, in a buffer, or at once from what is known.

Not here: what the commands do with a record (`commands`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from lsprotocol import types

from lsp_server import commands, hover, wording
from lsp_server.markdown import visible
from lsp_server.protocol import BadArgument
from lsp_server.session import Session
from lsp_server.waiting import Wanted
from lsp_server.workspaces import path_of

COMMANDS: Final = (*commands.READING, *commands.WRITING, "sage.line", "sage.refresh")


async def execute(session: Session, params: types.ExecuteCommandParams) -> Any:
    """What a command answers; null outside a record. Raises BadArgument, SageError."""
    if params.command not in COMMANDS:
        raise BadArgument(f"there is no command {visible(params.command, 60)}")
    fields = (params.arguments or [{}])[0]
    if not isinstance(fields, dict) or len(params.arguments or ()) > 1:
        raise BadArgument("a command takes one object")
    uri = fields.get("uri")
    if params.command == "sage.refresh":
        return await session.reload()
    if not isinstance(uri, str):
        raise BadArgument("the argument has no text 'uri'")
    if params.command == "sage.line":
        return await _line(session, uri, fields.get("line"))
    return await _asked(session, params.command, uri, fields)


async def _asked(session: Session, command: str, uri: str, fields: Mapping[str, Any]) -> Any:
    """What a command answers that a lane carries out."""
    place = await session.workspaces.place_of(uri)
    if place is None or not await session.is_recorded(place[0]):
        return None
    record, path = place
    if command == "sage.restoreSidecar" and await _restored_in_buffer(session, uri):
        return None
    wanted = Wanted()
    asked = commands.Asked(record.root, session.source_of(uri, path), fields, session.environment, wanted)
    run = (commands.READING | commands.WRITING)[command]  # type: ignore[operator]
    with wanted.while_awaited():
        answer = await record.questions.ask(lambda reading: run(reading, asked))
    session.tidying.soon()
    if command in commands.WRITING:
        session.start(session.workspaces.look())
    if command == "sage.openChronicle" and not session.settings.opens_documents:
        session.front.show(answer)
    if command == "sage.showDiff" and not session.settings.shows_diffs:
        diff = await record.questions.ask(lambda reading: commands.difference(reading, asked))
        await session.front.show_diff(answer, diff)
    return answer


async def _line(session: Session, uri: str, line: object) -> dict[str, Any] | None:
    """What is behind one line of a buffer, in one line."""
    if not isinstance(line, int) or isinstance(line, bool):
        raise BadArgument("the argument has no number 'line'")
    found = await session.source(uri)
    origin = hover.origin_at(found[1], found[0], line) if found else None
    if found is None or origin is None:
        return None
    known = found[1]
    return {
        "eventId": origin.fact.event_id if origin.fact else None,
        "text": visible(hover.summary(known, origin, datetime.now(UTC))),
        "standing": wording.standing(origin),
        "open": known.story.open_edit(origin) is not None,
        "commit": origin.commit,
        "timestamp": origin.timestamp,
    }


async def _restored_in_buffer(session: Session, uri: str) -> bool:
    """True if a sidecar that somebody is typing in was restored there; it is theirs to save."""
    found = await session.chronicle(uri)
    if found is None or found[0].is_as_on_disk:
        return False
    document, known = found
    if await asyncio.to_thread(_is_on_disk, uri, document.text):  # the client read it again, which is no typing
        return False
    record, expected = known.record, known.expected
    if record is None or expected is None:
        return False
    from sage_git.operations.checking.buffers import text_of

    text = (await record.lines.ask(lambda reading: text_of(reading.checkout, expected))).decode("utf-8", "replace")
    last = len(document.lines) - 1
    end = types.Position(last, session.encoding.width(document.lines.texts[last]))
    edit = types.TextEdit(types.Range(types.Position(0, 0), end), text)
    session.front.edit(uri, edit)
    return True


def _is_on_disk(uri: str, text: str) -> bool:
    path = path_of(uri)
    try:
        return path is not None and Path(path).read_bytes() == text.encode("utf-8", "surrogatepass")
    except OSError:
        return False
