"""This clone's identity as a writer: an Ed25519 key that only its user can read, and its public half.

The public half stands in a file of its own, so that whoever only needs the writer's id (every command) does not load
the cryptography. Not here: signing, certifying, and when a key is needed. The caller of `ensure_writer` holds
`log.lock`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sage_git.chronicle.canonical import canonical_json, parse_json
from sage_git.chronicle.ids import RepositoryId, is_hex
from sage_git.errors import Detail, StorageError, ValidationError
from sage_git.storage.durable import make_directory, replace_file
from sage_git.storage.lock import open_regular

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NEXT_KEY: Final = "writer.next.key"
NEXT_INTRODUCTION: Final = "writer.next.json"
_MOST_BYTES: Final = 1 << 16


def writer_id(directory: Path) -> str | None:
    """The writer key id (hex of the public key) of the clone with this `sage/` directory; None before its first append.

    Raises StorageError, ValidationError.
    """
    path = directory / "writer.json"
    content = _read(path)
    if content is None:
        return None
    value = parse_json(content)
    key = value.get("key") if isinstance(value, dict) else None
    if not isinstance(key, str) or not is_hex(key, 64):
        remedy = "delete the file; it is made again from writer.key"
        raise ValidationError(Detail(f"{path.name}.key", "is no public key", key, "64 hex digits"), remedy=remedy)
    return key


def ensure_writer(directory: Path, repository: RepositoryId) -> str:
    """The writer key id of this clone; a key is made if there is none. Raises StorageError, ValidationError.

    The key is on disk before anything names it: a crash between the two files leaves a key whose public half the next
    call writes.
    """
    known = writer_id(directory)
    if known is not None:
        return known
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    make_directory(directory)
    public = _key(directory / "writer.key").public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    replace_file(directory / "writer.json", canonical_json({"key": public, "repository": repository}) + b"\n")
    return public


def prepare_successor(directory: Path, repository: RepositoryId) -> str:
    """The key id under which this clone will go on; key and introduction wait beside the ones in use.

    Raises StorageError, ValidationError.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = _key(directory / NEXT_KEY).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    said = {"key": public, "repository": repository, "supersedes": writer_id(directory)}
    replace_file(directory / NEXT_INTRODUCTION, canonical_json(said) + b"\n")
    return public


def adopt_successor(directory: Path) -> None:
    """Have this clone write under the key that was prepared. Safe to do again after a crash. Raises StorageError."""
    said, key = _read(directory / NEXT_INTRODUCTION), _read(directory / NEXT_KEY)
    if key is not None:
        replace_file(directory / "writer.key", key, 0o600)
    if said is not None:
        replace_file(directory / "writer.json", said)
    for waited in (NEXT_INTRODUCTION, NEXT_KEY):
        (directory / waited).unlink(missing_ok=True)


def introduction(directory: Path) -> bytes:
    """The content of writer.json, as the sealed log carries it. Raises StorageError."""
    content = _read(directory / "writer.json")
    if content is None:
        remedy = "nothing to do: the next append makes it again from writer.key"
        raise StorageError(str(directory / "writer.json"), "read", "ENOENT", remedy=remedy)
    return content


def load_key(directory: Path) -> Ed25519PrivateKey:
    """This clone's private key. Raises StorageError, ValidationError."""
    content = _read(directory / "writer.key")
    if content is None:
        raise StorageError(str(directory / "writer.key"), "read", "ENOENT", remedy="restore it from a backup")
    return _parse(content, directory / "writer.key")


def _key(path: Path) -> Ed25519PrivateKey:
    """The key in `path`, made if there is none."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    content = _read(path)
    if content is not None:
        return _parse(content, path)
    key = Ed25519PrivateKey.generate()
    replace_file(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
    return key


def _parse(content: bytes, path: Path) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(content, None)
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise ValidationError(Detail(path.name, "is no Ed25519 key", None, "PKCS#8 in PEM"), remedy=f"restore {path}")
    return key


def _read(path: Path) -> bytes | None:
    """The content of a small file; None if there is none. Raises StorageError."""
    if not path.exists():
        return None
    fd = open_regular(path, os.O_RDONLY)
    try:
        return os.read(fd, _MOST_BYTES)
    except OSError as problem:
        raise StorageError.from_os(problem, str(path), "read") from problem
    finally:
        os.close(fd)
