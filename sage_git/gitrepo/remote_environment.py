"""What git is given when it talks to a peer: the user's ways to reach hosts, and nothing that a peer could make use of.

git works in a repository of ours then, but reaches others as in the user's: with the user's home, ssh, proxies and
credentials, and what the user's repository says of those (`http.*`, `credential.*`, `url.*`, `core.sshCommand`). Hooks
are off, and only protocols that carry git and run nothing are on. Not here: what is fetched and pushed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sage_git.errors import GitFailed, PeerFailed, UsageError
from sage_git.gitrepo.command import LOCAL_ENVIRONMENT, Finished, Limits, Over, run_bounded, users_environment
from sage_git.gitrepo.repository import Repository

LARGEST_PACK_BYTES: Final = 4 << 30
"""What a peer may send at once, and git write into one file."""
LONGEST_EXCHANGE_S: Final = 900.0
LONGEST_LISTING_S: Final = 30.0
_MEMORY_BYTES: Final = 2 << 30
_COMPLAINTS: Final = ("fatal:", "error:", "sage-git:", "ssh:")
_REMEDY: Final = "nothing was taken; try again, and if it stays so, ask whoever runs it"
_PROTOCOLS: Final = "file:git:http:https:sage:ssh"
_WANTED: Final = r"^((http|credential|url|ssh)\.|core\.(sshcommand|askpass|gitproxy)$)"
_OWN_SCOPES: Final = ("local", "worktree", "command")  # git reads the others itself
_DROPPED: Final = LOCAL_ENVIRONMENT | {"GIT_NAMESPACE", "GIT_QUARANTINE_PATH", "GIT_PROTOCOL"}
_PINNED: Final = (
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.bigFileThreshold", "32m"),
    ("core.logAllRefUpdates", "false"),
    ("core.alternateRefsPrefixes", "refs/sage/writers/"),
    ("fetch.fsckObjects", "true"),
    ("fetch.unpackLimit", "1"),
    ("fetch.recurseSubmodules", "false"),
    ("fetch.prune", "false"),
    ("fetch.writeCommitGraph", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("push.followTags", "false"),
    ("push.gpgSign", "false"),
    ("push.pushOption", ""),
    ("push.recurseSubmodules", "no"),
    ("transfer.bundleURI", "false"),
)


@dataclass(frozen=True, slots=True)
class RemoteEnvironment:
    """How peers are reached from a repository: git's environment, and how long and large anything may become."""

    variables: Mapping[str, str]
    home: Path
    """An empty repository of ours for git to be in while it only asks."""
    object_format: str
    deadline_s: float = LONGEST_EXCHANGE_S
    file_bytes: int = LARGEST_PACK_BYTES

    @classmethod
    def of(
        cls,
        repository: Repository,
        sage: Path,
        deadline_s: float = LONGEST_EXCHANGE_S,
        file_bytes: int = LARGEST_PACK_BYTES,
    ) -> RemoteEnvironment:
        """As the user reaches others from `repository`, whose `sage/` directory is given. Raises GitFailed."""
        given = {k: v for k, v in users_environment(repository.environment).items() if k not in _DROPPED}
        settings = [*_settings(repository), *_PINNED]
        given |= {"SAGE_DIRECTORY": str(sage), "PATH": _with_our_helper(given.get("PATH", ""))}
        numbered = {"GIT_CONFIG_COUNT": str(len(settings)), "GIT_ALLOW_PROTOCOL": _PROTOCOLS}
        for number, (name, value) in enumerate(settings):
            numbered |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
        return cls(given | numbered, sage / "abroad.git", repository.object_format, deadline_s, file_bytes)

    def run(
        self, *arguments: str, git_dir: Path, input: bytes = b"", seconds: float = LONGEST_EXCHANGE_S, output_bytes: int
    ) -> Finished:
        """How git's run ended. What took too long or became too large raises PeerFailed."""
        limits = Limits(min(seconds, self.deadline_s), output_bytes, self.file_bytes, _MEMORY_BYTES)
        done = run_bounded(arguments, git_dir=git_dir, environment=self.variables, limits=limits, input=input)
        match done.over:
            case Over.TIME:
                raise PeerFailed(f"the peer was not done within {limits.seconds:g} seconds", remedy=_REMEDY)
            case Over.OUTPUT:
                raise sent_too_much()
            case None:
                return done


def _settings(repository: Repository) -> list[tuple[str, str]]:
    """What the user's repository alone says of reaching others, names and values in git's order. Raises GitFailed."""
    try:
        listed = repository.git("config", "--show-scope", "-z", "--get-regexp", _WANTED)
    except GitFailed as failure:
        if failure.status == 1:  # it says nothing
            return []
        raise
    words = listed.decode("utf-8", "surrogateescape").split("\0")[:-1]
    pairs = (
        setting.partition("\n") for scope, setting in zip(words[::2], words[1::2], strict=True) if scope in _OWN_SCOPES
    )
    return [(name, value if separator else "true") for name, separator, value in pairs]


def _with_our_helper(path: str) -> str:
    """A search path on which git finds `git-remote-sage`, which is installed beside our Python."""
    beside = Path(sys.executable).parent
    return f"{path}{os.pathsep}{beside}" if (beside / "git-remote-sage").exists() else path


def sent_too_much() -> PeerFailed:
    """The error for a peer that sends more than `LARGEST_PACK_BYTES`, or lists more than anybody has."""
    return PeerFailed("the peer sends more than anybody may (too large)", remedy=_REMEDY)


def checked_url(url: str) -> str:
    """`url`, which git will not take for an option. Raises UsageError."""
    if not url or url.startswith("-") or "\0" in url or "\n" in url:
        raise UsageError(f"{url!r} is no URL", remedy="give a path or a URL that git understands")
    return url


def refused_by_git(done: Finished, url: str) -> PeerFailed:
    """The error for a run that failed, with what git or the peer said first, and what our helper says to do next."""
    words = [line for line in done.said.splitlines() if line.startswith(_COMPLAINTS)]
    lines = words or done.said.strip().splitlines() or [f"git ended with status {done.status}"]
    said = lines[0]
    for word in _COMPLAINTS:
        said = said.removeprefix(word).lstrip()
    if url.startswith("sage://"):
        after = done.said[done.said.find(lines[0]) + len(lines[0]) :].removeprefix("\n").partition("\n")[0]
        return PeerFailed(said, remedy=after.strip() if after.startswith("  ") else _REMEDY)
    return PeerFailed(said, remedy="see whether `git ls-remote` reaches it")  # the address may have a password in it
