"""What the index does when a transaction cannot be finished."""

from __future__ import annotations

import pytest

from sage_git.errors import StorageError
from sage_git.storage.index import Index


def end_and_fail(index):
    with index.transaction():
        index.connection.execute("ROLLBACK")
        raise KeyError("mine")


def test_a_transaction_that_sqlite_ended_by_itself_tells_its_own_error(tmp_path):
    with Index.open(tmp_path / "index.sqlite") as index:
        with pytest.raises(KeyError, match="mine"):
            end_and_fail(index)
        with index.transaction():
            index.keep("a", "b")
        assert index.value("a") == "b"


def test_a_full_disk_is_said_and_leaves_the_index_usable(tmp_path):
    with Index.open(tmp_path / "index.sqlite") as index:
        pages = index.connection.execute("PRAGMA page_count").fetchone()[0]
        index.connection.execute(f"PRAGMA max_page_count={pages + 1}")
        with pytest.raises(StorageError, match="full"), index.transaction():
            index.keep("large", "x" * 1_000_000)
        assert index.value("large") is None
        with index.transaction():
            index.keep("a", "b")
        assert index.value("a") == "b"
