"""A developer's checkout in which somebody has a shell, and what of that docs/threat-model.md says will happen.

`Shell` is the checkout: a plan `parser` for src/ is approved by Rae, who reviews elsewhere, one planned commit is made,
nothing is open. `rows()` are the document's rows; `Shell.measured` gives the same words for what did happen.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Self

import rfc8785

from tests.kit import FIRST_COMMIT_AT, GitRepository, run_here

DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "threat-model.md"
POLICIES: Final = ("warn", "block", "signed")
WORDS: Final = frozenset(("prevented", "recorded", "found", "warned", "unchecked", "claimed", "not seen"))
NO_HOOKS: Final = ("-c", "core.hooksPath=/dev/null")
AGENT: Final = {"agent": "agent", "id": "Ada Lovelace <ada@example.org>"}
REVIEWER: Final = "rae@example.org"
Files = Mapping[str, str | bytes | None]
"""What is written by path; None removes."""
NO_FILES: Final[Files] = MappingProxyType({})
_SETTINGS: Final[Mapping[str, Mapping[str, str]]] = {
    "warn": {},
    "block": {'mode = "warn"': 'mode = "block"'},
    "signed": {'mode = "warn"': 'mode = "block"', "signed = false": "signed = true"},
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the document: the test that shows it, and per policy the words for what happens."""

    test: str
    cells: Mapping[str, frozenset[str]]

    def policies(self) -> list[str]:
        """Those under which the test runs: for each different cell the strictest; the weakest that prevents."""
        if "SAGE_SOAK" in os.environ:
            return list(POLICIES)
        chosen: dict[frozenset[str], str] = {}
        for policy in POLICIES:
            if self.cells[policy] != {"prevented"} or self.cells[policy] not in chosen:
                chosen[self.cells[policy]] = policy
        return list(chosen.values())


def rows() -> Iterator[Row]:
    """The rows of the document's tables that name a test."""
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and (named := re.fullmatch(r"`(test_\w+)`", cells[4])):
            words = (frozenset(word.strip() for word in cell.split(",")) for cell in cells[1:4])
            yield Row(named[1], dict(zip(POLICIES, words, strict=True)))


