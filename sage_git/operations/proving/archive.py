"""Files in one zip archive that is the same for the same files, and read so that no archive can do harm.

Files are stored, not deflated: the bytes do not depend on anybody's zlib, and what comes out is no larger than what
went in. Nothing is ever written to a path that an archive names. Not here: what the files are.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Mapping
from typing import Final

from sage_git.errors import ProofFailed

MAX_BYTES: Final = 256 << 20
MAX_FILES: Final = 60_000
"""Any zip reader can open that many."""
_NAME: Final = re.compile(r"[a-z_]+(?:\.[a-z]+)?|[a-z]+/[0-9a-f]{64}\.[a-z-]+")
_LONGEST_NAME: Final = 100
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_MODE: Final = 0o100644 << 16
_UNIX: Final = 3
_BROKEN: Final = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    OverflowError,
    ValueError,
    struct.error,
)
"""All that zipfile raises for what is no archive that it knows."""


def packed(files: Mapping[str, bytes]) -> bytes:
    """The archive of these files, by name; the order in which they are given plays no part."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr, entry.create_system = _MODE, _UNIX
            archive.writestr(entry, files[name])
    return content.getvalue()


def unpacked(content: bytes) -> dict[str, bytes]:
    """The files of an archive, by name. Raises ProofFailed for one that `packed` would not have made."""
    if len(content) > MAX_BYTES:
        raise ProofFailed(f"the archive is larger than {MAX_BYTES >> 20} MiB")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            _check(entries, len(content))
            return {entry.filename: archive.read(entry) for entry in entries}
    except _BROKEN as problem:
        raise ProofFailed(f"the archive cannot be read: {problem}") from None


def _check(entries: list[zipfile.ZipInfo], size: int) -> None:
    if len(entries) > MAX_FILES:
        raise ProofFailed(f"the archive has more than {MAX_FILES} files")
    if len({entry.filename for entry in entries}) != len(entries):
        raise ProofFailed("the archive has two files of one name")
    if any(entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1 for entry in entries):
        raise ProofFailed("the archive has files that are compressed or encrypted")
    if sum(entry.file_size for entry in entries) > size:
        raise ProofFailed("the archive has files that lie over one another")
    for entry in entries:
        if len(entry.filename) > _LONGEST_NAME or not _NAME.fullmatch(entry.filename):
            raise ProofFailed(f"the archive has a file {entry.filename[:80]!r}, which is nothing that is known")
