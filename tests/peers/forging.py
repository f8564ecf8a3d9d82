"""Writer logs made by hand, true or not, and put into any bare repository behind git's back.

It is written from SPEC 4.4 and 11 and the C2SP texts, with `cryptography` and nothing of ours, so that it can say what
is right, and make what is wrong: objects are written as files, so no tree, name or mode is refused.

log = Log(repository_id); log.say("lint")            a log with a key of its own
log = read_log(bare, writer, key)                    somebody's, with his key stolen
plant(bare, log.ref, log.files(size=3))              let the repository have it, or a part of it
plant(bare, log.ref, {**log.files(), "hooks/post-update": b"..."})
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SEGMENT = 256
NO_COMMIT = "12" * 20
NOW = "2026-01-02T03:04:05.000Z"


class Odd(NamedTuple):
    """A tree entry with a mode of its own; `content` is the object's id where it is no blob."""

    mode: bytes
    content: bytes


Files = Mapping[str, bytes | Odd]


def canonical(value: object) -> bytes:
    """RFC 8785, for values with ASCII keys and no floats."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sealed(event: Mapping[str, Any]) -> bytes:
    """The line of an event, with its true id."""
    bare = {name: value for name, value in event.items() if name != "eventId"}
    return canonical({**bare, "eventId": hashlib.sha256(canonical(bare)).hexdigest()})


def leaf_of(line: bytes) -> bytes:
    return canonical({"eventId": json.loads(line)["eventId"]})


def action(words: str, **fields: Any) -> bytes:
    """The line of a statement."""
    actor = {"agent": "mallory", "id": "Mallory <mallory@example.org>"}
    event = {"type": "AGENT_ACTION", "actor": actor, "timestamp": NOW, "subject": "actions", "action": words}
    return sealed({**event, **fields})


def root_of(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, to the letter."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root_of(leaves[:split]) + root_of(leaves[split:])).digest()


def note(text: bytes, name: str, key: Ed25519PrivateKey) -> bytes:
    """A C2SP signed note."""
    public = key.public_key().public_bytes_raw()
    key_hash = hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]
    signature = base64.b64encode(key_hash + key.sign(text))
    return text + b"\n\xe2\x80\x94 " + name.encode() + b" " + signature + b"\n"


def is_signed(signed: bytes, name: str, writer: str) -> bool:
    """Whether this is a note signed by the key of `writer`; raises InvalidSignature if it only says so."""
    text, _, signatures = signed.partition(b"\n\n")
    for line in signatures.splitlines():
        dash, who, encoded = line.split(b" ")
        assert dash == b"\xe2\x80\x94"
        if who == name.encode():
            public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(writer))
            public.verify(base64.b64decode(encoded)[4:], text + b"\n")
            return True
    return False


def segment(number: int) -> str:
    """The name of a segment, as in C2SP tlog-tiles."""
    digits = f"{number:03}"
    parts = [digits[max(0, end - 3) : end].zfill(3) for end in range(len(digits), 0, -3)][::-1]
    return "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])


@dataclass
class Log:
    """A writer's log; `bodies` are its events' lines, b"" for one that is withheld."""

    repository: str
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    leaves: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def writer(self) -> str:
        return self.key.public_key().public_bytes_raw().hex()

    @property
    def ref(self) -> str:
        return f"refs/sage/writers/{self.writer}"

    @property
    def origin(self) -> str:
        return f"sage/{self.repository}/{self.writer}"

    def add(self, line: bytes, leaf: bytes | None = None) -> str:
        """Append an event's line; gives the id in its leaf."""
        self.bodies.append(line)
        self.leaves.append(leaf if leaf is not None else leaf_of(line))
        return str(json.loads(self.leaves[-1])["eventId"])

    def say(self, words: str, **fields: Any) -> str:
        return self.add(action(words, **fields))

    def withhold(self, line: bytes) -> str:
        self.bodies.append(b"")
        self.leaves.append(leaf_of(line))
        return str(json.loads(line)["eventId"])

    def checkpoint(
        self, size: int | str | None = None, origin: str | None = None, root: bytes | None = None,
        key: Ed25519PrivateKey | None = None,
    ) -> bytes:  # fmt: skip
        """A checkpoint of the first `size` entries, or of what else it is to say."""
        said = len(self.leaves) if size is None else size
        whole = root_of(self.leaves[: said if isinstance(said, int) else None]) if root is None else root
        named = self.origin if origin is None else origin
        text = f"{named}\n{said}\n{base64.b64encode(whole).decode()}\n".encode()
        return note(text, named, key or self.key)

    def files(self, size: int | None = None, **different: bytes | Odd) -> dict[str, bytes | Odd]:
        """The files of the ref that publishes the first `size` entries; `different` replaces top-level ones."""
        count = len(self.leaves) if size is None else size
        files: dict[str, bytes | Odd] = {}
        for number in range((count + SEGMENT - 1) // SEGMENT):
            part = slice(number * SEGMENT, min(count, (number + 1) * SEGMENT))
            for folder, lines in (("leaves", self.leaves), ("events", self.bodies)):
                files[f"{folder}/{segment(number)}"] = b"".join(line + b"\n" for line in lines[part])
        about = {"key": self.writer, "repository": self.repository, **self.about}
        files |= {"checkpoint": self.checkpoint(count), "writer.json": canonical(about) + b"\n"}
        return files | {name.replace("writer_json", "writer.json"): content for name, content in different.items()}

    def fork(self, size: int) -> Log:
        """Another log under the same key, with the same first entries."""
        return Log(self.repository, self.key, self.leaves[:size], self.bodies[:size], dict(self.about))


def read_log(bare: Path, writer: str, key: Ed25519PrivateKey | None = None) -> Log:
    """The log that `bare` has of a writer, to go on with under `key`."""
    ref = f"refs/sage/writers/{writer}"
    names = git(bare, "ls-tree", "-r", "--name-only", ref).split()

    def lines(folder: str) -> list[bytes]:
        parts = sorted((name for name in names if name.startswith(folder)), key=lambda name: (len(name), name))
        return b"".join(git_bytes(bare, "cat-file", "blob", f"{ref}:{name}") for name in parts).split(b"\n")[:-1]

    about = json.loads(git(bare, "cat-file", "blob", f"{ref}:writer.json"))
    rest = {name: value for name, value in about.items() if name not in ("key", "repository")}
    return Log(about["repository"], key or Ed25519PrivateKey.generate(), lines("leaves/"), lines("events/"), rest)


def git(bare: Path, *arguments: str) -> str:
    return git_bytes(bare, *arguments).decode("utf-8", "surrogateescape")


def git_bytes(bare: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", "--git-dir", bare, *arguments], capture_output=True, check=True).stdout


def write_object(bare: Path, kind: str, content: bytes, oid: str | None = None) -> str:
    """The id of a loose object, written whatever it says; under `oid` if that is to be a lie."""
    raw = f"{kind} {len(content)}\0".encode() + content
    name = oid or hashlib.sha1(raw).hexdigest()
    path = bare / "objects" / name[:2] / name[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(zlib.compress(raw, 1))
    return name


def write_tree(bare: Path, files: Files) -> str:
    """The id of a tree of `files`, whose names are split at "/" and otherwise taken as they are."""
    entries: dict[bytes, tuple[bytes, str]] = {}
    nested: dict[str, dict[str, bytes | Odd]] = {}
    for name, content in files.items():
        top, slash, rest = name.partition("/")
        if slash:
            nested.setdefault(top, {})[rest] = content
        elif isinstance(content, Odd):
            is_blob = content.mode in (b"100644", b"100755", b"120000")
            oid = write_object(bare, "blob", content.content) if is_blob else content.content.decode()
            entries[top.encode("utf-8", "surrogateescape")] = (content.mode, oid)
        else:
            entries[top.encode("utf-8", "surrogateescape")] = (b"100644", write_object(bare, "blob", content))
    for top, inside in nested.items():
        entries[top.encode("utf-8", "surrogateescape")] = (b"40000", write_tree(bare, inside))
    raw = b"".join(
        mode + b" " + name + b"\0" + bytes.fromhex(oid)
        for name, (mode, oid) in sorted(entries.items(), key=lambda e: e[0] + b"/" * (e[1][0] == b"40000"))
    )
    return write_object(bare, "tree", raw)


def write_commit(bare: Path, tree: str, parents: Iterable[str] = ()) -> str:
    """The id of a commit of `tree`."""
    who = "Mallory <mallory@example.org> 1767225600 +0000"
    heads = "".join(f"parent {parent}\n" for parent in parents)
    return write_object(bare, "commit", f"tree {tree}\n{heads}author {who}\ncommitter {who}\n\nlog\n".encode())


def plant(bare: Path, ref: str, files: Files) -> str:
    """Let `bare` have a commit of `files` as `ref`; gives its id."""
    commit = write_commit(bare, write_tree(bare, files))
    point(bare, ref, commit)
    return commit


def point(bare: Path, ref: str, oid: str) -> None:
    """Write a ref, whatever its name; only for repositories whose refs are files."""
    path = bare / ref
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{oid}\n")
