"""The policy in .sage/config.toml (SPEC 6.3): what it may say, and what it says where it is silent.

Responsible for reading the text strictly and for the text that `init` writes. Not here: finding the file, and which
commit's policy is in force.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sage_git.chronicle.ids import ObjectId, RepositoryId
from sage_git.errors import ConfigError, Detail
from sage_git.judgement import values
from sage_git.judgement.patterns import Patterns

FORMAT: Final = 1
RULES: Final = 1
DEFAULT_SUFFIX: Final = ".sage"
MAX_SIZE_BYTES: Final = 256 << 10
MAX_PROBLEMS: Final = 20
MAX_KEY_LENGTH: Final = 64

_SUFFIX = re.compile(r"(?=.{5,64}\Z)(\.[A-Za-z0-9_-]+)*\.sage")
_REMOTE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/+-]*")
_REPOSITORY_ID = re.compile(r"[0-9a-f]{8,64}")
_REMEDY = "correct the file; docs/cli.md lists every key"
_NOWHERE = Patterns()


class Place(StrEnum):
    """Where sidecars are shown."""

    BESIDE = "beside"
    TREE = "tree"
    OFF = "off"


class Mode(StrEnum):
    """What the gate does with a change that no plan covers."""

    RECORD = "record"
    WARN = "warn"
    BLOCK = "block"


class Judged(StrEnum):
    """A kind of change that can be rogue."""

    ADD = "add"
    EDIT = "edit"
    REMOVE = "remove"
    RENAME = "rename"


class Published(StrEnum):
    """Which statements leave this clone."""

    ALL = "all"
    PLANS = "plans"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Identity:
    """What facts depend on, and what no later commit may change."""

    repository: RepositoryId
    since: ObjectId | None = None
    backfill: tuple[ObjectId, ...] = ()
    rules: int = RULES


@dataclass(frozen=True, slots=True)
class Sidecars:
    """Where chronicles are shown in the work tree, and how their files are named."""

    place: Place = Place.BESIDE
    suffix: str = DEFAULT_SUFFIX


@dataclass(frozen=True, slots=True)
class Rogue:
    """Which changes need a plan, and what the gate does with one that has none."""

    mode: Mode = Mode.WARN
    changes: frozenset[Judged] = frozenset(Judged)
    exempt: Patterns = _NOWHERE


@dataclass(frozen=True, slots=True)
class Approval:
    """What makes an approval count; `required` distinct signers."""

    signed: bool = False
    required: int = 1
    self_approval: bool = True
    implicit: bool = False


@dataclass(frozen=True, slots=True)
class Publish:
    """What is published, and to which remotes."""

    remotes: tuple[str, ...] = ("origin",)
    statements: Published = Published.ALL


@dataclass(frozen=True, slots=True)
class Policy:
    """All of .sage/config.toml, with the defaults filled in; a section of the file is an attribute."""

    identity: Identity
    sidecars: Sidecars = Sidecars()
    rogue: Rogue = Rogue()
    approval: Approval = Approval()
    publish: Publish = Publish()


_KEYS: Final[Mapping[str, tuple[values.Reader, str]]] = {
    "format": (values.number_up_to(FORMAT), f"{FORMAT}, which is all that this sage-git knows"),
    "repository": (values.matching(_REPOSITORY_ID), "the random lower-case hex that init made"),
    "since": (values.object_id, "a full object id in lower-case hex"),
    "backfill": (values.each(values.object_id), "a list of full object ids in lower-case hex"),
    "rules": (values.number_up_to(RULES), f"{RULES}, which is all that this sage-git knows"),
    "sidecars.place": (values.one_of(Place), f"one of {values.words_of(Place)}"),
    "sidecars.suffix": (values.matching(_SUFFIX), 'a suffix that ends in ".sage", like ".chronicle.sage"'),
    "rogue.mode": (values.one_of(Mode), f"one of {values.words_of(Mode)}"),
    "rogue.changes": (values.each(values.one_of(Judged), frozenset), f"a list of {values.words_of(Judged)}"),
    "rogue.exempt": (
        values.each(values.pattern, Patterns),
        'a list of patterns like those in .gitignore, e.g. ["vendor/**"]',
    ),
    "approval.signed": (values.boolean, "true or false"),
    "approval.required": (values.number_up_to(1000), "a number of signers from 1"),
    "approval.self_approval": (values.boolean, "true or false"),
    "approval.implicit": (values.boolean, "true or false"),
    "publish.remotes": (values.each(values.matching(_REMOTE)), 'a list of names of remotes, e.g. ["origin"]'),
    "publish.statements": (values.one_of(Published), f"one of {values.words_of(Published)}"),
}
_SECTIONS: Final[Mapping[str, type[Any]]] = {
    "sidecars": Sidecars,
    "rogue": Rogue,
    "approval": Approval,
    "publish": Publish,
}


def parse_policy(text: bytes) -> Policy:
    """The policy that `text`, the content of .sage/config.toml, states.

    Raises:
        ConfigError: it is not TOML, has a key that is not known, lacks one, or has a value that is not allowed;
            `details` has what is wrong, up to MAX_PROBLEMS.
    """
    problems: list[Detail] = []
    settings: dict[str, Any] = {}
    for key, value in _flattened(_load(text)):
        if len(problems) == MAX_PROBLEMS:
            raise ConfigError(*problems, remedy=_REMEDY)
        if key not in _KEYS:
            problems.append(_unknown(key, value))
            continue
        read, expected = _KEYS[key]
        try:
            settings[key] = read(value)
        except values.WrongValueError:
            problems.append(Detail(key, f"must be {expected}, not {values.shown(value)}", value, expected))
    written = {problem.field for problem in problems} | settings.keys()
    missing = [key for key in ("format", "repository") if key not in written]
    problems += [Detail(key, f"is missing; must be {_KEYS[key][1]}", None, _KEYS[key][1]) for key in missing]
    if problems:
        raise ConfigError(*problems, remedy=_REMEDY)
    return _policy(settings)


def _load(text: bytes) -> dict[str, Any]:
    import tomllib  # here, because a hook that has nothing to judge must not wait for it

    if len(text) > MAX_SIZE_BYTES:
        raise ConfigError(Detail("", f"is larger than {MAX_SIZE_BYTES} bytes", len(text), MAX_SIZE_BYTES))
    try:
        return tomllib.loads(text.decode("utf-8"))
    except UnicodeDecodeError as problem:
        raise ConfigError(Detail("", f"is not UTF-8 at byte {problem.start}")) from problem
    except RecursionError as problem:
        raise ConfigError(Detail("", "is nested too deeply")) from problem
    except ValueError as problem:
        raise ConfigError(Detail("", f"is not TOML: {values.printable(str(problem))}")) from problem


def _flattened(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each key, dotted, with its value; a section that is no table stands as a key of its own."""
    for name, value in table.items():
        if name in _SECTIONS and isinstance(value, dict):
            yield from ((f"{name}.{key}", inner) for key, inner in value.items())
        else:
            yield f'"{name}"' if "." in name else name, value  # "rogue.mode" in quotes is not the key mode in [rogue]


