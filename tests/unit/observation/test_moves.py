"""Labelled cases of what is a split or a merge of files, and what only looks like one."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha1

import pytest

from sage_git.chronicle.ids import ObjectId
from sage_git.observation.changes import Change, ChangeKind
from sage_git.observation.moves import (
    MAX_COMMIT_BYTES,
    MAX_FILE_BYTES,
    MAX_FILES,
    Merge,
    Split,
    blobs_to_compare,
    find_moves,
)


def blob_id(content: bytes) -> ObjectId:
    return ObjectId(sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest())


@dataclass(frozen=True)
class File:
    """One changed file: its path, text before and after (None: not there), and where it was renamed or copied from."""

    path: str
    before: str | None
    after: str | None
    source: str | None = None
    mode: str = "100644"

    @property
    def kind(self) -> ChangeKind:
        if self.source is not None:
            return ChangeKind.COPIED if self.before is None else ChangeKind.RENAMED
        if self.before is None:
            return ChangeKind.ADDED
        return ChangeKind.REMOVED if self.after is None else ChangeKind.EDITED


def moves_of(*files: File) -> list[Split | Merge]:
    contents: dict[ObjectId, bytes | None] = {}
    changes = []
    for file in files:
        sides = []
        for text in (file.before, file.after):
            content = b"" if text is None else text.encode()
            missing = text is None
            sides.append(("000000", ObjectId("0" * 40)) if missing else (file.mode, blob_id(content)))
            contents[sides[-1][1]] = content
        (old_mode, old_id), (new_mode, new_id) = sides
        source = None if file.source is None else file.source.encode()
        changes.append(Change(file.kind, file.path.encode(), source, old_mode, new_mode, old_id, new_id))
    needed = blobs_to_compare(changes)
    return find_moves(changes, {blob: contents[blob] for blob in needed})


def split(original: str, *results: str) -> Split:
    return Split(original.encode(), tuple(result.encode() for result in results))


def merge(result: str, *sources: str) -> Merge:
    return Merge(tuple(source.encode() for source in sources), result.encode())


def text(*parts: str) -> str:
    return "\n".join(parts) + "\n"


def numbered(word: str, count: int) -> str:
    """As many telling lines, all different, all with `word`."""
    return "".join(f"{word} line {number}\n" for number in range(count))


LICENCE = text(*(f"# {line}" for line in "Copyright the authors|Licensed under|the Apache|Licence, Version".split("|")),
               "# you may not use this file", "# except in compliance", "# with the licence")  # fmt: skip
IMPORTS = "import os\nimport sys\nimport json\nfrom pathlib import Path\nfrom typing import Any\nimport pytest\n"
JAVA_HEAD = (
    "package org.example;\n\nimport java.util.List;\nimport java.util.Map;\nimport static java.lang.Math.*;\n"
    "import org.junit.Test;\n\n@Test\n@Override\n"
)
INCLUDES = '#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n# include <time.h>\n#include "app.h"\n'
PARSE = """\
def parse(words):
    tree = []
    for word in words:
        if word == "(":
            tree.append(parse(words))
        elif word == ")":
            return tree
        else:
            tree.append(int(word))
    return tree
"""
SHOW = """\
def show(tree, depth=0):
    for branch in tree:
        if isinstance(branch, list):
            show(branch, depth + 1)
        else:
            print("  " * depth, branch)
"""
TOTAL = """\
def total(tree):
    result = 0
    for branch in tree:
        result += total(branch) if isinstance(branch, list) else branch
    assert result >= 0
    return result
