"""The errors that sage-git raises: one tree, each with a stable code, an exit status and its facts as attributes.

    SageError                     exit  what happened
    ├── ValidationError             2   EVALIDATION      an event, path or value breaks its rules; `details` says where
    ├── UsageError                  2   EUSAGE           the command was asked something it cannot mean
    ├── NotHere                     3   ENOTHERE         no repository, no chronicle, or git too old: nothing to work on
    │   └── ConfigError             3   ECONFIG          .sage/config.toml cannot be read as a policy
    ├── GitFailed                   4   EGIT             git exited with an error that we did not expect
    ├── GitKilled                   4   EKILLED          git was ended from outside, and so told us nothing
    ├── SigningFailed               4   ESIGNING         ssh-keygen, an agent or a security key did not sign
    ├── PeerFailed                  4   EPEER            a peer cannot be reached, is somebody else, or refused us
    ├── StorageError                4   EIO              the system refused a read or write; path, operation, errno name
    │   └── PermissionRefused       4   EPERMISSION      … because we may not
    ├── LockTimeout                 4   ELOCK_TIMEOUT    somebody else holds the lock; path, timeout_ms, holder
    ├── ProofFailed                 1   EPROOF           a proof, note or checkpoint does not show what it should
    │   └── WrongOrigin             1   EORIGIN          a checkpoint is of another repository's or writer's log
    └── Halted                      1   EHALT            an open HALT_AND_REPORT forbids this

Every message is one sentence with what happened and where, and, in `remedy`, what to do next.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import ClassVar, Final

_REMEDIES: Final = {
    "EACCES": "permission denied: give yourself the right to it, or work in a clone of your own",
    "EPERM": "not permitted: give yourself the right to it, or work in a clone of your own",
    "EROFS": "the file system is read-only: make it writable, or work in a clone elsewhere",
    "ENOSPC": "the disk is full: make room, and do it again; what was recorded before is safe",
    "EDQUOT": "your quota is used up: make room, and do it again; what was recorded before is safe",
}


class SageError(Exception):
    """Base of all errors that callers may catch; `str()` is one sentence, `remedy` what to do about it."""

    code: ClassVar[str] = "ESAGE"
    exit_status: ClassVar[int] = 4

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Detail:
    """One broken rule: the field (dotted from the event's root), why, what stood there and what should."""

    field: str
    reason: str
    received: object = None
    expected: object = None

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}" if self.field else self.reason


class ValidationError(SageError):
    """Something breaks the rules of its format; `details` has every broken rule that was found."""

    code = "EVALIDATION"
    exit_status = 2

    def __init__(self, *details: Detail, remedy: str = "") -> None:
        super().__init__("; ".join(map(str, details)), remedy=remedy)
        self.details = list(details)


class UsageError(SageError):
    """The command was asked something it cannot mean."""

    code = "EUSAGE"
    exit_status = 2


class NotHere(SageError):
    """The place has nothing to work on: no repository, no record, no such event, or a git that is too old."""

    code = "ENOTHERE"
    exit_status = 3


class ConfigError(NotHere):
    """.sage/config.toml is not a policy; `details` names keys."""

    code = "ECONFIG"

    def __init__(self, *details: Detail, remedy: str = "") -> None:
        super().__init__(".sage/config.toml: " + "; ".join(map(str, details)), remedy=remedy)
        self.details = list(details)


class GitFailed(SageError):
    """git exited with an error; `arguments`, `status` and git's own last words in `stderr`."""

    code = "EGIT"

    def __init__(self, arguments: tuple[str, ...], status: int, stderr: str) -> None:
        words = stderr.strip().splitlines()
        said = words[-1] if words else "no message"
        remedy = "do what git says; `git fsck` looks at the repository, `sage-git doctor` at how we are set up in it"
        super().__init__(f"git {' '.join(arguments[:2])} failed ({status}): {said}", remedy=remedy)
        self.arguments, self.status, self.stderr = arguments, status, stderr


class GitKilled(SageError):
    """git was ended by a signal; `arguments` and the signal's number. No GitFailed, for that is often an answer."""

    code = "EKILLED"

    def __init__(self, arguments: tuple[str, ...], signal: int) -> None:
        remedy = "do it again; if nobody stopped it, the system may be short of memory"
        super().__init__(f"git {' '.join(arguments[:2])} was ended by signal {signal}", remedy=remedy)
        self.arguments, self.signal = arguments, signal


class SigningFailed(SageError):
    """ssh-keygen, an agent or a security key did not sign; ssh-keygen's own words in `stderr`."""

    code = "ESIGNING"

    def __init__(self, message: str, stderr: str = "", *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.stderr = stderr


class PeerFailed(SageError):
    """A peer cannot be reached, has another key than it was named with, refused us, or does not speak as agreed."""

    code = "EPEER"


class StorageError(SageError):
    """The system refused a read or write; `path`, `operation` and the errno's name in `error`."""

    code = "EIO"

    def __init__(self, path: str, operation: str, error: str, *, remedy: str = "") -> None:
        super().__init__(f"cannot {operation} {path}: {error}", remedy=remedy)
        self.path, self.operation, self.error = path, operation, error

    @staticmethod
    def from_os(problem: OSError, path: str, operation: str) -> StorageError:
        """The error for `problem`: PermissionRefused for EACCES, EPERM and EROFS, else StorageError."""
        name = errno.errorcode.get(problem.errno or 0, "unknown error")
        refused = problem.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
        return (PermissionRefused if refused else StorageError)(path, operation, name, remedy=_REMEDIES.get(name, ""))


class PermissionRefused(StorageError):
    """The system refused a read or write because this user may not, or the file system is read-only."""

    code = "EPERMISSION"


class LockTimeout(SageError):
    """Somebody else held the lock for all of `timeout_ms`; `holder` is a process id if it is known."""

    code = "ELOCK_TIMEOUT"

    def __init__(self, path: str, timeout_ms: int, holder: int | None = None) -> None:
        by = f" by process {holder}" if holder else ""
        super().__init__(f"{path} stayed locked{by} for {timeout_ms} ms", remedy="try again, or end that process")
        self.path, self.timeout_ms, self.holder = path, timeout_ms, holder


class ProofFailed(SageError):
    """A proof, note or checkpoint does not show what it should, or is not in the one form that it may have."""

    code = "EPROOF"
    exit_status = 1


class WrongOrigin(ProofFailed):
    """A checkpoint is sound, perhaps, but of another repository's or another writer's log."""

    code = "EORIGIN"


class Halted(SageError):
    """An open HALT_AND_REPORT forbids this."""

    code = "EHALT"
    exit_status = 1
