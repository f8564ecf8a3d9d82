"""docs/peers.md: the worked example is what the code makes of a key that everybody can make."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sage_git.chronicle.ids import EventId, RepositoryId, leaf
from sage_git.proof import checkpoint as checkpoints
from sage_git.proof.checkpoint import Checkpoint
from sage_git.proof.introduction import Introduction
from sage_git.proof.merkle import Tree, check_inclusion, leaf_hash

DOCUMENT = Path(__file__).parents[3] / "docs/peers.md"
REPOSITORY = "6f1c2a9e"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
WRITER = KEY.public_key().public_bytes_raw().hex()
LEAVES = [leaf(EventId(digit * 64)) for digit in "ab"]


def example() -> str:
    """The example as the document shows it."""
    tree = Tree.of(LEAVES)
    origin = checkpoints.origin_of(REPOSITORY, WRITER)
    note = checkpoints.issue(Checkpoint(origin, 2, tree.root()), KEY).decode()
    parts = [
        ("writer.json", Introduction(WRITER, RepositoryId(REPOSITORY)).content.decode()),
        ("leaves/000", "".join(f"{each.decode()}\n" for each in LEAVES)),
        ("hash of the first leaf", f"{leaf_hash(LEAVES[0]).hex()}\n"),
        ("root", f"{tree.root().hex()}\n"),
        ("checkpoint", note),
    ]
    return "\n".join(f"{name}:\n{text}" for name, text in parts)


def test_the_worked_example_is_what_we_write():
    assert f"```\n{example()}```\n" in DOCUMENT.read_text(encoding="utf-8")


def test_the_worked_example_proves_what_it_says():
    tree = Tree.of(LEAVES)
    check_inclusion(LEAVES[0], 0, 2, tree.root(), tree.inclusion(0))
