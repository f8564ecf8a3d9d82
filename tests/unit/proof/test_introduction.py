"""Introductions of writers, and certificates of whose they are."""

from __future__ import annotations

import pytest

from sage_git.chronicle.ids import RepositoryId
from sage_git.errors import ProofFailed
from sage_git.proof.allowed_signers import AllowedSigners, parse
from sage_git.proof.introduction import NAMESPACE, Introduction, certified_by, introduced
from sage_git.storage import keys
from tests.signing import Authenticator, make_key, needs_ssh_keygen, public_of, sign
from tests.unit.proof.logs import OTHER, REPOSITORY, WRITER

ABOUT = Introduction(WRITER, REPOSITORY)
NOON = 1_780_000_000


def test_an_introduction_prints_back_to_the_same_bytes():
    for each in (ABOUT, Introduction(WRITER, REPOSITORY, OTHER)):
        assert Introduction.parse(each.content) == each
    assert ABOUT.content == f'{{"key":"{WRITER}","repository":"{REPOSITORY}"}}\n'.encode()


def test_a_clone_introduces_itself_like_this(tmp_path):
    writer = keys.ensure_writer(tmp_path, RepositoryId(REPOSITORY))
    assert introduced(keys.introduction(tmp_path), REPOSITORY, writer) == Introduction(writer, REPOSITORY)


def test_the_introduction_of_another_is_refused():
    for repository, writer in (("a" * 64, WRITER), (REPOSITORY, OTHER)):
        with pytest.raises(ProofFailed, match="of another writer"):
            introduced(ABOUT.content, repository, writer)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"null\n",
        b"[]\n",
        b"{}\n",
        ABOUT.content[:-1],
        ABOUT.content + b"\n",
        ABOUT.content.replace(b":", b": "),
        ABOUT.content.replace(WRITER.encode(), WRITER.upper().encode()),
        ABOUT.content.replace(WRITER.encode(), WRITER[:-1].encode()),
        ABOUT.content.replace(WRITER.encode(), b"00" * 32),
        ABOUT.content.replace(REPOSITORY.encode(), b"../../etc"),
        ABOUT.content.replace(b"}", b',"supersedes":null}'),
        ABOUT.content.replace(b"}", b',"supersedes":"%s"}' % WRITER.encode()),
        ABOUT.content.replace(b"}", b',"supersedes":["%s"]}' % OTHER.encode()),
        ABOUT.content.replace(b"}", b',"tomorrow":"%s"}' % OTHER.encode()),
        ABOUT.content.replace(b"}", b',"supersedes":"' + b"x" * 2_000 + b'"}'),
    ],
)
def test_what_is_not_in_the_form_of_an_introduction_is_refused(content):
    with pytest.raises(ProofFailed):
        Introduction.parse(content)


@needs_ssh_keygen
def test_whoever_has_an_allowed_key_certifies_a_writer(tmp_path):
    key = make_key(tmp_path)
    certificate = sign(key, ABOUT.content, namespace=NAMESPACE).encode()
    for who, options in (("ada@example.org", ""), ("*@x,eve", 'namespaces="sage-*" ')):
        allowed = signers(f"{who} {options}{public_of(key)}")
        assert certified_by(ABOUT.content, certificate, allowed, NOON) == who


def signers(*lines: str) -> AllowedSigners:
    return parse("\n".join(lines).encode())


def test_a_certificate_must_be_of_this_introduction_by_an_allowed_key_in_time():
    token = Authenticator("ed25519")
    certificate = token.sign(ABOUT.content, namespace=NAMESPACE).encode()
    ada = f"ada@example.org {token.key.text}"
    assert certified_by(ABOUT.content, certificate, signers(ada), NOON) == "ada@example.org"
    other = Introduction(OTHER, REPOSITORY).content
    for content, made, allowed in (
        (other, certificate, signers(ada)),
        (ABOUT.content, token.sign(ABOUT.content).encode(), signers(ada)),
        (ABOUT.content, b"no signature", signers(ada)),
        (ABOUT.content, "é".encode(), signers(ada)),
        (ABOUT.content, certificate, signers()),
        (ABOUT.content, certificate, signers(f"ada@example.org {Authenticator('ed25519').key.text}")),
        (ABOUT.content, certificate, signers(ada.replace(" ", ' namespaces="git" ', 1))),
        (ABOUT.content, certificate, signers(ada.replace(" ", ' valid-before="20200101" ', 1))),
    ):
        with pytest.raises(ProofFailed):
            certified_by(content, made, allowed, NOON)
