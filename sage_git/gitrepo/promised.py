"""Objects that a partial clone was promised and does not have: which a commit's facts need, and fetching them."""

from __future__ import annotations

from collections.abc import Sequence

from sage_git.chronicle.ids import ObjectId
from sage_git.errors import GitFailed
from sage_git.gitrepo.repository import Repository
from sage_git.gitrepo.scratch import Scratch
from sage_git.observation.changes import SUBMODULE_MODE


def missing_blobs(scratch: Scratch, commits: Sequence[ObjectId]) -> dict[ObjectId, list[ObjectId]]:
    """For each commit whose differences name blobs that are not here, those blobs. Trees must be here (GitFailed)."""
    asked = "".join(f"{oid}\n" for oid in commits).encode("ascii")
    flags = ("-r", "--root", "-m", "--always", "--raw", "-z", "--no-abbrev", "--no-renames", "--ignore-submodules=none")
    shown = scratch.run("diff-tree", "--stdin", *flags, input=asked)
    needed: dict[ObjectId, dict[ObjectId, None]] = {oid: {} for oid in commits}
    commit = ObjectId("")
    fields = iter(shown.split(b"\0"))
    for entry in fields:
        if entry.startswith(b":"):
            old_mode, new_mode, old_id, new_id, _ = entry[1:].split(b" ")
            for mode, oid in ((old_mode, old_id), (new_mode, new_id)):
                if mode.decode("ascii") != SUBMODULE_MODE and oid.strip(b"0"):
                    needed[commit][ObjectId(oid.decode("ascii"))] = None
            next(fields)
        elif entry:
            commit = ObjectId(entry.decode("ascii").split()[0])
    sizes = scratch.sizes(list(dict.fromkeys(blob for blobs in needed.values() for blob in blobs)))
    lacking = {commit: [blob for blob in blobs if sizes[blob] is None] for commit, blobs in needed.items()}
    return {commit: blobs for commit, blobs in lacking.items() if blobs}


def fetch(repository: Repository, blobs: Sequence[ObjectId]) -> bool:
    """True if the promising remote gave `blobs`, asked in one request as git itself would when it needed them."""
    try:
        remote = repository.git("config", "--get", "extensions.partialClone").decode().strip()
    except GitFailed:
        try:
            shown = repository.git("config", "--name-only", "--get-regexp", r"^remote\..*\.promisor$").decode()
            remote = shown.split("\n")[0].removeprefix("remote.").removesuffix(".promisor")
        except GitFailed:
            return False
    quiet = ("--no-tags", "--no-write-fetch-head", "--recurse-submodules=no", "--filter=blob:none", "--quiet")
    asked = "".join(f"{blob}\n" for blob in dict.fromkeys(blobs)).encode("ascii")
    try:
        repository.git(
            "-c", "fetch.negotiationAlgorithm=noop", "fetch", *quiet, "--stdin", remote, input=asked, locks=True
        )
    except GitFailed:
        return False
    return True
