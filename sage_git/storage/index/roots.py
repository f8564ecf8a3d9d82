"""The Merkle roots of whole segments, which never change: by the git blob that has the leaves, in whichever log."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping


class RootTable:
    """The roots of an index."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def known(self, leaves: Iterable[str]) -> dict[str, bytes]:
        """The roots that are kept of segments, by the id of the blob with their leaves."""
        sql = "SELECT roots.leaves, roots.root FROM json_each(?) AS asked JOIN roots ON roots.leaves = asked.value"
        return dict(self._connection.execute(sql, (json.dumps(list(leaves)),)))

    def keep(self, roots: Mapping[str, bytes]) -> None:
        """Keep the roots of segments."""
        self._connection.executemany("INSERT OR IGNORE INTO roots VALUES (?, ?)", sorted(roots.items()))
