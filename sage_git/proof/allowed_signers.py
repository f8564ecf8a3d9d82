"""Who may sign: git's `allowed_signers`, in the format of ssh-keygen(1), ALLOWED SIGNERS.

A line that cannot be read, or asks for what we do not do (certificates), lets nobody sign and is reported; the others
stand. Unlike ssh-keygen, a time without `Z` is in UTC too: whether a signature counts must not depend on where its
reader lives. Not here: where the file comes from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sage_git.proof.publickey import Key
from sage_git.proof.wire import BadProof

MAX_BYTES: Final = 1 << 20
_LONGEST_PRINCIPAL: Final = 1_023
_LONGEST_PATTERN: Final = 1_023  # as in OpenSSH's match_pattern_list

_SPACE: Final = " \t"
_PRINCIPALS: Final = re.compile(r'"(?P<quoted>[^"]*)"(?=[ \t])|(?P<plain>[^ \t"]+)(?=[ \t])')
_OPTION: Final = re.compile(r'(?P<name>[A-Za-z-]+)(?:="(?P<value>(?:[^"\\]|\\.)*)")?(?P<next>,(?=[A-Za-z])|[ \t]+)')
_TIME: Final = re.compile(r"([0-9]{8})(?:([0-9]{4})([0-9]{2})?)?Z?")
_ADDRESS: Final = re.compile(r"[^<>]*<(?P<address>[^<>]+)>\s*")


@dataclass(frozen=True, slots=True)
class Signer:
    """A line: these principals may sign with this key. Times are seconds since 1970, inclusive; None: no limit."""

    number: int
    principals: str
    key: Key
    namespaces: str | None = None
    valid_after: int | None = None
    valid_before: int | None = None

    def allows(self, names: Iterable[str], namespace: str, at: int) -> bool:
        """True if somebody with these names may sign in `namespace` at this time (seconds)."""
        return _matches(names, self.principals) and self.holds(namespace, at)

    def holds(self, namespace: str, at: int) -> bool:
        """True if the line lets somebody sign in `namespace` at this time (seconds)."""
        return (
            (self.namespaces is None or _matches((namespace,), self.namespaces))
            and (self.valid_after is None or at >= self.valid_after)
            and (self.valid_before is None or at <= self.valid_before)
        )


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that lets nobody sign, and why."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class AllowedSigners:
    """Who may sign with which key, and the lines that could not be used."""

    signers: tuple[Signer, ...] = ()
    bad_lines: tuple[BadLine, ...] = ()

    def principal_may(self, principal: str, key: Key, namespace: str, at: int) -> bool:
        """True if `principal`, an address or `Name <address>`, may sign with `key` in `namespace` at `at` (seconds)."""
        if len(principal) > _LONGEST_PRINCIPAL:
            return False
        names = names_of(principal)
        return any(each.key == key and each.allows(names, namespace, at) for each in self.signers)

    def principals_of(self, key: Key, namespace: str, at: int) -> str | None:
        """The principals of the first line that lets somebody sign with `key` in `namespace` at `at` (seconds)."""
        return next((each.principals for each in self.signers if each.key == key and each.holds(namespace, at)), None)


def names_of(principal: str) -> tuple[str, ...]:
    """What a principal is known by: the whole of it, and the address in `Name <address>`."""
    found = _ADDRESS.fullmatch(principal)
    return (principal,) if found is None else (principal, found["address"])


def parse(text: bytes) -> AllowedSigners:
    """Who may sign, by the content of an `allowed_signers`. Nothing raises: what is wrong is in `bad_lines`."""
    if len(text) > MAX_BYTES:
        return AllowedSigners(bad_lines=(BadLine(0, f"the file is larger than {MAX_BYTES} bytes"),))
    signers, bad_lines = [], []
    for number, raw in enumerate(text.split(b"\n"), 1):
        line = raw.removesuffix(b"\r").strip(b" \t")
        if not line or line.startswith(b"#"):
            continue
        try:
            signers.append(_signer(number, line.decode("utf-8")))
        except UnicodeDecodeError:
            bad_lines.append(BadLine(number, "is not UTF-8"))
        except BadProof as problem:
            bad_lines.append(BadLine(number, "; ".join(detail.reason for detail in problem.details)))
    return AllowedSigners(tuple(signers), tuple(bad_lines))


def _signer(number: int, line: str) -> Signer:
    """PRINCIPALS [OPTIONS] KIND BASE64 [COMMENT]. Raises BadProof."""
    found = _PRINCIPALS.match(line)
    if found is None:
        raise _bad("must be: principals, options if any, kind of key, key")
    principals = found["quoted"] if found["plain"] is None else found["plain"]
    rest = line[found.end() :].lstrip(_SPACE)
    if _is_key(rest):
        return Signer(number, principals, _key(rest))
    options: dict[str, str | None] = {}
    for name, value, after in _options(rest):
        if name in options:
            raise _bad(f"has {name} twice")
        options[name], rest = value, after
    if "cert-authority" in options:
        raise _bad("is for certificates (cert-authority), which are not supported; name each key instead")
    return _limited(Signer(number, principals, _key(rest)), options)


def _options(text: str) -> Iterator[tuple[str, str | None, str]]:
    """Each option with its value, and what follows it. Raises BadProof."""
    while True:
        found = _OPTION.match(text)
        if found is None:
            raise _bad("has neither a key nor options where one of them should be")
        name, value = found["name"].lower(), found["value"]
        if name not in ("cert-authority", "namespaces", "valid-after", "valid-before"):
            raise _bad(f"has the unknown option {name[:64]}")
        if (value is None) != (name == "cert-authority"):
            raise _bad(f"must give {name} {'a value in quotes' if value is None else 'no value'}")
        text = text[found.end() :]
        yield name, value and value.replace('\\"', '"'), text
        if found["next"] != ",":
            return


def _limited(signer: Signer, options: dict[str, str | None]) -> Signer:
    """`signer` within what the options allow. Raises BadProof."""
    after, before = (_seconds(options.get(name)) for name in ("valid-after", "valid-before"))
    if after is not None and before is not None and before <= after:
        raise _bad("ends (valid-before) before it begins (valid-after)")
    return Signer(signer.number, signer.principals, signer.key, options.get("namespaces"), after, before)


def _seconds(text: str | None) -> int | None:
    """Seconds since 1970 of YYYYMMDD[Z] or YYYYMMDDHHMM[SS][Z]. Raises BadProof."""
    if text is None:
        return None
    found = _TIME.fullmatch(text)
    if found is None:
        raise _bad("has a time that is neither YYYYMMDD nor YYYYMMDDHHMM[SS]")
    day, minute, second = found.groups(default="")
    try:
        moment = datetime.strptime(f"{(day + minute + second):0<14}Z", "%Y%m%d%H%M%S%z")
    except ValueError:
        raise _bad("has a time that no calendar has") from None
    return int(moment.timestamp())


def _is_key(text: str) -> bool:
    """True if the next word is followed by what can only be a key, as options never are."""
    words = text.split(None, 2)
    return len(words) > 1 and '"' not in words[0] and words[1].startswith("AAAA")


def _key(text: str) -> Key:
    words = text.split(None, 2)
    if len(words) < 2:
        raise _bad("has no key")
    return Key.from_text(f"{words[0]} {words[1]}")


def _matches(names: Iterable[str], patterns: str) -> bool:
    """True if some pattern (`*`, `?`, commas between) fits one of `names`, and none with `!` before it fits any."""
    fits = False
    for pattern in patterns.split(","):
        wanted = pattern.removeprefix("!")
        if len(wanted) > _LONGEST_PATTERN:
            return False
        if any(_fits(name, wanted) for name in names):
            if wanted != pattern:
                return False
            fits = True
    return fits


def _fits(name: str, pattern: str) -> bool:
    """True if `pattern` with its `*` and `?` is all of `name`. Takes time in proportion to both lengths multiplied."""
    at = here = 0
    star, resume = -1, 0
    while here < len(name):
        if at < len(pattern) and pattern[at] == "*":
            star, resume = at, here
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", name[here]):
            at, here = at + 1, here + 1
        elif star >= 0:
            resume += 1
            at, here = star + 1, resume
        else:
            return False
    return not pattern[at:].strip("*")


def _bad(reason: str) -> BadProof:
    return BadProof(reason, field="line")
