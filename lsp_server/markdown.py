"""Text for hovers, as Markdown or plain; whatever comes from events or git is hostile and shown as the text it is.

No link, image, HTML, emphasis, code or heading can come out of escaped text, and no character that is invisible or
changes the direction of others. Not here: what is said (`hover`, `chronicle_reading`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from lsprotocol.types import ClientCapabilities, MarkupContent, MarkupKind

from sage_git.operations import wording

_MARKS: Final = re.compile(
    r"""[\\`*{}\[\]|~$^<>&] | (?<=\])\(  # wherever it stands
      | ^[#+\-=!:] | ^[0-9]+[.)]  # a heading, a list, a rule, a note
      | (?<![0-9A-Za-z])_ | _(?![0-9A-Za-z]) | =(?==) | (?<==)=  # emphasis, but not within a name
      | :(?!\s|$)(?<![0-9]:(?=[0-9])) | (?<=[:/])/ | (?<=www)\. | (?<=\S)@  # a bare address
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""What means something to some Markdown where it stands; all else stays, for there are clients that show the source."""
_LONGEST: Final = 300
"""Of one text that comes from outside: a hover is no place for more."""


def visible(hostile: str, longest: int = _LONGEST) -> str:
    r"""`hostile` on one line, cut if it is long, with controls and the like as `\xNN` or `\u{…}`."""
    cut = hostile if len(hostile) <= longest else hostile[: longest - 1] + "…"
    return wording.visible(cut)


class Page:
    """A hover that is being written, in the format that the client wants."""

    def __init__(self, kind: MarkupKind) -> None:
        self._kind = kind
        self._blocks: list[str] = []

    @classmethod
    def for_client(cls, capabilities: ClientCapabilities) -> Page:
        """In Markdown if the client prefers it, else plain."""
        hover = capabilities.text_document.hover if capabilities.text_document else None
        wanted = (hover.content_format if hover else None) or []
        return cls(MarkupKind.Markdown if wanted and wanted[0] is MarkupKind.Markdown else MarkupKind.PlainText)

    @property
    def _is_markdown(self) -> bool:
        return self._kind is MarkupKind.Markdown

    def heading(self, hostile: str) -> None:
        """A line that stands out."""
        self._blocks.append(f"**{self._text(hostile)}**" if self._is_markdown else visible(hostile))

    def line(self, hostile: str) -> None:
        """A line of text."""
        self._blocks.append(self._text(hostile))

    def code(self, hostile_lines: Iterable[str], language: str) -> None:
        """Lines as they are, in a block that nothing in them can end."""
        lines = [visible(line.replace("\t", "    ")) for line in hostile_lines]
        if not self._is_markdown:
            self._blocks.append("\n".join(lines))
            return
        longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
        fence = "`" * max(3, longest + 1)
        self._blocks.append("\n".join([f"{fence}{language}", *lines, fence]))

    def rule(self) -> None:
        """What follows is of something else."""
        self._blocks.append("---" if self._is_markdown else "")

    def content(self) -> MarkupContent:
        """The page."""
        return MarkupContent(self._kind, ("\n\n" if self._is_markdown else "\n").join(self._blocks))

    def _text(self, hostile: str) -> str:
        shown = visible(hostile)
        return escaped(shown) if self._is_markdown else shown


def escaped(text: str) -> str:
    """`text`, which has no controls, as Markdown that shows just it."""
    return _MARKS.sub(_escape, text.strip()) or " "


def _escape(found: re.Match[str]) -> str:
    before, mark = found.group()[:-1], found.group()[-1]
    match mark:
        case "<":
            return "&lt;"
        case ">":
            return "&gt;"
        case "&":
            return "&amp;"
        case ":" | "@" | "/":  # Python-Markdown has no backslash for these
            return f"&#{ord(mark)};"
    return f"{before}\\{mark}"