class Shell:
    """The developer's checkout under one policy; whoever uses it has the developer's rights, but no key of Rae's."""

    def __init__(self, repository: GitRepository, policy: str, clock: Iterator[int]) -> None:
        self.repository = repository
        self.path = repository.path
        self.sage_dir = repository.path / ".git" / "sage"
        self.policy = policy
        self.reviewers_key = repository.path.parent / "rae"
        self.approval = ""
        self.was_refused = False
        self._clock = clock

    @classmethod
    def begin(cls, folder: Path, policy: str, settings: Mapping[str, str] = MappingProxyType({})) -> Self:
        """The checkout in `folder`, as an agent finds it; `settings` are replaced in its config as well."""
        clock = itertools.count()
        repository = GitRepository(folder / "repository", clock)
        GitRepository.create(repository.path)
        shell = cls(repository, policy, clock)
        make_key(shell.reviewers_key)
        files = {"src/app.py": lines("app"), "src/parser.py": lines("parser"), "docs/guide.md": lines("guide")}
        repository.commit("before the record", **files)
        assert shell.sage("init", "--no-commit") == 0, shell.said
        config = repository.read(".sage/config.toml")
        for old, new in {**_SETTINGS[policy], **settings}.items():
            assert old in config
            config = config.replace(old, new)
        signer = f"{REVIEWER} {public(shell.reviewers_key)}\n"
        repository.commit("keep a record", **{".sage/config.toml": config, ".sage/allowed_signers": signer})
        shell.draft("parser", "src/**")
        shell.approval = shell.approve("parser", key=shell.raes_key)
        assert shell.commit(plan="parser", files={"src/app.py": lines("planned")})
        return shell

    def copy(self, folder: Path) -> Shell:
        """The same checkout in `folder`, for one test to spoil."""
        shutil.copytree(self.path.parent, folder, symlinks=True, dirs_exist_ok=True)
        clock = itertools.count(next(self._clock))
        shell = Shell(GitRepository(folder / "repository", clock), self.policy, clock)
        shell.approval = self.approval
        return shell

    # -- what the agent does -----------------------------------------------------------------------------------------

    def clock_to(self, hour: int, minute: int) -> None:
        """Let time pass until then, on the first day."""
        while next(self._clock) < 60 * hour + minute:
            pass

    def git(self, *arguments: str, env: Mapping[str, str] | None = None, stdin: str = "") -> str:
        """What git prints; `was_refused` tells whether it did what it was asked to."""
        shown = self.repository.git(*arguments, check=False, env=env, stdin=stdin)
        self.was_refused = self.repository.status != 0
        return shown

    def commit(
        self,
        *options: str,
        message: str = "change",
        plan: str = "",
        approval: str = "",
        env: Mapping[str, str] | None = None,
        hooks: Sequence[str] = (),
        files: Files = NO_FILES,
    ) -> bool:
        """Write `files` and commit all, perhaps in the name of a plan; True if git did."""
        for path, content in files.items():
            if content is None:
                (self.path / path).unlink()
            else:
                self.repository.write(path, content)
        self.git("add", "--all")
        claim = f"\n\nSage-Plan: {plan} {approval or self.approval}" if plan else ""
        named = {"SAGE_PLAN": plan} if plan else {}
        self.git(*hooks, "commit", "-q", *options, "-m", message + claim, env={**named, **(env or {})})
        return not self.was_refused

    def sage(self, *arguments: str, env: Mapping[str, str] | None = None) -> int:
        """The exit status of `sage-git …` at the time of the clock; `said` has what it printed."""
        now = FIRST_COMMIT_AT + timedelta(minutes=next(self._clock))
        finished = run_here("-C", str(self.path), *arguments, now=now, environment={**os.environ, **(env or {})})
        self.said = finished.stdout + finished.stderr
        return finished.returncode

    def answer(self, *arguments: str) -> str:
        """What `sage-git …` prints, whatever its exit status."""
        self.sage(*arguments)
        return self.said

    def slip(self, files: Files = NO_FILES, plan: str = "") -> str:
        """Commit `files`, or a rogue edit, past the gate, and have it recorded; the commit's id."""
        assert self.commit(hooks=NO_HOOKS, plan=plan, files=files or {"src/app.py": lines("rogue")})
        self.sage("record")
        return self.repository.head

    # -- what people say ---------------------------------------------------------------------------------------------

    def draft(self, plan: str, *scope: str, expires_at: str = "") -> str:
        """Draft `plan`; its hash."""
        what: dict[str, Any] = {
            "planId": plan,
            "summary": f"work on the {plan}",
            "steps": ["work"],
            "scope": list(scope),
        }
        what |= {"expiresAt": expires_at} if expires_at else {}
        self.say("PLAN_DRAFTED", **what, planHash=hashlib.sha256(rfc8785.dumps(what)).hexdigest())
        return self.plan_hash(plan)

    def approve(self, plan: str, by: str = REVIEWER, key: Path | None = None, **more: Any) -> str:
        """Approve `plan` as `by` claims to be; the approval's id."""
        return self.say("PLAN_APPROVED", key=key, **self.approval_of(plan, by), **more)

    def approval_of(self, plan: str, by: str = REVIEWER) -> dict[str, Any]:
        """What a PLAN_APPROVED says."""
        payload = {"planId": plan, "planHash": self.plan_hash(plan), "reviewerId": by, "justification": "read it"}
        return {"actor": {"agent": "git", "id": f"Reviewer <{by}>"}, **payload}

    def deny(self, plan: str) -> str:
        """Deny `plan`, which Rae does; the denial's id."""
        payload = {"planId": plan, "planHash": self.plan_hash(plan), "reviewerId": REVIEWER, "reason": "no"}
        return self.say("PLAN_DENIED", {"agent": "git", "id": f"Rae <{REVIEWER}>"}, self.raes_key, **payload)

    def complete(self, plan: str) -> str:
        """End `plan`, which Rae does; the statement's id."""
        payload = {"planId": plan, "planHash": self.plan_hash(plan), "reviewerId": REVIEWER}
        who = {"agent": "git", "id": f"Rae <{REVIEWER}>"}
        return self.say("RECONCILIATION", who, self.raes_key, reconciliationStrategy="completed", **payload)

    @property
    def raes_key(self) -> Path | None:
        """The reviewer's key, where the policy wants her to sign. Not for whom has the shell."""
        return self.reviewers_key if self.policy == "signed" else None

    def plan_hash(self, plan: str) -> str:
        """The hash of the last draft of `plan`."""
        drafts = [e for e in self.plan_events() if e["type"] == "PLAN_DRAFTED" and e["planId"] == plan]
        return str(drafts[-1]["planHash"])

    def halt(self, source: str) -> None:
        """Halt `source`, as a check of the developer's does."""
        said = {"type": "HALT_AND_REPORT", "actor": {"agent": "check", "id": "Ada Lovelace <ada@example.org>"}}
        said |= {"invariant": "balances add up", "expected": "0", "actual": "1", "timestamp": self.time()}
        assert self.sage("append", "--no-sign", f"{source}.sage", "--event", json.dumps(said)) == 0, self.said

    def say(self, kind: str, actor: Mapping[str, str] = AGENT, key: Path | None = None, **payload: Any) -> str:
        """Append a statement on plans by hand, signed with `key` if there is one; its id."""
        event = self.statement(kind, actor, key, **payload)
        assert self.sage("append", "--no-sign", ".sage/plans.sage", "--event", json.dumps(event)) == 0, self.said
        return self.said.strip()

    def statement(
        self, kind: str, actor: Mapping[str, str] = AGENT, key: Path | None = None, **payload: Any
    ) -> dict[str, Any]:
        """The next event on plans, as anybody can write it down: with its links, its time and its signature.

        What is signed names this repository, unless `payload` has it name another.
        """
        event: dict[str, Any] = {
            "type": kind,
            "timestamp": self.time(),
            "actor": dict(actor),
            "subject": "plans",
            **payload,
        }
        before = self.plan_events()
        if before:
            event.setdefault("prevEventId", before[-1]["eventId"])
        if not key:
            return event
        event.setdefault("repository", self.id)
        return {**event, "signature": signature(key, rfc8785.dumps(event))}

    @property
    def id(self) -> str:
        """The repository's id, as its first config had it."""
        return str(json.loads((self.sage_dir / "clone.json").read_bytes())["repository"])

    def time(self) -> str:
        """A minute later than before."""
        return (FIRST_COMMIT_AT + timedelta(minutes=next(self._clock))).strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def plan_events(self) -> list[dict[str, Any]]:
        """What .sage/plans.sage shows."""
        sidecar = self.path / ".sage" / "plans.sage"
        return [json.loads(line) for line in sidecar.read_bytes().splitlines()] if sidecar.exists() else []

    # -- what anybody sees -------------------------------------------------------------------------------------------

    def open_paths(self) -> set[str]:
        """The sources with an open rogue edit at HEAD."""
        assert self.sage("status", "--json") == 0, self.said
        return {edit["filePath"] for edit in json.loads(self.said)["openRogueEdits"]}

    def events(self, *arguments: str) -> list[dict[str, Any]]:
        """What `log --all` has."""
        assert self.sage("log", "--all", "--json", *arguments) == 0, self.said
        return [json.loads(line) for line in self.said.splitlines()]

    def measured(self, *paths: str, claimed: bool = False) -> set[str]:
        """The document's words for what became of a change to `paths`; `claimed` if a statement was to cover it."""
        if self.was_refused:
            return {"prevented"}
        said = self.words() - {"not seen"}  # before anything else looks, and so records
        is_open = set(paths) <= self.open_paths()
        return said.union(["recorded"] * is_open, ["claimed"] * (claimed and not is_open)) or {"not seen"}

    def words(self, *words: str) -> set[str]:
        """`words`, and what `verify` says."""
        status = self.sage("verify", "--complete", "--json")
        severities = {each["severity"] for each in json.loads(self.said)["findings"]}
        if "error" in severities:
            said = ["found"]
        else:
            said = ["unchecked"] * (status == 3) + ["warned"] * ("warning" in severities)
        return {*words, *said} or {"not seen"}


def lines(word: str) -> str:
    """A file of ten lines."""
    return "".join(f"{word} {number}\n" for number in range(10))


def make_key(path: Path) -> None:
    """A new SSH key at `path`."""
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)]
    subprocess.run(command, check=True, capture_output=True)


def public(key: Path) -> str:
    """The public half of `key` as allowed_signers has it."""
    return " ".join(key.with_suffix(".pub").read_text(encoding="ascii").split()[:2])


def signature(key: Path, message: bytes) -> str:
    """The SSHSIG of `message` by `key`."""
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", "sage-event@v1", "-f", str(key)]
    return subprocess.run(command, input=message, check=True, capture_output=True).stdout.decode("ascii")
