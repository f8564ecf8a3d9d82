"""The config that `init` finds, or writes and commits: exactly its two files, whatever else is staged.

Not here: what stands in a config (`judgement.policy`), and what a clone makes of it (`install`).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sage_git.chronicle.ids import ObjectId, RepositoryId
from sage_git.errors import ConfigError, GitFailed, NotHere, UsageError
from sage_git.gitrepo.repository import Repository
from sage_git.judgement.policy import (
    DEFAULT_SUFFIX,
    Identity,
    Mode,
    Policy,
    Rogue,
    Sidecars,
    parse_policy,
    render_policy,
)
from sage_git.operations.identity import Identity as CloneIdentity
from sage_git.storage.durable import make_directory, replace_file, told_as

CONFIG: Final = ".sage/config.toml"
SIGNERS: Final = ".sage/allowed_signers"
TO_COMMIT: Final = f"git add --force {CONFIG} {SIGNERS} && git commit"
"""What commits the config by hand, in spite of a `.gitignore` that ignores it."""
_SIGNERS_TEXT: Final = b"""\
# Whose signatures count, one a line as ssh-keygen(1) has it under ALLOWED SIGNERS:
# ada@example.org namespaces="sage-event@v1" ssh-ed25519 AAAA...
"""
_MESSAGE: Final = "Keep the history of every source with sage-git"
_OPERATIONS: Final = {
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "BISECT_LOG": "bisect",
}


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a new config is to say; None: the default."""

    suffix: str | None = None
    mode: Mode | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """A config: its policy, where it was read (a revision, or the work tree), and the commit that `init` just made."""

    policy: Policy
    source: str
    is_committed: bool
    is_new: bool = False
    commit: ObjectId | None = None


def ensure_config(repository: Repository, left: CloneIdentity | None, wanted: Preferences, *, commits: bool) -> Config:
    """The config of HEAD, else of another branch, else of the work tree, else a new one; committed if `commits`.

    A new one names the record that the clone has `left`, if it has one, as if it had never been taken away.
    Raises NotHere, UsageError, ConfigError, StorageError, GitFailed.
    """
    found = committed_config(repository)
    if found is None:
        found = _config_in_work_tree(repository)
    if found is not None:
        _refuse_contradiction(found.policy, wanted)
    if found is not None and (found.is_committed or not commits):
        return found
    if commits:
        _refuse_to_commit(repository)
    if found is None:
        found = _new_config(repository, left, wanted)
    if not commits:
        return found
    return Config(found.policy, "HEAD", is_committed=True, is_new=True, commit=_commit(repository))


def _refuse_contradiction(policy: Policy, wanted: Preferences) -> None:
    """Raise UsageError where a config that is there already says something else than is wanted."""
    for section, key, present, wish in (
        ("sidecars", "suffix", policy.sidecars.suffix, wanted.suffix),
        ("rogue", "mode", policy.rogue.mode, wanted.mode),
    ):
        if wish not in (None, present):
            raise UsageError(
                f"{CONFIG} has the {key} '{present}' already",
                remedy=f"change `{key}` under [{section}] in {CONFIG} and commit that",
            )


def committed_config(repository: Repository) -> Config | None:
    """The config in HEAD, or in the first branch that has one, local ones before remote ones. Raises ConfigError."""
    head = repository.head()
    content = repository.blob_at(head, CONFIG) if head else None
    if content is not None:
        return Config(parse_policy(content), "HEAD", is_committed=True)
    refs = repository.git("for-each-ref", "--format=%(refname)", "refs/heads", "refs/remotes").decode(
        "utf-8", "replace"
    )
    named = [ref for ref in refs.splitlines() if not ref.endswith("/HEAD")]
    asked = "".join(f"{ref}:{CONFIG}\n" for ref in named).encode()
    answers = repository.git("cat-file", "--batch-check=%(objectname) %(objecttype)", input=asked).splitlines()
    for ref, answer in zip(named, answers, strict=True):
        oid, _, kind = answer.decode("utf-8", "replace").partition(" ")
        if kind == "blob":
            return Config(parse_policy(repository.git("cat-file", "blob", oid)), ref, is_committed=True)
    return None


def _config_in_work_tree(repository: Repository) -> Config | None:
    path = _top(repository) / CONFIG
    with told_as(path, "read"):
        try:
            content = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
    return Config(parse_policy(content), CONFIG, is_committed=False)


