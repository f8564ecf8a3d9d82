"""Report: what a range of commits did, against real git."""

import json

import pytest

from sage_git.cli.report_markdown import lines as markdown
from sage_git.operations.reading.opening import Reading
from sage_git.operations.reading.report import report
from tests.recorded import keep_record, sage

EDITED = "one\nTWO\nthree\n"


@pytest.fixture
def recorded(repository):
    repository.commit("before", **{"src/parser.py": "one\ntwo\nthree\n"})
    keep_record(repository)
    return repository


def told(repository, *arguments):
    (line,) = sage(repository.path, "report", *arguments, "--json").splitlines()
    return json.loads(line)


def files(repository, *arguments):
    return {file["path"]: file for file in told(repository, *arguments)["files"]}


def test_each_file_tells_what_became_of_it(recorded):
    start = recorded.head
    text = "".join(f"line {number}\n" for number in range(20))
    recorded.commit("add", **{"old.py": text, "gone.py": "x\n", "kept.py": "a\nb\n", "binary": b"\0\1"})
    base = recorded.head
    recorded.git("mv", "old.py", "new.py")
    recorded.commit(
        "change", **{"new.py": text + "more\n", "gone.py": None, "src/parser.py": EDITED, "binary": b"\0\2"}
    )
    found = files(recorded, f"{base}..HEAD")
    assert {path: (file["change"], file["linesAdded"], file["linesRemoved"]) for path, file in found.items()} == {
        "new.py": ("renamed", 1, 0), "gone.py": ("removed", 0, 1), "src/parser.py": ("edited", 1, 1),
        "binary": ("edited", None, None),
    }  # fmt: skip
    assert found["new.py"]["oldPath"] == "old.py"
    assert len(found["new.py"]["events"]) == 2, "the rename and the edit"
    assert {path: file["change"] for path, file in files(recorded, f"{start}..HEAD").items()} == {
        "binary": "added", "kept.py": "added", "new.py": "added", "src/parser.py": "edited",
        "gone.py": "undone",
    }  # fmt: skip


def test_what_happened_under_an_old_name_is_told_under_the_last(recorded):
    base = recorded.head
    recorded.commit("edit", **{"src/parser.py": EDITED})
    recorded.git("mv", "src/parser.py", "src/grammar.py")
    recorded.commit("rename")
    found = files(recorded, base)
    assert list(found) == ["src/grammar.py"]
    assert found["src/grammar.py"]["verdict"] == "open"
    assert len(found["src/grammar.py"]["events"]) == 2


def test_a_file_that_is_again_as_it_was_is_undone(recorded):
    base = recorded.head
    recorded.commit("edit", **{"src/parser.py": EDITED})
    recorded.commit("and back, with a file that went again", **{"src/parser.py": "one\ntwo\nthree\n", "brief": "x"})
    recorded.commit("go", brief=None)
    found = files(recorded, base)
    assert {path: file["change"] for path, file in found.items()} == {"src/parser.py": "undone", "brief": "undone"}


def test_the_worst_comes_first_and_is_the_verdict(recorded):
    base = recorded.head
    assert told(recorded, "HEAD..HEAD")["verdict"] == "unjudged"
    recorded.commit("add", **{"a.py": "x\n"})
    assert told(recorded, base)["verdict"] == "unjudged"
    recorded.commit("edit", **{"src/parser.py": EDITED})
    found = told(recorded, base)
    assert (found["verdict"], [file["path"] for file in found["files"]]) == ("open", ["src/parser.py", "a.py"])
    assert found["files"][0]["open"] == found["files"][0]["events"]


def test_without_a_range_it_is_what_the_branch_did(recorded):
    assert told(recorded)["range"]["name"] == "everything recorded"
    base = recorded.head
    recorded.git("switch", "--quiet", "--create", "side")
    own = recorded.commit("side", **{"side.py": "x\n"})
    recorded.git("switch", "--quiet", "main")
    recorded.commit("main", **{"main.py": "x\n"})
    recorded.git("switch", "--quiet", "side")
    recorded.git("merge", "--quiet", "--no-edit", "main")
    found = told(recorded)
    assert found["range"] == {"name": "main..HEAD", "from": found["range"]["from"], "to": recorded.head,
                              "base": recorded.git("rev-parse", "main")}  # fmt: skip
    assert [file["path"] for file in found["files"]] == ["side.py"]
    assert [commit["commit"] for commit in found["commits"]] == [own, recorded.head]
    assert base != recorded.head


