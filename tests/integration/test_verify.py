"""`verify`: what it finds in small repositories, what it cannot check, and that it writes nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.kit import GitRepository
from tests.recorded import keep_record
from tests.verified import approve, build, findings, reconcile, say, verified

NO_HOOKS = ("-c", "core.hooksPath=/dev/null")


@pytest.fixture
def recorded(repository, sage):
    """A repository in which plan p1 lets `src/` change; the name of its approval is `recorded.approval`."""
    repository.commit("first", **{"src/a.py": "a = 1\n", "doc.md": "hello\n"})
    keep_record(repository)
    repository.approval = approve(repository.path, "p1", ["src/**"])
    return repository


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """A history of some dozens of commits. Not to be changed."""
    return build(tmp_path_factory.mktemp("verify") / "history", 60)


def planned(repository: GitRepository, message: str = "work", **files: str | None) -> str:
    return repository.commit(f"{message}\n\nSage-Plan: p1 {repository.approval[:16]}", **files)  # type: ignore[attr-defined]


def snapshot(root: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """Everything under `root`: mode, modification and change time, content."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder, name)
            about = path.lstat()
            content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
            found[str(path.relative_to(root))] = about.st_mode, about.st_mtime_ns, about.st_ctime_ns, content
    return found


def codes(found: list[dict[str, object]]) -> list[str]:
    return [str(finding["code"]) for finding in found]


def test_planned_work_verifies(recorded, sage):
    planned(recorded, **{"src/a.py": "a = 2\n", "src/b.py": "b = 1\n"})
    assert sage("record").returncode == 0
    done = sage("verify", "--complete")
    assert (done.returncode, done.stderr) == (0, "")
    assert "verified: 2 commits, 2 judged changes, 8 log entries" in done.stdout
    assert "1 answer claimed: Grace Hopper <grace@example.org> (1)" in done.stdout


def test_an_unplanned_edit_is_named_with_its_line_until_somebody_answers(recorded, sage):
    recorded.commit("two lines", **{"doc.md": "hello\nworld\n"})
    done = sage("verify")
    assert done.returncode == 1
    [finding] = findings(recorded.path)
    assert (finding["code"], finding["path"], finding["line"]) == ("open-edit", "doc.md", 2)
    assert finding["commit"] == recorded.head
    assert sage("reconcile", finding["eventId"], "-m", "it is right").returncode == 0
    assert sage("verify").returncode == 0


def test_an_addition_and_the_merge_that_dropped_it_are_named_apart(recorded, sage):
    recorded.git("checkout", "--quiet", "-b", "side")
    added = recorded.commit("nobody planned this", **{"new.md": "new\n"})
    recorded.git("checkout", "--quiet", "main")
    recorded.commit("meanwhile", **{"other.md": "other\n"})
    recorded.git(*NO_HOOKS, "merge", "--quiet", "--no-ff", "--no-commit", "side")
    recorded.git("rm", "--quiet", "--force", "new.md")
    recorded.git("commit", "--quiet", "-m", "Merge branch side, but for what it brings")
    assert sage("record").returncode == 0
    opened = [each for each in findings(recorded.path, "--complete") if each["path"] == "new.md"]
    assert {each["commit"] for each in opened} == {added, recorded.head}
    for finding in opened:
        shown = json.loads(sage("show", finding["eventId"], "--json").stdout.splitlines()[0])
        assert shown["graphCommit"] == finding["commit"]


def test_an_addition_that_was_recorded_before_a_plan_was_known_is_no_gap(repository, sage):
    """As in a clone that hears of the approval later, from somebody else."""
    repository.commit("first", **{"doc.md": "hello\n"})
    keep_record(repository)
    repository.commit("nothing is planned yet", **{"new.md": "new\n"})
    assert sage("record").returncode == 0
    approve(repository.path, "p1", ["src/**"])
    found = findings(repository.path, "--complete")
    assert codes(found) == ["open-edit"]
    reconcile(repository.path, found)
    assert findings(repository.path, "--complete") == []


def test_a_verdict_that_would_be_another_by_now_is_not_missed_in_a_sidecar(recorded, sage):
    """Without an index, as after an upgrade that begins it anew: all verdicts are made again, by what is known now."""
    recorded.git("checkout", "--quiet", "-b", "side")
    rogue = recorded.commit("nobody planned this", **{"src/a.py": "a = 2\n"})
    recorded.git("checkout", "--quiet", "main")
    planned(recorded, **{"src/b.py": "b = 1\n"})
    recorded.git(*NO_HOOKS, "cherry-pick", "--no-commit", rogue)
    recorded.git("commit", "--quiet", "-m", f"picked\n\nSage-Plan: p1 {recorded.approval[:16]}")
    assert sage("record").returncode == 0
    recorded.git(*NO_HOOKS, "merge", "--quiet", "--no-ff", "-m", "Merge branch side", "side")
    reconcile(recorded.path, [each for each in findings(recorded.path) if each["commit"] == rogue])
    assert sage("record").returncode == 0
    assert findings(recorded.path, "--complete") == []
    (recorded.path / ".git/sage/index.sqlite").unlink()
    assert findings(recorded.path, "--complete") == []


