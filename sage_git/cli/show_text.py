"""`show` as text and as JSON: one event with its verdicts, its neighbours in the chain, its fields and its diff."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId
from sage_git.cli import wording
from sage_git.cli.dates import DateStyle, parse_timestamp, show_date
from sage_git.cli.log_text import Layout
from sage_git.cli.text import Line, Span, Style, cut, line_width, pad, span
from sage_git.operations.reading.explain import Explained
from sage_git.operations.reading.history import is_fact

if TYPE_CHECKING:
    from sage_git.operations.assurance import Examined

_LABEL: Final = 11
_SHOWN_OTHERWISE: Final = frozenset(
    "type eventId timestamp actor graphCommit prevEventId mergedEventIds filePath oldPath newPath subject planHash "
    "originalPath resultingPaths sourcePaths resultPath signature repository".split()
)
_ASSURANCES: Final = {
    "claimed": ("claimed: nobody signed it", Style.FAINT),
    "signed": ("signed by who it says", Style.ANSWERED),
    "hardware": ("signed by who it says, with a security key", Style.ANSWERED),
    "invalid": ("not signed: the signature is not over this", Style.OPEN),
    "unauthorised": ("signed by a key that may not sign for who it says", Style.OPEN),
}
_FOREIGN: Final = "signed for another repository, or for none in particular"


def as_json(explained: Explained, sidecar: str, diff: str | None) -> dict[str, Any]:
    """One object: the event's own fields, and beside them what is known of it."""
    entry, examined = explained.entry, explained.examined
    return {
        **entry.event.fields,
        **({} if examined is None else {"assurance": examined.assurance.value}),
        "chronicle": sidecar,
        "inHead": entry.in_head,
        "open": entry.is_open,
        "parents": [name for name, _ in explained.parents],
        "children": [child.event_id for child in explained.children],
        "verdicts": [dict(verdict.fields) for verdict in entry.verdicts],
        "diff": diff,
    }


def lines(explained: Explained, sidecar: str, diff: str | None, layout: Layout) -> Iterator[Line]:
    """The event for people."""
    entry, event = explained.entry, explained.entry.event
    yield [Span(pad("event", _LABEL)), span(event.event_id or "without id", Style.COMMIT)]
    happened = (
        [wording.verb(event), Span(" "), wording.what(event, None)]
        if is_fact(event)
        else [span(wording.statement(event))]
    )
    yield _labelled("what", *happened, Span(f"  {event.type}", Style.FAINT))
    if commit := event.graph_commit:
        title = layout.titles[commit].title if commit in layout.titles else "(not in this clone)"
        yield _labelled("commit", span(f"{commit[:12]}  "), span(title))
    yield _labelled("actor", span(_whole_actor(event)))
    instant = parse_timestamp(event.timestamp)
    both = (show_date(instant, style, layout.now) for style in (DateStyle.DEFAULT, DateStyle.RELATIVE))
    yield _labelled("date", Span("  ·  ".join(both)))
    if plan := event.get("planHash"):
        yield _labelled("plan", span(str(plan)))
    if explained.examined is not None:
        yield _assurance(explained.examined)
    if entry.verdicts or entry.is_open:
        yield from _standing(explained)
    yield _labelled("chronicle", span(sidecar))
    for name, parent in explained.parents:
        yield _neighbour("after", name, parent, layout)
    for child in explained.children:
        yield _neighbour("before", child.event_id or EventId(""), child, layout)
    yield from _fields(event)
    yield from _diff(diff)


def _labelled(label: str, *pieces: Span) -> Line:
    return [Span(pad(label, _LABEL), Style.FAINT), *pieces]


def _assurance(examined: Examined) -> Line:
    sentence, style = _ASSURANCES[examined.assurance.value]
    pieces = [Span(_FOREIGN if examined.is_foreign else sentence, style)]
    if examined.key is not None:
        pieces.append(span(f"  {examined.key.kind} {examined.key.fingerprint}", Style.FAINT))
    return _labelled("assurance", *pieces)


def _standing(explained: Explained) -> Iterator[Line]:
    entry = explained.entry
    for verdict in entry.verdicts or (entry.event,):
        if verdict.event_id in entry.open_ids:
            says = Span("unplanned: no plan covers it, and nobody has answered for it", Style.OPEN)
        elif verdict.type == "RECONCILIATION":
            says = span(wording.mark(entry).text or wording.statement(verdict), Style.ANSWERED)
        else:
            says = Span("answered for", Style.ANSWERED)
        if verdict.type == "HALT_AND_REPORT":
            says = Span("halted: nobody has lifted it", Style.OPEN)
        yield _labelled("verdict", says, span(f"  {wording.short(verdict.event_id)}", Style.FAINT))


def _neighbour(label: str, name: EventId, event: Event | None, layout: Layout) -> Line:
    line = [Span(pad(label, _LABEL), Style.FAINT), span(wording.short(name), Style.COMMIT), Span("  ")]
    if event is None:
        return [*line, Span("(not here)", Style.OPEN)]
    said = (
        [wording.verb(event), Span(" "), wording.what(event, None)]
        if is_fact(event)
        else [span(wording.statement(event))]
    )
    when = show_date(parse_timestamp(event.timestamp), layout.dates, layout.now)
    who = [Span("  "), span(f"{wording.actor(event.actor)}, {when}", Style.FAINT)]
    if layout.limit is not None and line_width([*line, *said, *who]) > layout.limit:
        who = []
        said = [Span(cut("".join(piece.text for piece in said), layout.limit - line_width(line)))]
    return [*line, *said, *who]


def _fields(event: Event) -> Iterator[Line]:
    """What no other line has said."""
    for name in sorted(event.fields.keys() - _SHOWN_OTHERWISE):
        value = event[name]
        shown = value if isinstance(value, str) else _json(value)
        label = [Span(pad(name, _LABEL), Style.FAINT), Span("" if len(name) < _LABEL else " ")]
        for position, part in enumerate(shown.split("\n")):
            yield [*(label if not position else [Span(" " * _LABEL)]), span(part)]


def _diff(diff: str | None) -> Iterator[Line]:
    if not diff:
        return
    yield []
    in_heading = True
    for text in diff.removesuffix("\n").split("\n"):
        in_heading = (in_heading and not text.startswith("@@")) or text.startswith("diff --git ")
        yield [Span(_tabs(text), _diff_style(text, in_heading=in_heading))]


def _tabs(text: str) -> str:
    """A line of a file, escaped, tabs as blanks, so that columns are what they seem."""
    sign, rest = text[:1], text[1:]
    return span((sign + rest.expandtabs(8)).removesuffix("\r")).text


def _diff_style(text: str, *, in_heading: bool) -> Style:
    if in_heading:
        return Style.STRONG
    return {"+": Style.ADDED, "-": Style.REMOVED, "@": Style.MOVED}.get(text[:1], Style.PLAIN)


def _whole_actor(event: Event) -> str:
    known = event.actor
    more = [f"{name} {known[name]}" for name in ("agent", "model", "session") if known.get(name)]
    return f"{known.get('id', 'somebody')}  ({', '.join(more)})" if more else str(known.get("id", "somebody"))


def _json(value: Any) -> str:
    import orjson

    return orjson.dumps(value).decode("utf-8")
