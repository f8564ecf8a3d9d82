"""A verifier that is not ours, Go's sumdb/note and tlog, accepts what sage-git signs and proves, and proves the same.

Needs Go and golang.org/x/mod; on Debian: apt-get install golang-go golang-golang-x-mod-dev
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from sage_git.operations.checkout import Checkout
from sage_git.operations.exchange.trees import own_tree
from sage_git.proof.checkpoint import claimed
from sage_git.proof.merkle import Tree
from sage_git.proof.note import verifier_key
from sage_git.proof.tlog_proof import Proof

GO_PATH = Path("/usr/share/gocode")
SOURCE = Path(__file__).with_name("verifier.go")
needs_go = pytest.mark.skipif(
    shutil.which("go") is None or not (GO_PATH / "src/golang.org/x/mod/sumdb/tlog").is_dir(),
    reason="Go and golang.org/x/mod are not installed (apt-get install golang-go golang-golang-x-mod-dev)",
)
pytestmark = needs_go

Verifier = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Verifier:
    folder = tmp_path_factory.mktemp("go")
    program = folder / "verifier"
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": str(GO_PATH), "GOCACHE": str(folder / "cache")}
    subprocess.run(["go", "build", "-o", str(program), str(SOURCE)], env=environment, check=True, timeout=300)

    def run(*arguments: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
        words = [str(program), *map(str, arguments)]
        return subprocess.run(words, input=stdin, capture_output=True, text=True, check=False, timeout=60)

    return run


@pytest.fixture
def recorded(repository, sage):
    repository.commit("first", **{"foo.py": "x = 1\n"})
    assert sage("init").returncode == 0
    for number in range(4):
        repository.commit(f"edit {number}", **{"foo.py": f"x = {number + 2}\n", f"new{number}.py": "y = 1\n"})
    return repository


def proved(sage, path: Path) -> tuple[str, Path]:
    """The newest event, and the file that proves it."""
    event = json.loads(sage("log", "--json", "-n", "1").stdout.splitlines()[0])["eventId"]
    made = sage("prove", event, "-o", str(path))
    assert made.returncode == 0, made.stderr
    return event, path


def key_of(proof: Path) -> str:
    """The writer's key as Go wants it."""
    origin = claimed(Proof.parse(proof.read_bytes()).checkpoint).origin
    return verifier_key(origin, bytes.fromhex(origin.rpartition("/")[2]))


def test_go_accepts_a_proof_of_a_real_log_and_nothing_that_was_touched(recorded, sage, verifier, tmp_path):
    event, proof = proved(sage, tmp_path / "event.tlog-proof")
    key = key_of(proof)
    leaf = f'{{"eventId":"{event}"}}'
    accepted = verifier("inclusion", key, proof, leaf)
    assert accepted.returncode == 0, accepted.stderr
    assert verifier("inclusion", key, proof, leaf.replace("eventId", "eventid")).returncode == 1
    whole = Proof.parse(proof.read_bytes())
    touched = Proof(whole.index, tuple(bytes([each[0] ^ 1]) + each[1:] for each in whole.hashes), whole.checkpoint)
    proof.write_bytes(touched.content)
    assert verifier("inclusion", key, proof, leaf).returncode == 1
    proof.write_bytes(Proof(whole.index, whole.hashes, whole.checkpoint.replace(b"sage", b"egas", 1)).content)
    assert verifier("inclusion", key, proof, leaf).returncode == 1


def test_go_accepts_that_a_real_log_grew(recorded, sage, verifier, tmp_path):
    _, before = proved(sage, tmp_path / "before.tlog-proof")
    key = key_of(before)
    recorded.commit("more", **{f"more{number}.py": "z = 1\n" for number in range(300)})
    _, after = proved(sage, tmp_path / "after.tlog-proof")
    notes = [Proof.parse(each.read_bytes()).checkpoint for each in (before, after)]
    for path, note in zip((before, after), notes, strict=True):
        path.write_bytes(note)
    old, new = (claimed(note).size for note in notes)
    assert old < 256 < new, "through a sealed segment into the unsealed end"
    with Checkout.open(recorded.path, os.environ) as checkout:
        proof = own_tree(checkout).consistency(old, new)
    hashes = [b64encode(each).decode() for each in proof]
    grown = verifier("consistency", key, before, after, stdin="\n".join(hashes) + "\n")
    assert grown.returncode == 0, grown.stderr
    assert verifier("consistency", key, before, after, stdin="\n".join(hashes[::-1]) + "\n").returncode == 1
    assert verifier("consistency", key, after, before, stdin="\n".join(hashes) + "\n").returncode == 1


def test_go_makes_the_same_trees_and_the_same_proofs(verifier):
    leaves = [f"leaf {number}".encode() for number in range(140)]
    printed = verifier("trees", len(leaves)).stdout.splitlines()
    whole = Tree.of(leaves)
    for size, line in enumerate(printed, 1):
        theirs = json.loads(line)
        assert whole.root_at(size) == b64decode(theirs["Root"])
        for index in range(size):
            assert whole.inclusion(index, size) == list(map(b64decode, theirs["Inclusion"][index] or []))
            assert whole.consistency(index + 1, size) == list(map(b64decode, theirs["Consistency"][index] or []))
    assert len(printed) == len(leaves)
