"""`sage/clone.json`: which record this clone keeps. Written by `init`; everything else reads it.

`deinit` leaves it as `left.json`, so that a later `init` goes on with the record that is still there, and no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from sage_git.chronicle.canonical import canonical_json, parse_json
from sage_git.chronicle.ids import ObjectId, RepositoryId, is_hex
from sage_git.errors import NotHere, StorageError, ValidationError
from sage_git.storage.durable import make_directory, replace_file

FILE_NAME: Final = "clone.json"
LEFT: Final = "left.json"


@dataclass(frozen=True, slots=True)
class Identity:
    """What facts and sidecars depend on. `reflog_marks` has, per HEAD reflog, the digest of its last line at `init`."""

    repository: RepositoryId
    since: ObjectId | None
    backfill: tuple[ObjectId, ...] = ()
    rules: int = 1
    suffix: str = ".sage"
    place: str = "beside"
    joined: str = ""
    reflog_marks: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, directory: Path, name: str = FILE_NAME) -> Self | None:
        """The identity in `directory` (sage/); None if `init` was never run here. Raises NotHere, StorageError."""
        path = directory / name
        try:
            value = parse_json(path.read_bytes())
            known = {name: value[name] for name in cls.__dataclass_fields__ if name in value}
            identity = cls(**known | {"backfill": tuple(known.get("backfill", ()))})
            identity._check()
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise StorageError.from_os(problem, str(path), "read") from problem
        except (ValidationError, TypeError, KeyError) as problem:
            remedy = f"delete {path} and run `sage-git init` again; nothing is lost"
            raise NotHere(f"{path} is damaged: {problem}", remedy=remedy) from None
        return identity

    def _check(self) -> None:
        """Raises TypeError for values that no `init` writes; what they lead to would be worse than an error."""
        suffix: object = self.suffix  # whatever the file had
        marks: object = self.reflog_marks
        is_right = {
            "repository": isinstance(self.repository, str),
            "since": self.since is None or is_object_id(self.since),
            "backfill": all(map(is_object_id, self.backfill)),
            "suffix": isinstance(suffix, str) and suffix.endswith(".sage") and not {"/", "\0"}.intersection(suffix),
            "place": self.place in ("beside", "tree", "off"),
            "reflog_marks": isinstance(marks, dict) and all(isinstance(mark, str) for mark in marks.values()),
        }
        for name, holds in is_right.items():
            if not holds:
                raise TypeError(f"{name} is not to be used")

    def write(self, directory: Path, name: str = FILE_NAME) -> None:
        """Keep this identity in `directory`. Raises StorageError."""
        make_directory(directory)
        fields: dict[str, Any] = asdict(self) | {"format": 1, "backfill": list(self.backfill)}
        replace_file(directory / name, canonical_json(fields) + b"\n")


def is_object_id(value: object) -> bool:
    """True if `value` is an object's id in either format."""
    return isinstance(value, str) and is_hex(value, 40, 64)
