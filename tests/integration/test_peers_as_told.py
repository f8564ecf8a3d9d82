"""docs/peers.md, done as it says; and what a newcomer gets wrong, with messages that say what to do next."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.kit import GitRepository, run_here
from tests.published import found, join
from tests.recorded import sage

ROOT = Path(__file__).parents[2]


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """A bare repository, as a forge has it."""
    GitRepository.create(tmp_path / "hub.git", "--bare")
    return tmp_path / "hub.git"


@pytest.fixture
def ada(hub: Path, repository: GitRepository) -> GitRepository:
    return found(repository, hub)


@pytest.fixture
def bob(ada: GitRepository, tmp_path: Path) -> GitRepository:
    return join(ada, tmp_path / "bob")


def refs(repository: Path) -> list[str]:
    return GitRepository(repository).git("for-each-ref", "--format=%(refname)").splitlines()


def told(clone: GitRepository, *arguments: str) -> tuple[int, str]:
    finished = run_here("-C", str(clone.path), *arguments)
    return finished.returncode, finished.stdout + finished.stderr


def test_a_forge_needs_nothing_set_up_and_a_third_clone_can_check_all(ada, hub):
    ada.commit("unplanned", **{"src/a.py": "a = 2\n"})
    sage(ada.path, "reconcile", "src/a.py", "-m", "looked at")
    ada.git("push", "--quiet")
    sage(ada.path, "sync")
    third = join(ada, hub.parent / "third")
    assert sage(third.path, "sync", "--fetch-only").startswith("origin  current  ")
    assert "verified" in sage(third.path, "verify", "--complete")


def test_nothing_of_it_is_seen_in_git(ada, bob, hub):
    sage(ada.path, "note", "action", "-m", "look")
    sage(ada.path, "sync"), sage(bob.path, "sync")
    for clone in (ada, bob):
        assert clone.git("status", "--porcelain") == ""
        assert not [ref for ref in refs(clone.path) if "sage" in ref]
    fresh = GitRepository(hub.parent / "fresh")
    ada.git("clone", "--quiet", str(hub), str(fresh.path))
    assert not [ref for ref in refs(fresh.path) if "sage" in ref]


def test_a_push_is_quiet(ada):
    ada.commit("more", **{"src/a.py": "a = 2\n"})
    pushed = ada.run("push")
    assert (pushed.returncode, b"sage" in pushed.stderr) == (0, False)


def test_a_path_means_what_it_means_where_it_is_typed(ada, bob):
    (bob.path / "deep/er").mkdir(parents=True)
    assert "  current  " in sage(bob.path / "deep/er", "sync", "../../../repository")
    sage(bob.path / "deep/er", "peer", "add", "later", "../../../nobody-yet")
    assert f"{bob.path.parent}/nobody-yet" in sage(bob.path, "peer")


def test_a_clone_is_never_written_to(ada, bob):
    before = refs(ada.path)
    sage(bob.path, "note", "action", "-m", "from bob")
    for form in ("{path}", "../repository", "file://{path}", "{path}/.git"):
        assert "current" in sage(bob.path, "sync", form.format(path=ada.path))
        assert refs(ada.path) == before


def test_a_push_to_a_clone_leaves_no_log_in_its_repository(ada):
    bob = join(ada, ada.path.parent / "guest", str(ada.path))
    bob.git("switch", "--quiet", "-c", "topic")
    bob.commit("more", **{"src/b.py": "b = 1\n"})
    bob.git("push", "--quiet", "origin", "topic")
    assert not [ref for ref in refs(ada.path) if "sage" in ref]


def test_what_a_push_gave_is_not_told_as_unsent(ada):
    sage(ada.path, "sync")
    ada.commit("more", **{"src/a.py": "a = 2\n"})
    assert json.loads(sage(ada.path, "status", "--json"))["peers"][0]["unsent"] > 0
    ada.git("push", "--quiet")
    assert json.loads(sage(ada.path, "status", "--json"))["peers"][0]["unsent"] == 0


def test_a_config_that_nobody_can_read_publishes_nothing(ada, hub):
    sage(ada.path, "sync")
    before = refs(hub)
    config = (ada.path / ".sage/config.toml").read_text().replace('remotes = ["origin"]', 'remotes = "nowhere"')
    ada.commit("break it", **{".sage/config.toml": config})
    sage(ada.path, "note", "action", "-m", "between us")
    tips = GitRepository(hub).git("for-each-ref", "refs/sage")
    ada.git("push", "--quiet"), sage(ada.path, "sync")
    assert (refs(hub), GitRepository(hub).git("for-each-ref", "refs/sage")) == (before, tips)


def test_only_what_is_new_is_told_as_sent(ada):
    sage(ada.path, "sync")
    sage(ada.path, "note", "action", "-m", "one")
    assert sage(ada.path, "sync") == "origin  current  1 went\n"


def test_a_stick_is_called_as_it_was_named(ada, bob):
    for clone, said in ((ada, "2 went"), (bob, "2 entries came")):
        assert sage(clone.path, "sync", "--bundle", "../stick.bundle") == f"../stick.bundle  current  {said}\n"


def test_what_is_no_bundle_is_said_to_be_none_and_left_alone(ada, tmp_path):
    for content in (b"", b"holiday.jpg" * 99):
        (tmp_path / "photo").write_bytes(content)
        status, said = told(ada, "sync", "--bundle", "../photo")
        assert (status, "no git bundle" in said) == (4, True), said
        assert (tmp_path / "photo").read_bytes() == content
    (tmp_path / "folder").mkdir()
    assert told(ada, "sync", "--bundle", "../folder")[0] == 2
    assert told(ada, "sync", "--bundle", "../none", "--fetch-only")[0] == 2
    assert "see that the folder is there" in told(ada, "sync", "--bundle", "../none/at.bundle")[1]


KEY = "ab" * 32


WRONG = (
    ("sync nobody", 2, "no peer and no remote is called nobody"),
    ("sync sage://abc@host/", 2, "as `sage-git serve` prints it"),
    (f"sync sage://{KEY}@127.0.0.1:9/", 4, "see that `sage-git serve` runs there"),
    ("sync https://127.0.0.1:9/x", 4, "see whether `git ls-remote` reaches it"),
    ("peer add far sage://abc@host/", 2, "as `sage-git serve` prints it"),
    ("peer add origin ../bob", 2, "a git remote is called origin already"),
    ("peer add later ../bob", 0, "once "),
    ("peer allow abc", 2, "64 hex digits"),
    (f"peer deny {KEY}", 2, "sage-git peer list shows them"),
    ("peer remove nobody", 2, "sage-git peer list shows them"),
    ("peer certify", 3, "user.signingKey"),
    ("prove ffffffff", 3, "sage-git log --all shows"),
    ("bundle nothing.py", 3, "check the spelling"),
    ("check-proof ../hub.git/HEAD", 1, "make files that can be checked"),
    ("serve --port none", 2, "name one from 0"),
    ("sync --watch --bundle x", 2, "do not go together"),
)


def test_what_is_asked_wrong_is_answered_with_what_to_do(ada):
    for command, status, words in WRONG:
        ended, said = told(ada, *command.split())
        assert (ended, words in said) == (status, True), f"{command}: {said}"


def test_nobody_watches_for_ever_what_nobody_named(ada):
    ada.git("remote", "remove", "origin")
    status, said = told(ada, "sync", "--watch")
    assert (status, "sage-git peer add NAME URL" in said) == (2, True), said


def test_ones_own_key_is_nobody_elses(ada):
    key = sage(ada.path, "peer", "key").strip()
    assert told(ada, "peer", "allow", key)[0] == 2


def test_where_no_record_is_kept_that_is_said_and_nothing_is_made(repository):
    for command in ("sync", "sync --watch", "peer", "peer key", "serve", "prove abcd", "bundle a.py"):
        status, said = told(repository, *command.split())
        assert (status, "run `sage-git init`" in said) == (3, True), said
    assert not (repository.path / ".git/sage").exists()


def test_a_proof_is_checked_where_no_repository_is(ada, tmp_path):
    event = json.loads(sage(ada.path, "log", "--json", "-n", "1").splitlines()[0])["eventId"]
    sage(ada.path, "prove", event, "-o", "../event.proof")
    sage(ada.path, "bundle", ".sage/config.toml", "-o", "../bundle.zip")
    (tmp_path / "stranger").mkdir()
    for file in ("event.proof", "bundle.zip"):
        assert "proved" in sage(tmp_path / "stranger", "check-proof", f"../{file}")


def test_the_store_can_be_read_by_git_alone(ada):
    sage(ada.path, "sync")
    key = sage(ada.path, "peer", "key").strip()
    (command,) = re.findall(r"`(git --git-dir .*?KEY)`", (ROOT / "docs/peers.md").read_text(encoding="utf-8"))
    listed = subprocess.run(
        command.replace("KEY", key).split(), cwd=ada.path, capture_output=True, encoding="utf-8", check=True
    )
    assert [line.split("\t")[1] for line in listed.stdout.splitlines()] == [
        "checkpoint", "events/000", "leaves/000", "writer.json",
    ]  # fmt: skip


def test_the_program_in_the_docs_runs(ada, monkeypatch):
    import sage_git

    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/peers.md").read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.chdir(ada.path)
    exec(program, {"sage_git": sage_git})
    assert '"lint"' in sage(ada.path, "log", "--json", "--all")


def test_a_body_is_redacted_for_all_by_its_own_writer_alone(ada, bob):
    sage(ada.path, "note", "action", "-m", "too much")
    sage(ada.path, "sync"), sage(bob.path, "sync")
    (event,) = (
        json.loads(line) for line in sage(bob.path, "log", "--json", "--all").splitlines() if "too much" in line
    )
    _, said = told(bob, "redact", event["eventId"], "-m", "not mine to take")
    assert "gone here only" in said
    sage(bob.path, "sync"), sage(ada.path, "sync")
    assert "too much" in sage(ada.path, "log", "--json", "--all")
    assert "too much" not in sage(bob.path, "log", "--json", "--all")
    _, said = told(ada, "redact", event["eventId"], "-m", "mine")
    assert "here only" not in said
    sage(ada.path, "sync")
    third = join(ada, ada.path.parent / "third")
    sage(third.path, "sync")
    assert "too much" not in sage(third.path, "log", "--json", "--all")