def _unknown(key: str, value: object) -> Detail:
    if key in _SECTIONS:
        return Detail(key, f"must be a table, [{key}]", expected=f"[{key}]")
    from difflib import get_close_matches

    known = _SECTIONS if isinstance(value, dict) and "." not in key else _KEYS
    nearest = get_close_matches(key[:MAX_KEY_LENGTH], known, 1, 0.0)[0]
    return Detail(values.printable(key), f"is not a known key; the nearest is {nearest}", key, nearest)


def _policy(settings: Mapping[str, Any]) -> Policy:
    """The policy of settings that were all read; silence leaves the defaults of the dataclasses."""
    given: dict[str, dict[str, Any]] = {section: {} for section in ("", *_SECTIONS)}
    for key, value in settings.items():
        section, _, name = key.rpartition(".")
        given[section][name] = value
    identity = {name: value for name, value in given.pop("").items() if name != "format"}
    return Policy(Identity(**identity), **{section: _SECTIONS[section](**named) for section, named in given.items()})


_TEMPLATE: Final = """\
# The policy of sage-git for this repository. Changes to it are judged like any other.
format = {format}

# Made by `sage-git init`, the same for ever: whose record this is, and where it begins.
repository = {repository}
{since}backfill = {backfill}
rules = {rules}

[sidecars]
place = {place}             # beside | tree (all under .sage/tree) | off
suffix = {suffix}

[rogue]
mode = {mode:<22}# record | warn | block: what a commit meets that no plan covers
changes = {changes}
exempt = {exempt}                  # patterns without verdicts, as in .gitignore; recorded all the same

[approval]
signed = {signed}               # true: only with a signature by a key in .sage/allowed_signers
required = {required}                 # distinct approvals that a plan needs
self_approval = {self_approval}         # false: not by who drafted the plan or wrote what it covers
implicit = {implicit}             # true: a plan may cover commits that do not name it

[publish]
remotes = {remotes}
statements = {statements}           # all | plans | none
"""


def render_policy(policy: Policy) -> str:
    """The text of .sage/config.toml that states `policy`, with a word on each key; `parse_policy` reads it back."""
    identity, rogue, approval, publish = policy.identity, policy.rogue, policy.approval, policy.publish
    changes = [judged for judged in Judged if judged in rogue.changes]
    return _TEMPLATE.format(
        format=FORMAT,
        repository=_toml(identity.repository),
        since="" if identity.since is None else f"since = {_toml(identity.since)}\n",
        backfill=_toml(identity.backfill),
        rules=identity.rules,
        place=_toml(policy.sidecars.place),
        suffix=_toml(policy.sidecars.suffix),
        mode=_toml(rogue.mode),
        changes=_toml(changes),
        exempt=_toml(rogue.exempt.texts),
        signed=_toml(approval.signed),
        required=approval.required,
        self_approval=_toml(approval.self_approval),
        implicit=_toml(approval.implicit),
        remotes=_toml(publish.remotes),
        statements=_toml(publish.statements),
    )


def _toml(value: object) -> str:
    """`value` in TOML; what a policy holds is written there as in JSON."""
    import json

    return json.dumps(value, ensure_ascii=False)