def test_an_upstream_is_where_unpushed_work_begins(recorded, tmp_path):
    recorded.git("clone", "--quiet", "--bare", ".", str(tmp_path / "origin.git"))
    recorded.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    recorded.git("fetch", "--quiet", "origin")
    recorded.git("branch", "--quiet", "--set-upstream-to=origin/main")
    new = recorded.commit("not pushed", **{"new.py": "x\n"})
    assert [commit["commit"] for commit in told(recorded)["commits"]] == [new]


def test_agents_are_told_by_what_commits_say(recorded):
    base = recorded.head
    recorded.commit("one\n\nSage-Actor: aider/s1", **{"a.py": "1\n"})
    recorded.commit("two\n\nCo-authored-by: Claude <noreply@anthropic.com>", **{"a.py": "2\n", "b.py": "1\n"})
    recorded.commit("three", **{"b.py": "2\n"})
    found = told(recorded, base)
    assert [commit["agents"] for commit in found["commits"]] == [["aider"], ["claude-code"], []]
    assert {file["path"]: file["agents"] for file in found["files"]} == {
        "a.py": ["aider", "claude-code"], "b.py": ["claude-code"],
    }  # fmt: skip
    assert found["files"][0]["actors"] == ["Ada Lovelace <ada@example.org>"]


def test_a_halt_is_told(recorded, sage):
    halt = {
        "type": "HALT_AND_REPORT", "invariant": "tests | `pass`", "expected": 1, "actual": 2,
        "actor": {"agent": "ci", "id": "ci"}, "timestamp": "2026-01-02T00:00:00.000Z",
    }  # fmt: skip
    assert sage("append", "src/parser.py.sage", stdin=json.dumps(halt)).returncode == 0
    assert [each["invariant"] for each in told(recorded)["halts"]] == ["tests | `pass`"]
    shown = sage("report", "--markdown").stdout
    assert "1 halt to be lifted" in shown.splitlines()[0]
    assert r"`src/parser.py` `halt: tests \x7c \x60pass\x60`" in shown


def test_commits_that_are_not_recorded_are_named(recorded):
    url = recorded.path.as_uri()
    recorded.commit("one", **{"src/parser.py": EDITED})
    recorded.commit("two", **{"src/parser.py": "all new\n"})
    recorded.git("clone", "--quiet", "--depth=1", url, str(recorded.path.parent / "shallow"))
    shallow = type(recorded)(recorded.path.parent / "shallow")
    keep_record(shallow)
    found = told(shallow)
    assert found["verdict"] in ("incomplete", "open")
    assert [commit["recorded"] for commit in found["commits"]] == [False] * len(found["commits"])


def test_beyond_fifty_files_are_folded_in_markdown(recorded):
    base = recorded.head
    recorded.commit("many", **{f"src/{number:03}|`@x.py": "x\n" for number in range(60)})
    with Reading.open(recorded.path, {"PATH": "/usr/bin:/bin"}) as reading:
        shown = list(markdown(report(reading, base, 0)))
    fold = next(at for at, line in enumerate(shown) if line.startswith("<details>"))
    rows = [line for line in shown if line.startswith("| `")]
    assert shown[fold] == "<details><summary>and 10 more files</summary>"
    assert sum(line.startswith("| `") for line in shown[:fold]) == 50
    assert len(rows) == 60
    assert all(line.count("|") == 6 for line in rows)


@pytest.mark.parametrize("words", ["no-such", "HEAD..no-such", "no-such...HEAD"])
def test_a_range_that_names_nothing_is_told(recorded, sage, words):
    done = sage("report", words)
    assert (done.returncode, "names no commit here" in done.stderr) == (2, True)


def test_a_path_that_is_not_utf8_is_percent_encoded(recorded):
    base = recorded.head
    recorded.write(b"caf\xe9 100%.txt", "x\n")
    recorded.commit("odd")
    assert list(files(recorded, base)) == ["caf%E9 100%25.txt"]


def test_a_report_of_anything_fits_in_a_comment(recorded):
    base = recorded.head
    for number in range(6):
        author = f"--author=Somebody with a long name {number} <{number}@example.org>"
        for file in range(600):
            recorded.write(f"src/{file:04}{'x' * 180}.py", f"{number}\n")
        recorded.git("add", "--all")
        recorded.git("commit", "--quiet", author, "--message", "all of them")
    shown = sage(recorded.path, "report", base, "--markdown")
    assert len(shown) < 65_536
    assert " more files</summary>" in shown
    assert "more that `sage-git report` shows" in shown
    assert " and 3 more |" in shown
