"""`prove`, `bundle` and `check-proof`: what a stranger can be shown with one file, and what nobody can."""

from __future__ import annotations

import io
import json
import os
import random
import zipfile
from pathlib import Path

import pytest

import sage_git
from sage_git.errors import ProofFailed
from sage_git.operations.checkout import Checkout
from sage_git.operations.exchange.trees import own_tree
from sage_git.operations.proving import archive
from sage_git.operations.proving.checking import check_proof
from sage_git.operations.proving.unbundling import check_bundle
from sage_git.proof.checkpoint import Checkpoint, claimed, issue
from sage_git.proof.equivocation import prove as prove_equivocation
from sage_git.proof.tlog_proof import Proof
from sage_git.storage.keys import load_key, writer_id
from tests.kit import GitRepository, run_sage
from tests.signing import make_key, needs_ssh_keygen, public_of

NOW = 1_790_000_000


def step(action="lint", **fields):
    return {"action": action, "actor": {"agent": "test", "id": "ada"}} | fields


def appended(repository, action, **fields):
    """The event that is in the repository's log now."""
    with sage_git.open_log(repository.path) as log:
        event = log.read(log.append(step(action, **fields)))
    assert event is not None
    assert event.event_id is not None
    return event


def made(*arguments: str, cwd: Path):
    finished = run_sage(*arguments, cwd=cwd)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def events(repository, *arguments):
    return [json.loads(line) for line in made("log", "--json", *arguments, cwd=repository.path).splitlines()]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A clone with an approved plan, a covered edit, an unplanned one that was answered for, and a statement."""
    repository = GitRepository.create(tmp_path_factory.mktemp("proving") / "repository")
    repository.commit("first", **{"src/foo.py": "x = 1\n", "bar.py": "y = 1\n"})
    made("init", cwd=repository.path)
    made("plan", "draft", "--id", "tidy", "--summary", "tidy up", "--scope", "src/**", cwd=repository.path)
    made("plan", "approve", "tidy", "-m", "fine", cwd=repository.path)
    made("plan", "use", "tidy", cwd=repository.path)
    repository.commit("planned", **{"src/foo.py": "x = 2\n"})
    made("plan", "done", "tidy", cwd=repository.path)
    repository.commit("unplanned", **{"src/foo.py": "x = 3\n", "bar.py": "y = 2\n"})
    made("reconcile", "src/foo.py", "-m", "looked at it", cwd=repository.path)
    with sage_git.open_log(repository.path) as log:
        log.append(step("read it", subject="src/foo.py"))
    return repository


@pytest.fixture(scope="module")
def ids(recorded):
    """The writer and the repository, as whoever checks is told them by phone."""
    with Checkout.open(recorded.path, os.environ) as checkout:
        return writer_id(checkout.sage), checkout.known_identity().repository


@pytest.fixture(scope="module")
def proof(recorded, tmp_path_factory):
    """A proof of the covered edit."""
    path = tmp_path_factory.mktemp("given") / "edit.tlog-proof"
    edit = next(event for event in events(recorded, "src/foo.py")[::-1] if event["type"] == "FILE_EDITED")
    made("prove", edit["eventId"][:12], "-o", str(path), cwd=recorded.path)
    return edit, path


@pytest.fixture(scope="module")
def bundle(recorded, tmp_path_factory):
    path = tmp_path_factory.mktemp("given") / "foo.zip"
    made("bundle", "src/foo.py", "-o", str(path), cwd=recorded.path)
    return path


@pytest.fixture
def nowhere(tmp_path):
    """A folder in no repository."""
    path = tmp_path / "nowhere"
    path.mkdir()
    return path


def test_a_stranger_checks_a_proof_with_the_file_and_the_key_alone(proof, ids, nowhere):
    (edit, path), (writer, repository) = proof, ids
    shown = made("check-proof", str(path), "--key", writer, "--repository", repository, cwd=nowhere)
    assert edit["eventId"] in shown
    assert edit["graphCommit"] in shown
    assert "edited src/foo.py" in shown
    assert shown.count("as you gave it") == 2
    assert "only the file says so" not in shown
    answer = json.loads(made("check-proof", str(path), "--key", writer, "--json", cwd=nowhere))
    assert answer["ok"]
    assert answer["event"] == {name: edit[name] for name in answer["event"]}
    assert (answer["writerGiven"], answer["repositoryGiven"]) == (True, False)


def test_who_gives_no_key_is_told_that_only_the_file_says_whose_it_is(proof, nowhere):
    shown = made("check-proof", str(proof[1]), cwd=nowhere)
    assert shown.count("only the file says so") == 2
    assert "Anybody can make up a key" in shown


def test_a_proof_of_another_writer_or_repository_than_the_one_given_is_refused(proof, ids, nowhere):
    wrong = (("--key", "ab" * 32, "not by the writer"), ("--repository", "cd" * 32, f"not of {'cd' * 32}"))
    for option, value, why in wrong:
        refused = run_sage("check-proof", str(proof[1]), option, value, cwd=nowhere)
        assert refused.returncode == 1
        assert why in refused.stderr
    for option in ("--key", "--repository"):
        assert run_sage("check-proof", str(proof[1]), option, "no id", cwd=nowhere).returncode == 2


def test_no_bit_of_a_proof_file_can_be_flipped_the_event_in_it_included(proof):
    content = proof[1].read_bytes()
    assert check_proof(content).event_id == proof[0]["eventId"]
    for at in range(8 * len(content)):
        touched = bytearray(content)
        touched[at // 8] ^= 1 << at % 8
        with pytest.raises(ProofFailed):
            check_proof(bytes(touched))


def test_a_proof_does_not_show_another_event(proof):
    whole = Proof.parse(proof[1].read_bytes())
    other = {**json.loads(whole.extra), "filePath": "another.py"}
    for fields in (other, {name: other[name] for name in other if name != "eventId"}):
        with pytest.raises(ProofFailed):
            check_proof(Proof(whole.index, whole.hashes, whole.checkpoint, sage_git.canonical_json(fields)).content)
    for extra in (b"", b"null", b"[]", b"{}", b"{", whole.extra + b" "):
        with pytest.raises(ProofFailed):
            check_proof(Proof(whole.index, whole.hashes, whole.checkpoint, extra).content)


def test_every_event_of_a_log_can_be_proved_through_sealed_segments(repository, sage):
    repository.commit("first", **{"foo.py": "x = 1\n"})
    made("init", cwd=repository.path)
    repository.commit("many", **{f"new{number}.py": "y = 1\n" for number in range(280)})
    for event in events(repository)[::40]:
        answer = json.loads(sage("prove", event["eventId"], "-o", "a.tlog-proof", "--json").stdout)
        assert answer["size"] > 256
        assert answer == json.loads(sage("prove", event["eventId"], "-o", "a.tlog-proof", "--json").stdout)
        assert check_proof((repository.path / "a.tlog-proof").read_bytes()).number == answer["entry"]


def test_an_event_of_another_writer_is_proved_by_what_that_writer_signed(recorded, ids, tmp_path):
    hub = tmp_path / "hub.git"
    recorded.git("clone", "-q", "--bare", ".", str(hub))
    clone = GitRepository.create(tmp_path / "clone")
    clone.git("fetch", "-q", str(hub), "main")
    clone.git("checkout", "-q", "-b", "main", "FETCH_HEAD")
    made("init", cwd=clone.path)
    said = appended(recorded, "said over there")
    made("sync", str(hub), cwd=recorded.path)
    made("sync", str(hub), cwd=clone.path)
    answer = json.loads(made("prove", said.event_id, "--json", cwd=clone.path))
    assert answer["writer"] == ids[0]
    assert check_proof((clone.path / answer["file"]).read_bytes()).event == said


def test_what_cannot_be_proved_is_refused_with_what_to_do(recorded, proof):
    refused = run_sage("prove", proof[0]["graphCommit"], cwd=recorded.path)
    assert (refused.returncode, "is a commit" in refused.stderr) == (2, True)
    assert run_sage("prove", "0000", cwd=recorded.path).returncode == 3
    secret = appended(recorded, "a secret").event_id
    made("redact", secret, "-m", "it was one", cwd=recorded.path)
    refused = run_sage("prove", secret, cwd=recorded.path)
    assert (refused.returncode, "redacted" in refused.stderr) == (3, True)


def test_nothing_in_a_proof_reaches_the_terminal_unescaped(recorded, nowhere):
    with sage_git.open_log(recorded.path) as log:
        hostile = log.append(step("\x1b[31mred\u202e", actor={"agent": "\x1b]0;title\x07", "id": "\x9b2J"}))
        (nowhere / "hostile.tlog-proof").write_bytes(log.proof(hostile))
    for form in ((), ("--json",)):
        shown = made("check-proof", "hostile.tlog-proof", *form, cwd=nowhere)
        assert not {"\x1b", "\u202e", "\x9b", "\x07"}.intersection(shown)
        assert "red" in shown


def test_a_bundle_has_a_sources_whole_case(bundle, recorded, ids, nowhere):
    answer = json.loads(made("check-proof", str(bundle), "--key", ids[0], "--json", cwd=nowhere))
    assert answer["ok"], answer["flaws"]
    assert (answer["path"], answer["unproved"], answer["missing"]) == ("src/foo.py", [], [])
    kinds = [event["type"] for event in answer["events"]]
    assert kinds.count("FILE_EDITED") == 2
    assert {"ROGUE_EDIT_DETECTED", "RECONCILIATION", "AGENT_ACTION"} <= set(kinds)
    assert [event["type"] for event in answer["named"]] == ["PLAN_DRAFTED", "PLAN_APPROVED"]
    assert len(answer["proved"]) == len(answer["events"]) + len(answer["named"])
    assert answer["writers"] == [{"writer": ids[0], "writerGiven": True, "certifiedBy": ""}]
    shown = made("check-proof", str(bundle), "--key", ids[0], cwd=nowhere)
    assert "src/foo.py" in shown


def test_every_proof_in_a_bundle_suffices_alone(bundle, nowhere):
    files = archive.unpacked(bundle.read_bytes())
    proofs = {name: content for name, content in files.items() if name.endswith(".tlog-proof")}
    for name, content in proofs.items():
        assert check_proof(content).event_id in name
    assert len(proofs) > 5


def test_the_same_record_makes_the_same_bundle(recorded, tmp_path):
    contents = []
    for number in range(2):
        path = tmp_path / f"{number}.zip"
        made("bundle", "bar.py", "-o", str(path), cwd=recorded.path)
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]
    files = archive.unpacked(contents[0])
    assert archive.packed(dict(sorted(files.items(), reverse=True))) == contents[0]


def test_a_bundle_of_a_redacted_event_proves_that_it_was_there(repository, sage):
    repository.commit("first", **{"foo.py": "x = 1\n"})
    made("init", cwd=repository.path)
    secret = appended(repository, "a secret", subject="foo.py").event_id
    made("redact", secret, "-m", "it was one", cwd=repository.path)
    made("bundle", "foo.py", cwd=repository.path)
    content = (repository.path / "foo.py.evidence.zip").read_bytes()
    assert b"a secret" not in content
    checked = check_bundle(content, NOW)
    assert checked.flaws == ()
    assert checked.proved[secret].event is None


def flaws_of(files):
    return check_bundle(archive.packed(files), NOW).flaws


def test_whatever_is_changed_in_a_bundle_is_found(bundle):
    files = archive.unpacked(bundle.read_bytes())
    assert flaws_of(files) == ()
    proofs = sorted(name for name in files if name.startswith("proofs/"))
    chronicle = files["chronicle.sage"].split(b"\n")
    assert flaws_of({name: content for name, content in files.items() if name != proofs[0]})
    assert flaws_of({**files, proofs[0]: files[proofs[1]]})
    assert flaws_of({**files, "chronicle.sage": b"\n".join(chronicle[1:])})
    assert flaws_of({**files, f"proofs/{'ab' * 32}.tlog-proof": files[proofs[0]]})
    assert flaws_of({**files, "notes.txt": b"trust me"})
    assert flaws_of({**files, "bundle.json": files["bundle.json"].replace(b"src/foo.py", b"src/fox.py")})
    assert flaws_of({name: content for name, content in files.items() if not name.startswith("writers/")})
    for broken in (
        {name: content for name, content in files.items() if name != "bundle.json"},
        {**files, "bundle.json": files["bundle.json"] + b" "},
        {**files, "bundle.json": b"[" * 100_000},
        {**files, "chronicle.sage": files["chronicle.sage"][:-1]},
        {**files, "chronicle.sage": b"{}}\n"},
    ):
        with pytest.raises(ProofFailed):
            flaws_of(broken)


def test_a_bundle_with_a_flaw_exits_with_1_and_names_the_file(bundle, nowhere):
    files = archive.unpacked(bundle.read_bytes())
    (nowhere / "touched.zip").write_bytes(archive.packed({**files, "chronicle.sage": b""}))
    checked = run_sage("check-proof", "touched.zip", cwd=nowhere)
    assert checked.returncode == 1
    assert "wrong       proofs/" in checked.stdout


def test_a_bit_that_is_flipped_in_a_bundle_is_found_or_says_nothing(bundle):
    """Who may sign, and whose a writer is, is as the bundle has it: all else is proved, or is packaging."""
    content = bundle.read_bytes()
    before = {name: file for name, file in archive.unpacked(content).items() if name != "allowed_signers"}
    chosen = random.Random(7)
    for _ in range(300):
        at = chosen.randrange(8 * len(content))
        touched = bytearray(content)
        touched[at // 8] ^= 1 << at % 8
        try:
            if check_bundle(bytes(touched), NOW).flaws:
                continue
        except ProofFailed:
            continue
        after = archive.unpacked(bytes(touched))
        assert {name: file for name, file in after.items() if name != "allowed_signers"} == before


def zipped(*files, compression=zipfile.ZIP_STORED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as made:
        for name, text in files:
            made.writestr(name, text)
    return content.getvalue()


HOSTILE = {
    "bomb": zipped(("bundle.json", b"\0" * 50_000_000), compression=zipfile.ZIP_DEFLATED),
    "climbing": zipped(("../../etc/passwd", b"")),
    "absolute": zipped(("/etc/passwd", b"")),
    "long name": zipped(("a" * 60_000, b"")),
    "not ASCII": zipped(("bündel.json", b"")),
    "truncated": zipped(("bundle.json", b"{}"))[:-10],
    "only a beginning": b"PK\x03\x04",
    "encrypted": zipped(("bundle.json", b"{}")).replace(
        b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_archive_is_refused(kind, nowhere):
    with pytest.raises(ProofFailed):
        archive.unpacked(HOSTILE[kind])
    (nowhere / "hostile.zip").write_bytes(HOSTILE[kind])
    assert run_sage("check-proof", "hostile.zip", cwd=nowhere).returncode == 1
    assert [path.name for path in nowhere.rglob("*")] == ["hostile.zip"]


def test_an_archive_with_too_many_files_or_bytes_is_refused(monkeypatch):
    content = zipped(*(("a" * number, b"") for number in range(1, 5)))
    assert len(archive.unpacked(content)) == 4
    monkeypatch.setattr(archive, "MAX_FILES", 3)
    with pytest.raises(ProofFailed, match="more than 3 files"):
        archive.unpacked(content)
    monkeypatch.setattr(archive, "MAX_BYTES", len(content) - 1)
    with pytest.raises(ProofFailed, match="larger"):
        archive.unpacked(content)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_and_files_over_one_another_are_refused():
    with pytest.raises(ProofFailed, match="two files of one name"):
        archive.unpacked(zipped(("bundle.json", b"{}"), ("bundle.json", b"[]")))
    content = bytearray(zipped(*((f"writers/{number:064x}.json", b"x" * 1_000) for number in range(8))))
    first = content.index(b"PK\x01\x02")
    for at in range(first, len(content)):  # every entry is said to lie where the first one does, and to be longer
        if content[at : at + 4] == b"PK\x01\x02":
            content[at + 20 : at + 28] = (10_000).to_bytes(4, "little") * 2
    with pytest.raises(ProofFailed, match="over one another"):
        archive.unpacked(bytes(content))


@pytest.mark.parametrize("content", [b"", b"hello", b"{}", b"c2sp.org/tlog-proof@v1", b"\x1f\x8b", b"{" * 100_000])
def test_a_file_that_is_no_proof_is_refused(content, nowhere):
    (nowhere / "file").write_bytes(content)
    assert run_sage("check-proof", "file", cwd=nowhere).returncode == 1


def test_a_file_that_is_not_there_is_an_error_that_says_so(nowhere):
    refused = run_sage("check-proof", "nothing", cwd=nowhere)
    assert (refused.returncode, "nothing" in refused.stderr) == (4, True)
    assert run_sage("check-proof", ".", cwd=nowhere).returncode == 4


def test_evidence_against_a_writer_can_be_checked_by_anybody(recorded, ids, nowhere):
    with Checkout.open(recorded.path, os.environ) as checkout:
        tree, key = own_tree(checkout), load_key(checkout.sage)
    origin = f"sage/{ids[1]}/{ids[0]}"
    true = issue(Checkpoint(origin, tree.size, tree.root()), key)
    false = issue(Checkpoint(origin, tree.size - 2, b"\1" * 32), key)
    evidence = prove_equivocation(false, true, tree, ids[1], ids[0])
    assert evidence is not None
    (nowhere / "evidence.json").write_bytes(evidence.content)
    shown = made("check-proof", "evidence.json", "--key", ids[0], cwd=nowhere)
    assert "whose first" in shown
    assert "as you gave it" in shown
    assert run_sage("check-proof", "evidence.json", "--key", "ab" * 32, cwd=nowhere).returncode == 1
    assert claimed(true).size == tree.size


@needs_ssh_keygen
def test_a_bundle_says_who_signed_and_whose_the_writers_are(repository, sage, tmp_path):
    key = make_key(tmp_path)
    repository.commit("first", **{"foo.py": "x = 1\n"})
    made("init", cwd=repository.path)
    line = f"ada@example.org {public_of(key)}\n"
    repository.commit("signers", **{".sage/allowed_signers": line})
    made("plan", "draft", "--id", "tidy", "--summary", "tidy", "--scope", "**", cwd=repository.path)
    made("plan", "approve", "tidy", "-m", "fine", "--sign", "--key", str(key), cwd=repository.path)
    made("peer", "certify", "--key", str(key), cwd=repository.path)
    made("plan", "use", "tidy", cwd=repository.path)
    repository.commit("planned", **{"foo.py": "x = 2\n"})
    made("bundle", "foo.py", cwd=repository.path)
    answer = json.loads(made("check-proof", "foo.py.evidence.zip", "--json", cwd=repository.path))
    assert answer["ok"], answer["flaws"]
    assert [each["assurance"] for each in answer["signatures"]] == ["signed"]
    assert answer["writers"][0]["certifiedBy"] == "ada@example.org"
    shown = made("check-proof", "foo.py.evidence.zip", cwd=repository.path)
    assert "certified by ada@example.org" in shown