def test_nothing_is_written_anywhere(history):
    before = snapshot(history.path)
    answer = verified(history.path, "--complete")
    assert answer["ok"]
    assert snapshot(history.path) == before


def test_nothing_is_written_where_there_is_something_to_record(history, tmp_path):
    copy = Path(shutil.copytree(history.path, tmp_path / "copy", symlinks=True))
    repository = GitRepository(copy)
    repository.write("src/new.py", "x = 1\n")
    repository.git("add", "src/new.py")
    repository.git(*NO_HOOKS, "commit", "--quiet", "-m", "nobody saw it")
    (copy / ".git/sage/index.sqlite").unlink()
    before = snapshot(copy)
    assert {"open-edit", "gap"} <= set(codes(findings(copy, "--complete")))
    assert snapshot(copy) == before


def as_nobody(cwd: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    config = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    environment = {**os.environ, **config, "HOME": "/nonexistent", "GIT_CONFIG_GLOBAL": os.devnull}
    command = [sys.executable, "-P", "-m", "sage_git", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, check=False, user=65534, group=65534)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can let somebody else try")
def test_somebody_who_may_only_read_is_told_what_stays_unchecked(history):
    with TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        copy = shutil.copytree(history.path, Path(folder, "copy"), symlinks=True)
        try:
            may_run = as_nobody(copy, "--version").returncode == 0
        except PermissionError:  # Python itself lies where only root may look
            may_run = False
        if not may_run:
            pytest.skip("nobody may not run Python here")
        before = snapshot(copy)
        answer = json.loads(as_nobody(copy, "verify", "--json").stdout)
        assert snapshot(copy) == before
    assert [each["what"] for each in answer["unchecked"]] == ["the log of this clone"]
    assert not answer["ok"]


def test_a_clone_without_logs_has_gaps_and_says_so(recorded, sage):
    planned(recorded, **{"src/a.py": "a = 2\n"})
    clone = recorded.clone()
    found = findings(clone.path)
    assert set(codes(found)) == {"gap", "open-edit", "plan-unknown"}
    assert {finding["commit"] for finding in found if finding["code"] == "gap"} == {
        recorded.head,
        recorded.git("rev-parse", "HEAD~1"),
    }
    assert not (clone.path / ".git/sage").exists()


def test_a_shallow_clone_lists_what_it_cannot_check(recorded, sage):
    planned(recorded, **{"src/a.py": "a = 2\n"})
    planned(recorded, **{"src/a.py": "a = 3\n"})
    recorded.git("clone", "--quiet", "--depth", "1", f"file://{recorded.path}", str(recorded.path.parent / "shallow"))
    shallow = recorded.path.parent / "shallow"
    done = sage("verify", "--json", cwd=shallow)
    answer = json.loads(done.stdout)
    assert done.returncode == 3
    assert (answer["ok"], answer["findings"]) == (False, [])
    [unchecked] = answer["unchecked"]
    assert "shallow" in unchecked["why"]
    assert "--unshallow" in unchecked["remedy"]
    assert sage("verify", "--allow-unchecked", cwd=shallow).returncode == 0
    assert "nothing wrong in what could be checked" in sage("verify", cwd=shallow).stdout


def test_a_clone_without_blobs_lists_what_it_cannot_check_and_fetches_nothing(recorded, sage):
    planned(recorded, **{"src/a.py": "a = 2\n"})
    planned(recorded, **{"src/a.py": "a = 3\n"})
    recorded.git("config", "uploadpack.allowFilter", "true")
    partial = recorded.path.parent / "partial"
    recorded.git("clone", "--quiet", "--filter=blob:none", f"file://{recorded.path}", str(partial))
    before = snapshot(partial)
    done = sage("verify", "--json", cwd=partial)
    assert done.returncode in (1, 3)
    assert json.loads(done.stdout)["unchecked"][0]["inRange"]
    assert snapshot(partial) == before


def test_a_range_leaves_out_what_came_before(recorded, sage):
    recorded.commit("unplanned", **{"doc.md": "one\n"})
    planned(recorded, **{"src/a.py": "a = 2\n"})
    assert sage("verify", "--range", "HEAD~1..HEAD").returncode == 0
    assert codes(findings(recorded.path, "--range", "HEAD~2..HEAD~1")) == ["open-edit"]
    assert codes(findings(recorded.path, "--range", "..HEAD")) == []
    done = sage("verify", "--range", "HEAD~1...HEAD")
    assert (done.returncode, "three dots" in done.stderr) == (2, True)
    done = sage("verify", "--range", "nowhere..HEAD")
    assert (done.returncode, "names no commit" in done.stderr) == (2, True)


def test_a_range_of_another_branch_is_looked_at_though_nothing_here_was_on_it(recorded, sage):
    clone = recorded.clone()
    clone.git("checkout", "--quiet", "-b", "theirs")
    clone.commit("unplanned", **{"doc.md": "theirs\n"})
    recorded.git("fetch", "--quiet", str(clone.path), "theirs:refs/remotes/other/theirs")
    found = findings(recorded.path, "--range", "HEAD..other/theirs")
    assert codes(found) == ["open-edit"]
    assert codes(findings(recorded.path)) == []
    assert "gap" in codes(findings(recorded.path, "--range", "HEAD..other/theirs", "--complete"))


def test_paths_leave_out_other_sources(recorded, sage):
    recorded.commit("unplanned", **{"doc.md": "one\n", "src/a.py": "a = 9\n"})
    assert [finding["path"] for finding in findings(recorded.path, "doc.md")] == ["doc.md"]
    assert [finding["path"] for finding in findings(recorded.path / "src", ".")] == ["src/a.py"]
    done = sage("verify", "../elsewhere")
    assert (done.returncode, "outside" in done.stderr) == (2, True)


def test_a_path_that_nobody_knows_is_not_called_fine(recorded, sage):
    done = sage("verify", "src", "src/aa.py")
    assert done.returncode == 3
    assert "nothing is known of 'src/aa.py'" in done.stderr


def test_a_claim_that_fails_is_named_beside_the_edit(recorded):
    planned(recorded, **{"doc.md": "not in src\n"})
    found = findings(recorded.path)
    assert codes(found) == ["open-edit", "plan-out-of-scope"]
    assert "doc.md is not in the scope of plan p1" in str(found[1]["message"])


def test_a_plan_that_was_forced_is_a_warning(recorded):
    known = say_draft(recorded.path, "p2", ["doc.md"])
    fields = {**known, "type": "PLAN_DENIED", "reviewerId": "Grace <g@example.org>", "reason": "no"}
    say(recorded.path, "plans", {**fields, "timestamp": "2025-12-31T00:01:00.000Z"})
    forced = {**known, "type": "PLAN_UNSAFE", "forcedBy": "Eve <eve@example.org>", "overriddenWarnings": ["denied"]}
    approval = say(recorded.path, "plans", {**forced, "timestamp": "2025-12-31T00:02:00.000Z"})
    recorded.commit(f"work\n\nSage-Plan: p2 {approval[:16]}", **{"doc.md": "forced\n"})
    [finding] = findings(recorded.path)
    assert (finding["code"], finding["severity"], finding["path"]) == ("plan-unsafe", "warning", "doc.md")


def test_coverage_by_time_is_only_a_note(recorded, sage):
    config = recorded.read(".sage/config.toml").replace("implicit = false", "implicit = true")
    recorded.commit("by time", **{".sage/config.toml": config})
    for finding in findings(recorded.path):
        sage("reconcile", finding["eventId"], "-m", "we want that")
    recorded.commit("no plan is named", **{"src/a.py": "a = 2\n"})
    answer = verified(recorded.path)
    assert answer["ok"]
    assert codes(answer["findings"]) == ["plan-by-time", "policy-weakened"]


def test_a_policy_of_another_revision_judges_all(recorded, sage):
    strict = recorded.head
    config = recorded.read(".sage/config.toml").replace("exempt = []", 'exempt = ["doc.md"]')
    recorded.commit("exempt it", **{".sage/config.toml": config})
    for finding in findings(recorded.path):
        sage("reconcile", finding["eventId"], "-m", "we want that")
    recorded.commit("exempt by now", **{"doc.md": "anything\n"})
    assert codes(findings(recorded.path)) == []
    found = findings(recorded.path, "--policy-from", strict)
    assert ("open-edit", "doc.md") in [(finding["code"], finding["path"]) for finding in found]
    done = sage("verify", "--policy-from", "HEAD~99")
    assert done.returncode == 2


def test_where_no_record_is_kept_it_says_so(repository, sage):
    repository.commit("first", a="1\n")
    done = sage("verify")
    assert (done.returncode, "no record is kept" in done.stderr) == (3, True)


def test_what_was_rebased_away_is_listed_and_spoils_nothing(recorded, sage):
    planned(recorded, **{"src/a.py": "a = 2\n"})
    gone = recorded.head
    assert sage("record").returncode == 0
    recorded.git("commit", "--quiet", "--amend", "-m", f"reworded\n\nSage-Plan: p1 {recorded.approval[:16]}")
    recorded.git("reflog", "expire", "--expire=now", "--all")
    recorded.git("gc", "--quiet", "--prune=now")
    assert not recorded.git("cat-file", "-t", gone, check=False)
    done = sage("verify", "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["findings"]) == (0, [])
    assert [each["inRange"] for each in answer["unchecked"]] == [False]


def say_draft(path: Path, plan_id: str, scope: list[str]) -> dict[str, str]:
    from sage_git.chronicle.ids import plan_hash

    plan = {"planId": plan_id, "summary": "more", "steps": ["do it"], "scope": scope}
    named = {"planId": plan_id, "planHash": plan_hash(plan)}
    say(path, "plans", {**plan, **named, "type": "PLAN_DRAFTED", "timestamp": "2025-12-31T00:00:30.000Z"})
    return named
