"""Who may sign: the format of ssh-keygen(1), line by line, and that ssh-keygen itself agrees."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_git.proof.allowed_signers import MAX_BYTES, names_of, parse
from sage_git.proof.publickey import Key
from tests.signing import NAMESPACE, make_key, needs_ssh_keygen, public_of, says_yes, sign

VECTORS = json.loads(Path(__file__).with_name("signatures.json").read_text(encoding="ascii"))
ADA, BOB = VECTORS[0]["key"], VECTORS[2]["key"]
KEY, OTHER = Key.from_text(ADA), Key.from_text(BOB)


def at(*day: int) -> int:
    return int(datetime(*day, tzinfo=UTC).timestamp())  # type: ignore[arg-type, misc]


NOON = at(2026, 6, 1, 12)


def may(text: str, principal: str = "ada@example.org", key: Key = KEY, namespace=NAMESPACE, when: int = NOON) -> bool:
    signers = parse(text.encode())
    assert signers.bad_lines == ()
    return signers.principal_may(principal, key, namespace, when)


def reasons(text: str | bytes) -> list[tuple[int, str]]:
    return [(bad.number, bad.reason) for bad in parse(text if isinstance(text, bytes) else text.encode()).bad_lines]


# A line's principals, who asks, and whether that is one of them. ssh-keygen is asked the same.
PRINCIPALS = [
    ("ada@example.org", "ada@example.org", True),
    ("ada@example.org", "eve@example.org", False),
    ("ada@example.org", "ADA@example.org", False),
    ("ada@example.org", "xada@example.org", False),
    ("bob@example.org,ada@example.org", "ada@example.org", True),
    ("*@example.org", "ada@example.org", True),
    ("*@example.org", "ada@example.org.evil", False),
    ("ad?@example.org", "ada@example.org", True),
    ("ad?@example.org", "ad@example.org", False),
    ("*", "anybody at all", True),
    ("!ada@example.org,*@example.org", "ada@example.org", False),
    ("!ada@example.org,*@example.org", "bob@example.org", True),
    ("*@example.org,!ada@*", "ada@example.org", False),
    ("!ada@example.org", "bob@example.org", False),
    ('"Ada Lovelace"', "Ada Lovelace", True),
    ("a*b*c", "aXbYbZc", True),
    ("a*b*c", "aXbYbZ", False),
]


@pytest.mark.parametrize("principals, asked, allowed", PRINCIPALS)
def test_principals_are_patterns_and_a_negated_one_that_fits_wins(principals, asked, allowed):
    assert may(f"{principals} {ADA}", asked) is allowed


@needs_ssh_keygen
def test_ssh_keygen_agrees_on_every_principal(tmp_path):
    key, signers = make_key(tmp_path), tmp_path / "signers"
    signature = sign(key, b"x")
    for principals, asked, allowed in PRINCIPALS:
        signers.write_text(f"{principals} {public_of(key)}\n")
        assert says_yes(signature, b"x", signers, asked) is allowed, (principals, asked)


OPTIONS = [
    ('namespaces="sage-event@v1"', True),
    ('namespaces="git,sage-event@*"', True),
    ('namespaces="git"', False),
    ('namespaces="!sage-event@v1,*"', False),
    ('NameSpaces="sage-event@v1"', True),
    ('valid-after="20260601Z"', True),
    ('valid-after="20260601120000Z"', True),
    ('valid-after="202606011201Z"', False),
    ('valid-before="20260601120000Z"', True),
    ('valid-before="202606011159Z"', False),
    ('valid-before="20260601Z"', False),
    ('valid-after="20260101Z",valid-before="20270101Z"', True),
    ('namespaces="sage-event@v1",valid-before="20250101Z"', False),
    ('valid-after="20260101Z",namespaces="x y,sage-event@v1"', True),
]


@pytest.mark.parametrize("options, allowed", OPTIONS)
def test_options_limit_a_line_to_namespaces_and_times(options, allowed):
    assert may(f"ada@example.org {options} {ADA}") is allowed


@needs_ssh_keygen
def test_ssh_keygen_agrees_on_every_option(tmp_path):
    key, signers = make_key(tmp_path), tmp_path / "signers"
    signature = sign(key, b"x")
    for options, allowed in OPTIONS:
        signers.write_text(f"ada {options} {public_of(key)}\n")
        when = "-Overify-time=20260601120000Z"
        assert says_yes(signature, b"x", signers, "ada", when) is allowed, options


def test_times_without_a_zone_are_in_utc_wherever_one_reads(monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    assert may(f'* valid-after="20260601120000" {ADA}')
    assert not may(f'* valid-after="20260601120001" {ADA}')


def test_a_key_is_allowed_by_any_of_its_lines_and_no_other_key_by_them():
    text = f"# team\n\n  ada@example.org {ADA} laptop\n\tbob@example.org\t{BOB}\nada@example.org {BOB}\r\n"
    assert may(text)
    assert may(text, key=OTHER)
    assert may(text, "bob@example.org", OTHER)
    assert not may(text, "bob@example.org", KEY)


@pytest.mark.parametrize(
    "principal, names",
    [
        ("ada@example.org", ("ada@example.org",)),
        ("Ada Lovelace <ada@example.org>", ("Ada Lovelace <ada@example.org>", "ada@example.org")),
        ("Eve <ada@example.org> <eve@example.org>", ("Eve <ada@example.org> <eve@example.org>",)),
        ("Eve <ada@example.org> Evil", ("Eve <ada@example.org> Evil",)),
        ("Ada <>", ("Ada <>",)),
        ("", ("",)),
    ],
)
def test_a_person_is_known_by_the_one_address_or_by_the_whole(principal, names):
    assert names_of(principal) == names


def test_whoever_is_excluded_stays_so_under_the_whole_name():
    assert not may(f"!ada@example.org,* {ADA}", "Ada <ada@example.org>")
    assert may(f"!ada@example.org,* {ADA}", "Bob <bob@example.org>")


@pytest.mark.parametrize(
    "line, why",
    [
        ("ada@example.org", "must be: principals"),
        ("ada@example.org ", "must be: principals"),
        ("ada@example.org ssh-ed25519", "neither a key nor options"),
        ("ada@example.org ssh-ed25519 AAAA", "ends in the middle"),
        ("ada@example.org ssh-ed25519 AAAA!", "not in Base64"),
        (f"ada@example.org ssh-rsa {ADA.split()[1]}", "says 'ssh-rsa' of a key of the kind ssh-ed25519"),
        ("ada@example.org ssh-dss AAAAB3NzaC1kc3M=", "ssh-dss, which is not accepted"),
        (f"*@example.org cert-authority {ADA}", "cert-authority"),
        (f"*@example.org Cert-Authority {ADA}", "cert-authority"),
        (f'*@example.org cert-authority,namespaces="git" {ADA}', "cert-authority"),
        (f'ada namespaces="a",namespaces="b" {ADA}', "namespaces twice"),
        (f"ada namespaces=git {ADA}", "neither a key nor options"),
        (f"ada namespaces {ADA}", "must give namespaces a value"),
        (f'ada no-touch-required="x" {ADA}', "unknown option no-touch-required"),
        (f'ada namespaces="git", {ADA}', "neither a key nor options"),
        (f'ada namespaces="git {ADA}', "neither a key nor options"),
        (f'ada valid-after="yesterday" {ADA}', "neither YYYYMMDD"),
        (f'ada valid-after="20261301" {ADA}', "no calendar"),
        (f'ada valid-after="20260230" {ADA}', "no calendar"),
        (f'ada valid-after="202601012460" {ADA}', "no calendar"),
        (f'ada valid-after="20270101",valid-before="20260101" {ADA}', "before it begins"),
        (f'"ada {ADA}', "must be: principals"),
        (b"ad\xff " + ADA.encode(), "not UTF-8"),
    ],
)
def test_a_bad_line_is_reported_with_its_number_and_the_others_stand(line, why):
    raw = line if isinstance(line, bytes) else line.encode()
    text = b"# first\n" + raw + f"\nada@example.org {ADA}\n".encode()
    [(number, reason)] = reasons(text)
    assert (number, why in reason) == (2, True), reason
    assert parse(text).principal_may("ada@example.org", KEY, NAMESPACE, NOON)


def test_a_file_that_is_far_too_large_lets_nobody_sign():
    text = f"ada@example.org {ADA}\n".encode() * (MAX_BYTES // 60)
    assert parse(text).signers == ()
    assert reasons(text) == [(0, "the file is larger than 1048576 bytes")]


@given(st.one_of(st.binary(), st.text(alphabet=' \t\n#"\\=,!*<>-azAZ0cert-authority').map(str.encode)))
def test_whatever_it_is_it_is_read(text):
    parse(text)


@given(st.lists(st.sampled_from(["ada", "*", '"a b"', "namespaces=", '"git"', ",", "cert-authority", ADA, BOB, "\n"])))
def test_whatever_the_pieces_of_a_line_stand_in_it_is_read(pieces):
    for joint in ("", " "):
        found = parse(joint.join(pieces).encode())
        assert len(found.signers) + len(found.bad_lines) <= "".join(pieces).count("\n") + 1


def test_patterns_that_others_need_ages_for_are_answered_at_once():
    assert not may(f"{'*a' * 500}b {ADA}", "a" * 1000)
