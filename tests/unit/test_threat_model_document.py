"""docs/threat-model.md and the tests that show it name each other; its cells say only words that it explains."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.threats import DOCUMENT, POLICIES, WORDS, rows

TESTS = Path(__file__).parents[1] / "integration" / "test_threat_model.py"
ALONE = ("prevented", "not seen")


def test_each_row_has_a_test_and_each_test_a_row():
    written = ast.parse(TESTS.read_text(encoding="utf-8")).body
    tests = [node.name for node in written if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    assert sorted(tests) == sorted(row.test for row in rows())


def test_every_line_of_a_table_is_a_row():
    lines = re.findall(r"^\|.*`test_.*\|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(lines) == len(list(rows()))


def test_each_cell_says_words_that_the_document_explains():
    explained = set(re.findall(r"^\| ([a-z ]+) \| .*\|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))
    assert explained >= WORDS
    assert {word for row in rows() for cell in row.cells.values() for word in cell} == WORDS


def test_what_was_prevented_or_not_seen_was_nothing_else():
    cells = [row.cells[policy] for row in rows() for policy in POLICIES]
    assert [cell for cell in cells if len(cell) > 1 and cell.intersection(ALONE)] == []