"""
METHOD = "class Parser:\n" + "".join("    " + line for line in PARSE.splitlines(keepends=True))
GO_BOILERPLATE = "\tif err != nil {\n\t\treturn\n\t}\n\t} else {\n\t\tcontinue\n\t}\n\t\tbreak\n\t)\n*/\nend\n\tpass\n"

YES = {
    "functions extracted to a new module": (
        [File("app.py", IMPORTS + PARSE + SHOW, IMPORTS + SHOW), File("parse.py", None, IMPORTS + PARSE)],
        [split("app.py", "parse.py")],
    ),
    "a file split in three and deleted": (
        [
            File("all.py", LICENCE + IMPORTS + PARSE + SHOW + TOTAL, None),
            File("parse.py", None, LICENCE + IMPORTS + PARSE),
            File("show.py", None, LICENCE + SHOW),
            File("total.py", None, LICENCE + IMPORTS + TOTAL),
        ],
        [split("all.py", "parse.py", "show.py", "total.py")],
    ),
    "a rename with an extraction": (
        [File("core.py", PARSE + SHOW, SHOW, source="app.py"), File("parse.py", None, PARSE)],
        [split("app.py", "core.py", "parse.py")],
    ),
    "a part that git calls a copy": (
        [File("app.py", PARSE + SHOW, SHOW), File("parse.py", None, PARSE + "x = 1\n", source="app.py")],
        [split("app.py", "parse.py")],
    ),
    "two files split at once": (
        [
            File("a.py", PARSE + SHOW, SHOW),
            File("b.py", TOTAL + numbered("kept", 5), numbered("kept", 5)),
            File("parse.py", None, PARSE),
            File("total.py", None, TOTAL),
        ],
        [split("a.py", "parse.py"), split("b.py", "total.py")],
    ),
    "a new file that takes from two": (
        [
            File("a.py", PARSE + SHOW, SHOW),
            File("b.py", TOTAL + numbered("kept", 5), numbered("kept", 5)),
            File("tree.py", None, PARSE + TOTAL),
        ],
        [split("a.py", "tree.py"), split("b.py", "tree.py")],
    ),
    "two files gathered into one": (
        [
            File("a.py", LICENCE + PARSE, None),
            File("b.py", LICENCE + TOTAL, None),
            File("c.py", None, LICENCE + PARSE + TOTAL),
        ],
        [merge("c.py", "a.py", "b.py")],
    ),
    "a file merged into an existing one and removed": (
        [File("app.py", SHOW, SHOW + PARSE), File("parse.py", PARSE, None)],
        [merge("app.py", "app.py", "parse.py")],
    ),
    "a file merged into a renamed one": (
        [File("tree.py", SHOW, SHOW + PARSE, source="show.py"), File("parse.py", PARSE, None)],
        [merge("tree.py", "parse.py", "show.py")],
    ),
    "a file dealt out to two existing ones": (
        [
            File("a.py", SHOW, SHOW + PARSE),
            File("b.py", numbered("kept", 9), numbered("kept", 9) + TOTAL),
            File("old.py", PARSE + TOTAL, None),
        ],
        [merge("a.py", "a.py", "old.py"), merge("b.py", "b.py", "old.py")],
    ),
    "code indented anew": (
        [File("app.py", PARSE + SHOW, SHOW), File("parser.py", None, METHOD)],
        [split("app.py", "parser.py")],
    ),
    "CRLF that becomes LF": (
        [File("app.py", (PARSE + SHOW).replace("\n", "\r\n"), SHOW), File("parse.py", None, PARSE)],
        [split("app.py", "parse.py")],
    ),
    "prose in a script without ASCII letters": (
        [
            File(
                "a.md", "".join(f"第{n}行です\n" for n in "一二三四五六七八九"), "第七行です\n第八行です\n第九行です\n"
            ),
            File("b.md", None, "".join(f"第{n}行です\n" for n in "一二三四五六")),
        ],
        [split("a.md", "b.md")],
    ),
    "no newline at the end": (
        [File("app.py", SHOW + PARSE.rstrip(), SHOW), File("parse.py", None, PARSE)],
        [split("app.py", "parse.py")],
    ),
}

NO = {
    "a copy whose original stays": [File("app.py", PARSE + SHOW, PARSE + SHOW + TOTAL), File("parse.py", None, PARSE)],
    "a new file with everybody's licence": [
        File("old.py", LICENCE + PARSE, None),
        File("one.py", None, LICENCE + SHOW),
        File("two.py", None, LICENCE + TOTAL),
    ],
    "a licence taken out of all files into one": [
        *(File(f"{name}.py", LICENCE + numbered(name, 9), numbered(name, 9)) for name in ("one", "two", "three")),
        File("LICENCE", None, LICENCE),
    ],
    "two files with one licence removed beside a new one": [
        File("a.py", LICENCE + PARSE, None),
        File("b.py", LICENCE + SHOW, None),
        File("c.py", None, LICENCE + TOTAL),
    ],
    "three lines moved": [
        File("app.py", SHOW + numbered("moved", 3), SHOW),
        File("new.py", None, numbered("moved", 3)),
    ],
    "one line moved many times over": [
        File("app.py", SHOW + "assert nothing is lost\n" * 9, SHOW),
        File("new.py", None, "assert nothing is lost\n" * 9),
    ],
    "boilerplate only": [
        File("app.go", SHOW + GO_BOILERPLATE, SHOW),
        File("new.go", None, GO_BOILERPLATE + numbered("new", 9)),
    ],
    "a few lines moved into a large file": [
        File("app.py", SHOW + numbered("moved", 9), SHOW),
        File("new.py", None, numbered("moved", 9) + numbered("new", 50)),
    ],
    "minified": [
        File("app.js", "function a(){}" * 900 + "\n" + SHOW, SHOW),
        File("app.min.js", None, "function a(){}" * 900 + "\n"),
    ],
    "a whole-file rewrite beside a new file": [File("app.py", PARSE, SHOW), File("new.py", None, TOTAL)],
    "a test file that imports what its source does": [
        File("app.py", IMPORTS + PARSE, IMPORTS + SHOW),
        File("test_app.py", None, IMPORTS + TOTAL),
    ],
    "a new module and its test that import what a removed one did": [
        File("old.py", IMPORTS + PARSE, None),
        File("new.py", None, IMPORTS + SHOW),
        File("test_new.py", None, IMPORTS + TOTAL),
    ],
    "a class replaced by one with its annotations and imports": [
        File("Old.java", JAVA_HEAD + numbered("old", 9), None),
        File("New.java", SHOW, SHOW + JAVA_HEAD + numbered("new", 9)),
    ],
    "includes that another file needs now": [
        File("app.c", INCLUDES + SHOW, SHOW),
        File("new.c", None, INCLUDES + TOTAL),
    ],
    "a removed file replaced by one": [File("old.py", PARSE + SHOW, None), File("new.py", None, PARSE)],
    "a duplicate of two files made one": [
        File("a.py", PARSE + SHOW, SHOW),
        File("b.py", PARSE + TOTAL, TOTAL),
        File("parse.py", None, PARSE),
    ],
    "a plain rename": [File("new.py", PARSE, PARSE + SHOW, source="old.py")],
    "a symlink": [File("link", PARSE, None, mode="120000"), File("app.py", SHOW, SHOW + PARSE)],
    "a binary": [
        File("a.bin", "\0" + PARSE + SHOW, "\0" + SHOW),
        File("b.bin", None, "\0" + PARSE),
    ],
    "everything new": [File("a.py", None, PARSE), File("b.py", None, PARSE)],
    "empty files": [File("a.py", "", None), File("b.py", None, ""), File("c.py", None, "\n\n\n")],
}  # fmt: skip


@pytest.mark.parametrize("case", YES)
def test_moved_lines_are_found_in(case: str) -> None:
    files, moves = YES[case]
    assert moves_of(*files) == moves


@pytest.mark.parametrize("case", NO)
def test_no_move_is_seen_in(case: str) -> None:
    assert moves_of(*NO[case]) == []


@pytest.mark.parametrize(
    "moved, new, found", [(5, 20, True), (5, 21, False), (4, 0, False), (6, 24, True), (6, 25, False)]
)
def test_a_split_needs_five_lines_and_a_fifth_of_the_new_file(moved: int, new: int, found: bool) -> None:
    original = File("old", numbered("kept", 1) + numbered("moved", moved), numbered("kept", 1))
    result = File("new", None, numbered("moved", moved) + numbered("new", new) + "\n}\n  )\nelse:\nimport os\n")
    assert moves_of(original, result) == ([split("old", "new")] if found else [])


@pytest.mark.parametrize(
    "moved, lost, found", [(5, 20, True), (5, 21, False), (4, 0, False), (6, 24, True), (6, 25, False)]
)
def test_a_merge_needs_five_lines_and_a_fifth_of_the_removed_file(moved: int, lost: int, found: bool) -> None:
    source = File("gone", numbered("moved", moved) + numbered("lost", lost), None)
    result = File("here", numbered("kept", 1), numbered("kept", 1) + numbered("moved", moved))
    assert moves_of(source, result) == ([merge("here", "gone", "here")] if found else [])


def test_a_file_over_the_limit_takes_no_part() -> None:
    padding = "x" * (MAX_FILE_BYTES - len(PARSE) - 1) + "\n"
    assert moves_of(File("app.py", PARSE + SHOW, SHOW), File("parse.py", None, PARSE + padding)) != []
    assert moves_of(File("app.py", PARSE + SHOW, SHOW), File("parse.py", None, PARSE + "x" + padding)) == []


def test_a_file_left_unread_because_it_is_too_large_takes_no_part() -> None:
    nothing, old, new, added = ObjectId("0" * 40), ObjectId("1" * 40), ObjectId("2" * 40), ObjectId("3" * 40)
    changes = [
        Change(ChangeKind.EDITED, b"app.py", None, "100644", "100644", old, new),
        Change(ChangeKind.ADDED, b"new.py", None, "000000", "100644", nothing, added),
    ]
    assert find_moves(changes, {old: None, new: SHOW.encode(), added: PARSE.encode()}) == []


def test_a_commit_over_the_limit_of_bytes_has_no_moves() -> None:
    extraction = [File("app.py", PARSE + SHOW, SHOW), File("parse.py", None, PARSE)]
    bulk = [File(f"{n}.txt", None, "x" * MAX_FILE_BYTES) for n in range(MAX_COMMIT_BYTES // MAX_FILE_BYTES)]
    assert moves_of(*extraction, *bulk[1:]) == [split("app.py", "parse.py")]
    assert moves_of(*extraction, *bulk) == []


def test_a_commit_over_the_limit_of_files_has_no_moves_and_nothing_is_read() -> None:
    extraction = [File("app.py", PARSE + SHOW, SHOW), File("parse.py", None, PARSE)]
    assert moves_of(*extraction, *(File(f"{n}.txt", None, "") for n in range(MAX_FILES - 2))) != []
    assert moves_of(*extraction, *(File(f"{n}.txt", None, "") for n in range(MAX_FILES - 1))) == []


NULL, OLD, NEW = ObjectId("0" * 40), ObjectId("1" * 40), ObjectId("2" * 40)
ADDED = Change(ChangeKind.ADDED, b"added", None, "000000", "100644", NULL, NEW)
EDITED = Change(ChangeKind.EDITED, b"edited", None, "100644", "100755", OLD, NEW)
REMOVED = Change(ChangeKind.REMOVED, b"removed", None, "100644", "000000", OLD, NULL)
RENAMED = Change(ChangeKind.RENAMED, b"new", b"old", "100644", "100644", OLD, NEW)
EXACTLY_RENAMED = Change(ChangeKind.RENAMED, b"new", b"old", "100644", "100644", OLD, OLD)
MODE_ONLY = Change(ChangeKind.EDITED, b"script", None, "100644", "100755", OLD, OLD)
SUBMODULE = Change(ChangeKind.EDITED, b"module", None, "160000", "160000", OLD, NEW)


@pytest.mark.parametrize(
    "changes",
    [
        [],
        [EDITED, EDITED],
        [ADDED, ADDED, ADDED],
        [REMOVED, REMOVED],
        [ADDED, REMOVED],
        [RENAMED, EDITED],
        [ADDED, EXACTLY_RENAMED],
        [ADDED, MODE_ONLY],
        [REMOVED, SUBMODULE],
    ],
)
def test_nothing_is_read_for_a_commit_that_cannot_have_moves(changes: list[Change]) -> None:
    assert blobs_to_compare(changes) == ()
    assert find_moves(changes, {}) == []


@pytest.mark.parametrize(
    "changes, blobs",
    [
        ([ADDED, EDITED], (NEW, OLD)),
        ([ADDED, RENAMED], (NEW, OLD)),
        ([REMOVED, EDITED, SUBMODULE], (OLD, NEW)),
        ([REMOVED, RENAMED], (OLD, NEW)),
        ([REMOVED, ADDED, ADDED], (OLD, NEW)),
        ([REMOVED, REMOVED, ADDED], (OLD, NEW)),
    ],
)
def test_each_blob_is_asked_for_once(changes: list[Change], blobs: tuple[ObjectId, ...]) -> None:
    assert blobs_to_compare(changes) == blobs
