"""What .sage/config.toml may say, and how it is told what it may not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_git.chronicle.ids import ObjectId, RepositoryId
from sage_git.errors import ConfigError
from sage_git.judgement.patterns import Patterns
from sage_git.judgement.policy import (
    MAX_PROBLEMS,
    Approval,
    Identity,
    Judged,
    Mode,
    Place,
    Policy,
    Publish,
    Published,
    Rogue,
    Sidecars,
    parse_policy,
    render_policy,
)

LEAST = 'format = 1\nrepository = "6f1c6f1c6f1c6f1c6f1c6f1c6f1c6f1c"\n'
OBJECT_ID = "9a0e" * 10

IN_FULL = f"""\
format = 1
repository = "6f1c6f1c6f1c6f1c6f1c6f1c6f1c6f1c"
since = "{OBJECT_ID}"
backfill = ["{"ab" * 32}"]
rules = 1
[sidecars]
place = "tree"
suffix = ".chronicle.sage"
[rogue]
mode = "block"
changes = ["edit", "remove"]
exempt = ["vendor/**", "!vendor/ours"]
[approval]
signed = true
required = 2
self_approval = false
implicit = true
[publish]
remotes = ["origin", "team/mirror"]
statements = "plans"
"""

hexadecimal = st.text("0123456789abcdef", min_size=40, max_size=40).map(ObjectId)
printable = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=8)
policies = st.builds(
    Policy,
    st.builds(
        Identity, hexadecimal.map(RepositoryId), st.none() | hexadecimal, st.lists(hexadecimal, max_size=2).map(tuple)
    ),
    st.builds(Sidecars, st.sampled_from(Place), st.sampled_from([".sage", ".chronicle.sage"])),
    st.builds(
        Rogue,
        st.sampled_from(Mode),
        st.frozensets(st.sampled_from(Judged)),
        st.lists(printable, max_size=3).map(Patterns),
    ),
    st.builds(Approval, st.booleans(), st.integers(1, 9), st.booleans(), st.booleans()),
    st.builds(Publish, st.lists(st.sampled_from(["origin", "a/b"])).map(tuple), st.sampled_from(Published)),
)


def problems(text: str | bytes) -> dict[str, str]:
    """What is wrong with `text`, by key."""
    with pytest.raises(ConfigError) as raised:
        parse_policy(text.encode() if isinstance(text, str) else text)
    assert raised.value.code == "ECONFIG"
    return {detail.field: detail.reason for detail in raised.value.details}


def test_silence_means_the_defaults() -> None:
    policy = parse_policy(LEAST.encode())
    assert policy == Policy(Identity(RepositoryId("6f1c" * 8), since=None, backfill=(), rules=1))
    assert policy.sidecars == Sidecars(Place.BESIDE, ".sage")
    assert policy.rogue == Rogue(Mode.WARN, frozenset(Judged), Patterns())
    assert policy.approval == Approval(signed=False, required=1, self_approval=True, implicit=False)
    assert policy.publish == Publish(("origin",), Published.ALL)


def test_every_key_is_read() -> None:
    assert parse_policy(IN_FULL.encode()) == Policy(
        Identity(RepositoryId("6f1c" * 8), ObjectId(OBJECT_ID), (ObjectId("ab" * 32),), 1),
        Sidecars(Place.TREE, ".chronicle.sage"),
        Rogue(Mode.BLOCK, frozenset({Judged.EDIT, Judged.REMOVE}), Patterns(["vendor/**", "!vendor/ours"])),
        Approval(signed=True, required=2, self_approval=False, implicit=True),
        Publish(("origin", "team/mirror"), Published.PLANS),
    )


@given(policies)
def test_what_is_rendered_reads_back_as_the_same_policy(policy: Policy) -> None:
    assert parse_policy(render_policy(policy).encode()) == policy


def test_what_init_writes_is_short_and_explains_itself() -> None:
    text = render_policy(Policy(Identity(RepositoryId("6f1c" * 8), ObjectId(OBJECT_ID))))
    assert len(text.splitlines()) < 40
    assert max(map(len, text.splitlines())) <= 100
    assert f'since = "{OBJECT_ID}"\n' in text
    assert "since" not in render_policy(Policy(Identity(RepositoryId("6f1c" * 8))))


@pytest.mark.parametrize(
    "text, key, nearest",
    [
        ('repositry = "6f1c"', "repositry", "repository"),
        ('[rogue]\nmod = "warn"', "rogue.mod", "rogue.mode"),
        ('mode = "warn"', "mode", "rogue.mode"),
        ("[aproval]\nsigned = true", "aproval", "approval"),
        ("[approval]\nself-approval = true", "approval.self-approval", "approval.self_approval"),
        ('"rogue.mode" = "warn"', '"rogue.mode"', "rogue.mode"),
    ],
)
def test_an_unknown_key_is_an_error_that_names_the_nearest(text: str, key: str, nearest: str) -> None:
    assert problems(LEAST + text)[key] == f"is not a known key; the nearest is {nearest}"


@pytest.mark.parametrize(
    "text, key, reason",
    [
        ('since = "9a0e"', "since", 'must be a full object id in lower-case hex, not "9a0e"'),
        ("backfill = [1]", "backfill", "must be a list of full object ids in lower-case hex, not [1]"),
        ("rules = 2", "rules", "must be 1, which is all that this sage-git knows, not 2"),
        ("[sidecars]\nplace = 'up'", "sidecars.place", 'must be one of "beside", "tree", "off", not "up"'),
        ("[sidecars]\nsuffix = '/x.sage'", "sidecars.suffix",
         'must be a suffix that ends in ".sage", like ".chronicle.sage", not "/x.sage"'),
        ("[sidecars]\nsuffix = 'sage'", "sidecars.suffix",
         'must be a suffix that ends in ".sage", like ".chronicle.sage", not "sage"'),
        ("[rogue]\nmode = true", "rogue.mode", 'must be one of "record", "warn", "block", not true'),
        ("[rogue]\nchanges = 'edit'", "rogue.changes",
         'must be a list of "add", "edit", "remove", "rename", not "edit"'),
        ("[rogue]\nexempt = ['']", "rogue.exempt",
         'must be a list of patterns like those in .gitignore, e.g. ["vendor/**"], not [\'\']'),
        ("[approval]\nsigned = 1", "approval.signed", "must be true or false, not 1"),
        ("[approval]\nrequired = true", "approval.required", "must be a number of signers from 1, not true"),
        ("[approval]\nrequired = 0", "approval.required", "must be a number of signers from 1, not 0"),
        ("[publish]\nremotes = ['--upload-pack=x']", "publish.remotes",
         "must be a list of names of remotes, e.g. [\"origin\"], not ['--upload-pack=x']"),
        ("[publish]\nremotes = ['ext::sh -c x']", "publish.remotes",
         "must be a list of names of remotes, e.g. [\"origin\"], not ['ext::sh -c x']"),
        ("rogue = 1", "rogue", "must be a table, [rogue]"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_told_with_what_stands_there_and_what_should(text: str, key: str, reason: str) -> None:
    assert problems(LEAST + text) == {key: reason}


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert list(problems('format = 2\n[rogue]\nmode = "x"\nmodus = 1')) == [
        "format",
        "rogue.mode",
        "rogue.modus",
        "repository",
    ]


@pytest.mark.parametrize(
    "text, reason",
    [
        (b"a = [", "is not TOML: Invalid value (at end of document)"),
        (b"\xff", "is not UTF-8 at byte 0"),
        (b"a = " + b"[" * 100_000, "is nested too deeply"),
        (b"#" * 300_000, "is larger than 262144 bytes"),
    ],
)
def test_text_that_is_no_toml_is_a_config_error(text: bytes, reason: str) -> None:
    assert problems(text) == {"": reason}


def test_nothing_hostile_reaches_the_message() -> None:
    with pytest.raises(ConfigError) as raised:
        parse_policy(b'"\\u001b[31m\\u202e" = 1\n[rogue]\nmode = "\\u001b]0;x\\u0007"')
    assert str(raised.value).isprintable()


@pytest.mark.timeout(30)  # more than enough
def test_many_wrong_keys_are_not_all_told_and_cost_little() -> None:
    assert len(problems("\n".join(f"key{number} = 1" for number in range(15_000)))) == MAX_PROBLEMS
    assert "k" * 300 not in "".join(problems(LEAST + "k" * 200_000 + " = 1"))


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_text_is_a_policy_or_a_config_error(text: bytes) -> None:
    with pytest.raises(ConfigError):
        parse_policy(text)