def _new_config(repository: Repository, left: CloneIdentity | None, wanted: Preferences) -> Config:
    """Write a new config into the work tree: of the record that was `left`, or of one that begins at HEAD."""
    suffix = wanted.suffix or (left.suffix if left else DEFAULT_SUFFIX)
    _refuse_sagemath(repository, suffix)
    if left:
        identity = Identity(left.repository, left.since, left.backfill, left.rules)
    else:
        head = repository.head()
        identity = Identity(RepositoryId(secrets.token_hex(32)), head, _backfill(repository, head))
    rogue = Rogue(mode=wanted.mode) if wanted.mode else Rogue()
    content = render_policy(Policy(identity, Sidecars(suffix=suffix), rogue)).encode()
    try:
        policy = parse_policy(content)
    except ConfigError as problem:
        raise UsageError(f"'{suffix}' is not a suffix", remedy=str(problem.details[0])) from None
    top = _top(repository)
    make_directory(top / ".sage")
    if not (top / SIGNERS).exists():
        replace_file(top / SIGNERS, _SIGNERS_TEXT)
    replace_file(top / CONFIG, content)
    return Config(policy, CONFIG, is_committed=False, is_new=True)


def _backfill(repository: Repository, head: ObjectId | None) -> tuple[ObjectId, ...]:
    """The branch tips that HEAD does not contain, sorted: what they reach is recorded although it came before."""
    others = (f"--no-merged={head}",) if head else ()
    shown = repository.git(
        "for-each-ref", "--format=%(objecttype) %(objectname)", *others, "refs/heads", "refs/remotes"
    )
    tips = {line.split()[1] for line in shown.decode("ascii").splitlines() if line.startswith("commit ")}
    return tuple(ObjectId(tip) for tip in sorted(tips))


def _refuse_sagemath(repository: Repository, suffix: str) -> None:
    tracked = repository.git("ls-files", "-z").decode("utf-8", "replace").split("\0")
    clashing = [path for path in tracked if path.endswith(suffix)]
    if clashing:
        more = f" and {len(clashing) - 1} more" if len(clashing) > 1 else ""
        raise NotHere(
            f"{clashing[0]}{more} would look like a chronicle: SageMath uses {suffix} as well",
            remedy="sage-git init --suffix .chronicle.sage",
        )


def _refuse_to_commit(repository: Repository) -> None:
    """Raise NotHere where a commit now would end in the wrong place, or could not be made."""
    leave = "or write the config without committing it: sage-git init --no-commit"
    for name, operation in _OPERATIONS.items():
        if (repository.git_dir / name).exists():
            raise NotHere(
                f"a {operation} is not finished, and `init` has to commit", remedy=f"finish it first, {leave}"
            )
    if repository.git("ls-files", "--unmerged"):
        raise NotHere("files are in conflict, and `init` has to commit", remedy=f"resolve them first, {leave}")
    try:
        repository.git("symbolic-ref", "--quiet", "HEAD")
    except GitFailed:
        raise NotHere(
            "HEAD is detached: a commit here is on no branch", remedy=f"git switch -c BRANCH first, {leave}"
        ) from None
    try:
        repository.git("var", "GIT_COMMITTER_IDENT")
        repository.git("var", "GIT_AUTHOR_IDENT")
    except GitFailed:
        raise NotHere(
            "git does not know who you are, and `init` has to commit",
            remedy='git config --global user.name "Your Name"\ngit config --global user.email you@example.org',
        ) from None


def _commit(repository: Repository) -> ObjectId:
    """Commit the two files and nothing else, with no hook run; as before if git refuses. Raises GitFailed."""
    paths = [path for path in (CONFIG, SIGNERS) if (_top(repository) / path).is_file()]
    repository.git("add", "--force", "--sparse", "--intent-to-add", "--", *paths)
    quietly = ("-c", "core.hooksPath=/dev/null", "commit", "--quiet")
    try:
        repository.git(*quietly, "--only", "--message", _MESSAGE, "--", *paths)
    except GitFailed:
        repository.git("rm", "--quiet", "--force", "--cached", "--sparse", "--", *paths)
        raise
    head = repository.head()
    assert head is not None
    return head


def _top(repository: Repository) -> Path:
    assert repository.work_tree is not None
    return repository.work_tree
