"""Runs a command and strikes at the nth thing that it, or any process that it starts, does to the world.

    python strike_at.py REPORT EFFECT NTH COMMAND [ARGUMENT …]

What processes do to the world are the system calls in `CALLS`: they change files, say something to another process,
or end. Between two of them nothing happens that anybody could see, so whoever struck at all of them struck everywhere.
They are counted over all processes together, in the order in which the kernel lets them happen; NTH 0 strikes nowhere.

REPORT becomes one line of JSON: `calls` (how many there were), `by_name`, and `struck`, the name of the call or null.
Linux on x86-64 only: seccomp(2) stops the processes at these calls and nowhere else, and ptrace(2) tells us.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import signal
import struct
import sys
from collections import Counter
from enum import Enum
from pathlib import Path

CALLS = {
    1: "write", 2: "open", 18: "pwrite64", 20: "writev", 40: "sendfile", 44: "sendto", 46: "sendmsg", 74: "fsync",
    75: "fdatasync", 76: "truncate", 77: "ftruncate", 82: "rename", 83: "mkdir", 84: "rmdir", 85: "creat", 86: "link",
    87: "unlink", 88: "symlink", 90: "chmod", 91: "fchmod", 231: "exit_group", 257: "openat", 258: "mkdirat",
    263: "unlinkat", 264: "renameat", 265: "linkat", 266: "symlinkat", 280: "utimensat", 285: "fallocate",
    316: "renameat2", 326: "copy_file_range",
}  # fmt: skip
"""By number, see asm/unistd_64.h. To open a file counts where that makes or empties it."""

ON_DISK = frozenset(CALLS.values()) - {"sendto", "sendmsg", "exit_group"}
GROWING = ON_DISK - {"fsync", "fdatasync", "ftruncate", "truncate", "unlink", "unlinkat", "rmdir", "chmod", "fchmod"}
_WRITING = frozenset(("write", "writev", "pwrite64", "sendfile", "fallocate", "copy_file_range", "fsync", "fdatasync"))


class Effect(Enum):
    """What happens then."""

    KILL_ONE = "kill-one"  # the process that calls, with SIGKILL
    KILL_ALL = "kill-all"  # every process of the command
    BROKEN = "broken"  # this one call to a disk fails with EIO
    FULL = "full"  # from here on, whatever would take room on a disk fails with ENOSPC


_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
_libc.ptrace.restype = ctypes.c_long
_TRACEME, _CONT, _GETREGS, _SETREGS, _SETOPTIONS = 0, 7, 12, 13, 0x4200
_FORK, _VFORK, _CLONE, _EXEC, _SECCOMP = 1, 2, 3, 4, 7  # PTRACE_EVENT_*, and the bit of each option
_KILLED_WITH_US = 1 << 20
_RAX, _RDI, _CALL = 10, 14, 15  # in user_regs_struct, see sys/user.h
_EVERY_CHILD = 0x40000000  # __WALL
_Registers = ctypes.c_ulonglong * 27


def ptrace(request: int, pid: int, at: int = 0, value: int | ctypes.Array[ctypes.c_ulonglong] = 0) -> None:
    """Raises OSError."""
    if _libc.ptrace(request, pid, at, value if isinstance(value, int) else ctypes.addressof(value)) == -1:
        raise OSError(ctypes.get_errno(), "ptrace")


def stop_at_calls() -> None:
    """Have the kernel stop this process, and all that come of it, at `CALLS`."""
    load, equals, has_bits, gives = 0x20, 0x15, 0x45, 0x06  # see linux/bpf_common.h
    allowed, traced = 0x7FFF0000, 0x7FF00000
    making = os.O_CREAT | os.O_TRUNC
    opening = {2: 24, 257: 32}  # where in seccomp_data its flags are
    program = [(load, 0, 0, 0)]
    for call in CALLS.keys() - opening.keys():
        program += [(equals, 0, 1, call), (gives, 0, 0, traced)]
    for call, flags in opening.items():
        program += [(equals, 0, 4, call), (load, 0, 0, flags), (has_bits, 0, 1, making), (gives, 0, 0, traced)]
        program += [(gives, 0, 0, allowed)]
    program += [(gives, 0, 0, allowed)]
    code = b"".join(struct.pack("HBBI", *each) for each in program)
    buffer = ctypes.create_string_buffer(code)
    filtering = struct.pack("HxxxxxxQ", len(program), ctypes.addressof(buffer))
    no_new_privileges, seccomp, filtered = 38, 22, 2
    for arguments in ((no_new_privileges, 1, 0, 0, 0), (seccomp, filtered, filtering, 0, 0)):
        if _libc.prctl(*arguments):
            raise OSError(ctypes.get_errno(), "prctl")


class Tracer:
    """One run of a command."""

    def __init__(self, effect: Effect, nth: int) -> None:
        self._effect, self._nth = effect, nth
        self._alive: set[int] = set()
        self.by_name: Counter[str] = Counter()
        self.struck: str | None = None

    def run(self, command: list[str]) -> int:
        """The exit status of the command, once all of its processes have ended."""
        first = os.fork()
        if first == 0:
            ptrace(_TRACEME, 0)
            os.kill(os.getpid(), signal.SIGSTOP)
            stop_at_calls()
            os.execvp(command[0], command)
        os.waitpid(first, 0)
        events = sum(1 << event for event in (_FORK, _VFORK, _CLONE, _EXEC, _SECCOMP))
        ptrace(_SETOPTIONS, first, 0, events | _KILLED_WITH_US)
        self._alive.add(first)
        ptrace(_CONT, first)
        ended = 0
        while True:
            try:
                pid, status = os.waitpid(-1, _EVERY_CHILD)
            except ChildProcessError:
                return ended
            if os.WIFSTOPPED(status):
                self._alive.add(pid)
                self._go_on(pid, os.WSTOPSIG(status), status >> 16)
                continue
            self._alive.discard(pid)
            if pid == first:
                ended = os.waitstatus_to_exitcode(status)

    def _go_on(self, pid: int, received: int, event: int) -> None:
        try:
            if event == _SECCOMP:
                self._look_at(pid)
            passed_on = 0 if event or received == signal.SIGSTOP else received
            ptrace(_CONT, pid, 0, passed_on)
        except OSError as gone:
            if gone.errno != errno.ESRCH:
                raise

    def _look_at(self, pid: int) -> None:
        registers = _Registers()
        ptrace(_GETREGS, pid, 0, registers)
        name = CALLS[registers[_CALL]]
        is_on_disk = name in ON_DISK and (name not in _WRITING or _is_file(pid, registers[_RDI]))
        if self._effect in (Effect.BROKEN, Effect.FULL) and not is_on_disk:
            return
        if self._effect is Effect.FULL and name not in GROWING:
            return
        self.by_name[name] += 1
        is_due = self.by_name.total() == self._nth
        if not is_due and (self._effect is not Effect.FULL or self.struck is None):
            return
        self.struck = self.struck or name
        match self._effect:
            case Effect.KILL_ONE:
                os.kill(pid, signal.SIGKILL)
            case Effect.KILL_ALL:
                for each in self._alive:
                    os.kill(each, signal.SIGKILL)
            case Effect.BROKEN | Effect.FULL:
                number = errno.EIO if self._effect is Effect.BROKEN else errno.ENOSPC
                registers[_CALL], registers[_RAX] = 2**64 - 1, 2**64 - number  # no call, and what it returns
                ptrace(_SETREGS, pid, 0, registers)


def _is_file(pid: int, descriptor: int) -> bool:
    try:
        return (
            os.readlink(f"/proc/{pid}/fd/{descriptor}").startswith("/")
            and not Path(f"/proc/{pid}/fd/{descriptor}").is_char_device()
        )
    except OSError:
        return False


if __name__ == "__main__":
    report, effect, nth, *command = sys.argv[1:]
    tracer = Tracer(Effect(effect), int(nth))
    status = tracer.run(command)
    said = {"calls": tracer.by_name.total(), "by_name": tracer.by_name, "struck": tracer.struck}
    Path(report).write_text(json.dumps(said))
    sys.exit(status if status >= 0 else 128 - status)
