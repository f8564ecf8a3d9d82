"""docs/format.md says what the code does: its tables, and the ids of its example as a shell computes them."""

import re
import subprocess
from pathlib import Path

import pytest

from sage_git.chronicle.event import Event
from sage_git.chronicle.kinds import Field
from sage_git.chronicle.ndjson import LineState, read_lines
from sage_git.chronicle.payloads import ENVELOPE, PAYLOADS

DOCUMENT = (Path(__file__).parents[3] / "docs" / "format.md").read_text(encoding="utf-8")
HEREDOC = re.compile(r"<<'(\w+)'")


def transcript():
    """(command, output) for every `$ ` line of the console blocks, in order; a here-document is part of its command."""
    steps: list[tuple[str, str]] = []
    for block in re.findall(r"```console\n(.*?)```", DOCUMENT, re.DOTALL):
        until = ""
        for line in block.splitlines():
            command, output = steps[-1] if steps else ("", "")
            if until:
                steps[-1] = (f"{command}\n{line}", output)
                until = "" if line == until else until
            elif line.startswith("$ "):
                steps.append((line[2:], ""))
                heredoc = HEREDOC.search(line)
                until = heredoc[1] if heredoc else ""
            else:
                steps[-1] = (command, f"{output}{line}\n")
    return steps


def described(fields: tuple[Field, ...]):
    return [field.name + "?" * field.optional for field in fields]


def test_every_command_of_the_example_prints_what_the_document_says(tmp_path, sealed):
    steps = transcript()
    marker = "-- next --"
    script = "".join(f"{command}\nprintf '%s\\n' '{marker}'\n" for command, _ in steps)
    shell = subprocess.run(["sh", "-e"], input=script, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (shell.returncode, shell.stderr) == (0, "")
    printed = shell.stdout.split(marker + "\n")
    for (command, expected), output in zip(steps, printed, strict=False):
        assert output == expected, command
    assert len(printed) == len(steps) + 1 > 10


def test_the_sidecar_of_the_example_is_true():
    command = next(command for command, _ in transcript() if "<<'END'" in command)
    body = "\n".join(command.splitlines()[1:-1]) + "\n"
    lines = list(read_lines(body.encode()))
    assert [line.state for line in lines] == [LineState.VALID] * 3
    assert all(line.is_canonical for line in lines)
    events = [line.event for line in lines if isinstance(line.event, Event)]
    assert [event.parents for event in events[1:]] == [(event.event_id,) for event in events[:2]]


def test_the_table_of_types_is_that_of_the_code():
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*) \|$", DOCUMENT, re.MULTILINE)
    table = {name: [field.replace("[]", "") for field in re.findall(r"`([^`]+)`", fields)] for name, fields in rows}
    assert table == {name: described(fields) for name, fields in PAYLOADS.items()}


def test_lists_are_marked_as_lists():
    for name, fields in PAYLOADS.items():
        row = re.search(rf"^\| `{name}` \| (.*) \|$", DOCUMENT, re.MULTILINE)
        assert row
        for field in fields:
            if field.kind.expected != "a JSON value":
                assert (f"`{field.name}[]" in row[1]) == field.kind.accepts([]) or "at least one" in field.kind.expected


def test_the_table_of_the_envelope_is_that_of_the_code():
    section = DOCUMENT.split("### Envelope")[1].split("### Types")[0]
    before_sealing = {"eventId?": "eventId"}  # the one field that only a finished event must have
    assert re.findall(r"^\| `(\w+\??)` \|", section, re.MULTILINE) == [
        before_sealing.get(name, name) for name in described(ENVELOPE)
    ]


@pytest.mark.parametrize("anchor", re.findall(r"\]\(#([a-z-]+)\)", DOCUMENT))
def test_links_within_the_page_lead_somewhere(anchor):
    headings = re.findall(r"^#+ (.*)$", DOCUMENT, re.MULTILINE)
    assert anchor in {heading.lower().replace(" ", "-") for heading in headings}
