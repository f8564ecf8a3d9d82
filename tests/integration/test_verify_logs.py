"""`verify` over the logs of others: each is held against what its writer signed, else it counts for nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path
from random import Random

import pytest

from sage_git.chronicle.event import Event
from sage_git.gitrepo.log_tree import ref_of
from sage_git.gitrepo.segments import SegmentRepository
from sage_git.proof import merkle
from sage_git.proof.equivocation import prove
from tests.kit import GitRepository, run_sage
from tests.published import (
    LEAVES,
    alter,
    begin,
    codes,
    fetch_logs,
    flipped,
    join,
    note_of,
    publish,
    without_last_line,
    writer_of,
)
from tests.recorded import config_of, sage
from tests.signing import make_key
from tests.verified import findings, verified


@pytest.fixture
def ada(repository: GitRepository, tmp_path: Path) -> GitRepository:
    return begin(repository, tmp_path / "remote.git")


@pytest.fixture
def bob(ada: GitRepository, tmp_path: Path) -> GitRepository:
    return join(ada, tmp_path / "bob")


@pytest.fixture(scope="module")
def came(tmp_path_factory):
    """Both clones, hers with a log that is in his store; for tests that put back what they change."""
    folder = tmp_path_factory.mktemp("came")
    ada = begin(GitRepository.create(folder / "ada"), folder / "remote.git")
    bob = join(ada, folder / "bob")
    return ada, bob, fetch_logs(bob)


@pytest.fixture
def shelf(came):
    """What `came`, as it came."""
    ada, _, store = came
    ref = ref_of(writer_of(ada))
    commit = store.tip(ref).commit
    yield came
    GitRepository(store.git_dir).git("update-ref", ref, commit)


def test_what_another_log_tells_is_no_gap_once_the_log_is_here(ada, bob):
    assert codes(bob.path, "--complete") == {"gap", "plan-unknown", "open-edit"}
    fetch_logs(bob)
    answer = verified(bob.path, "--complete")
    assert (answer["ok"], answer["findings"], answer["unchecked"]) == (True, [], [])
    assert answer["checked"]["logs"] == 1
    assert [(each["who"], each["writer"]) for each in answer["answers"]] == [
        ("Grace Hopper <grace@example.org>", writer_of(ada))
    ]


DAMAGE = {
    "a signature": ({"note": lambda note: flipped(note, len(note) - 20)}, "bad-checkpoint"),
    "a size": ({"note": lambda note: note.replace(b"\n", b"\n1", 1)}, "bad-checkpoint"),
    "no checkpoint": ({"note": lambda _: b""}, "bad-checkpoint"),
    "a leaf": ({"leaves": lambda leaves: leaves.replace(b"a", b"b", 1)}, "bad-checkpoint"),
    "no leaf": ({"leaves": lambda leaves: leaves.replace(b"eventId", b"eventIe", 1)}, "bad-log-tree"),
    "the last entry gone": ({"leaves": without_last_line, "bodies": without_last_line}, "bad-log-tree"),
    "a body": ({"bodies": lambda bodies: bodies.replace(b"src/b.py", b"src/c.py", 1)}, "body-not-its-leaf"),
    "no event": ({"bodies": lambda bodies: b"x" + bodies}, "body-not-its-leaf"),
    "too few bodies": ({"bodies": without_last_line}, "bad-log-tree"),
    "another's introduction": ({"about": lambda about: about.replace(b'"key":"', b'"key":"00', 1)}, "wrong-origin"),
    "a file too many": ({"hooks": lambda _: b"#!/bin/sh\n"}, "bad-log-tree"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_log_that_is_not_what_its_writer_signed_is_named_and_counts_for_nothing(shelf, name):
    ada, bob, store = shelf
    changes, code = DAMAGE[name]
    alter(store, **changes)
    found = findings(bob.path, "--complete")
    assert {each["code"] for each in found} == {code, "gap", "plan-unknown", "open-edit"}
    (told,) = [each for each in found if each["code"] == code]
    assert (told["writer"], told["path"]) == (writer_of(ada), ".git/sage/store.git")


def test_a_checkpoint_of_another_repository_is_refused(shelf):
    ada, bob, store = shelf
    (leaves,) = store.segments(store.tip(ref_of(writer_of(ada))).files, [LEAVES])
    alter(store, note=lambda _: note_of(ada, "00" * 16, leaves))
    assert "wrong-origin" in codes(bob.path)


@pytest.mark.parametrize("seed", range(8))
def test_any_changed_byte_of_anothers_log_is_found(shelf, seed):
    _, bob, store = shelf
    random = Random(seed)
    name = ("note", "leaves", "bodies", "about")[seed % 4]
    alter(store, **{name: lambda content: flipped(content, random.randrange(len(content)))})
    assert codes(bob.path)


def test_what_is_withheld_is_listed_and_spoils_nothing(ada, bob):
    ada.git("checkout", "--quiet", "-b", "secret")
    ada.commit("nobody sees this yet", **{"src/secret.py": "s = 1\n"})
    ada.git("checkout", "--quiet", "main")
    publish(ada)
    fetch_logs(bob)
    answer = verified(bob.path, "--complete")
    assert (answer["ok"], answer["findings"]) == (True, [])
    (unchecked,) = answer["unchecked"]
    assert unchecked["what"].endswith(f"entries of the log of {writer_of(ada)[:16]}")
    assert run_sage("verify", "--complete", cwd=bob.path).returncode == 0


def test_what_its_writer_redacted_is_told_as_such(ada, bob):
    sage(ada.path, "note", "action", "-m", "said too much")
    told = json.loads(sage(ada.path, "log", "--type", "AGENT_ACTION", "--json", "--all").splitlines()[0])
    publish(ada)
    sage(ada.path, "redact", told["eventId"], "-m", "a secret")
    publish(ada)
    fetch_logs(bob)
    answer = verified(bob.path, "--complete")
    assert (answer["ok"], answer["unchecked"]) == (True, [])
    assert [(each["code"], each["eventId"]) for each in answer["findings"]] == [("body-redacted", told["eventId"])]


def test_what_was_redacted_here_of_anothers_log_is_told_as_such(ada, bob):
    sage(ada.path, "note", "action", "-m", "said too much")
    told = json.loads(sage(ada.path, "log", "--type", "AGENT_ACTION", "--json", "--all").splitlines()[0])
    publish(ada)
    sage(bob.path, "sync", "--fetch-only", "origin")
    sage(bob.path, "redact", told["eventId"], "-m", "nothing for us")
    answer = verified(bob.path, "--complete")
    assert answer["ok"]
    (unchecked,) = answer["unchecked"]
    assert unchecked["what"] == f"1 entry of the log of {writer_of(ada)[:16]}"
    assert unchecked["why"] == "they were redacted in this clone"


def test_a_fact_that_its_writer_forged_is_found_under_its_name(ada, bob):
    log = [json.loads(line) for line in sage(ada.path, "log", "--json").splitlines()]
    fact = next(event for event in log if event["type"] == "FILE_EDITED")
    beside = ("eventId", "chronicle", "inHead", "open", "incomplete")
    forged = {**{name: value for name, value in fact.items() if name not in beside}, "hash": "1" * 40}
    with (ada.path / ".git/sage/tail.ndjson").open("ab") as tail:
        tail.write(Event.sealed(forged).line + b"\n")
    publish(ada)
    fetch_logs(bob)
    (told,) = findings(bob.path, "--complete")
    assert (told["code"], told["writer"]) == ("fact-not-true", writer_of(ada))


def test_this_clones_log_is_held_against_the_checkpoint_that_it_signed(ada):
    tail = ada.path / ".git/sage/tail.ndjson"
    kept = tail.read_bytes()
    tail.write_bytes(without_last_line(kept))
    (ada.path / ".git/sage/index.sqlite").unlink()  # nobody else remembers
    assert "log-shrunk" in codes(ada.path)
    lines = kept.split(b"\n")
    tail.write_bytes(b"\n".join([*lines[:2], lines[3], lines[2], *lines[4:]]))
    assert "log-rewritten" in codes(ada.path)


def test_a_log_that_got_shorter_since_it_was_entered_is_found(ada, bob):
    assert run_sage("sync", "--fetch-only", "origin", cwd=bob.path).returncode == 0
    assert codes(bob.path, "--complete") == set()
    store = SegmentRepository(bob.path / ".git/sage/store.git", "sha1", {"PATH": os.environ["PATH"]})
    (leaves,) = store.segments(store.tip(ref_of(writer_of(ada))).files, [LEAVES])
    note = note_of(ada, str(config_of(ada.path)["repository"]), leaves[:-1])
    alter(store, note=lambda _: note, leaves=without_last_line, bodies=without_last_line)
    assert "log-shrunk" in codes(bob.path)
    bob.git("--git-dir", str(store.git_dir), "update-ref", "-d", ref_of(writer_of(ada)))
    assert "log-shrunk" in codes(bob.path)


def test_evidence_of_two_logs_is_checked_again(ada, bob):
    store = fetch_logs(bob)
    (leaves,) = store.segments(store.tip(ref_of(writer_of(ada))).files, [LEAVES])
    repository, writer = str(config_of(ada.path)["repository"]), writer_of(ada)
    other = [*leaves[:-1], leaves[0]]
    older, newer = [note_of(ada, repository, each) for each in (leaves, other)]
    evidence = prove(older, newer, merkle.Tree.of(leaves), repository, writer)
    assert evidence is not None
    folder = bob.path / ".git/sage/equivocations"
    folder.mkdir()
    (folder / f"{writer}.json").write_bytes(evidence.content)
    (folder / f"{'ab' * 32}.json").write_bytes(evidence.content)
    told = {each["code"]: each for each in findings(bob.path, "--complete")}
    assert told.keys() == {"equivocation", "evidence-unproven"}
    assert (told["equivocation"]["writer"], told["equivocation"]["severity"]) == (writer, "error")
    assert f"the writer {writer} signed two logs" in told["equivocation"]["message"]


def test_an_answer_names_who_certifies_the_writer_of_its_log(ada, bob, tmp_path):
    key = make_key(tmp_path)
    public = Path(f"{key}.pub").read_text().split()[:2]
    ada.write(".sage/allowed_signers", f"ada@example.org {' '.join(public)}\n")
    ada.commit("who may sign")
    sage(ada.path, "reconcile", "--all", "-m", "she may")
    sage(ada.path, "peer", "certify", "--key", str(key))
    publish(ada)
    bob.git("pull", "--quiet")
    fetch_logs(bob)
    answer = verified(bob.path, "--complete")
    assert answer["ok"]
    assert {each["certifiedBy"] for each in answer["answers"]} == {"ada@example.org"}
    said = run_sage("verify", cwd=bob.path).stdout
    assert "answers claimed, in a log that ada@example.org certifies" in said
