"""This clone's key and its public half."""

from __future__ import annotations

import json
import stat
import subprocess
import sys

import pytest

from sage_git.chronicle.ids import RepositoryId
from sage_git.errors import ValidationError
from sage_git.storage.durable import unfinished
from sage_git.storage.keys import ensure_writer, introduction, load_key, writer_id

REPOSITORY = RepositoryId("r1")


def test_a_key_is_made_once_and_only_its_user_can_read_it(tmp_path):
    directory = tmp_path / "sage"
    assert writer_id(directory) is None
    made = ensure_writer(directory, REPOSITORY)
    assert ensure_writer(directory, REPOSITORY) == made == writer_id(directory)
    assert load_key(directory).public_key().public_bytes_raw().hex() == made
    assert stat.S_IMODE((directory / "writer.key").stat().st_mode) == 0o600
    assert json.loads(introduction(directory)) == {"key": made, "repository": "r1"}


def test_a_crash_between_the_two_files_keeps_the_key(tmp_path):
    made = ensure_writer(tmp_path, REPOSITORY)
    (tmp_path / "writer.json").unlink()
    assert ensure_writer(tmp_path, REPOSITORY) == made


def test_a_half_written_key_is_no_key(tmp_path):
    unfinished(tmp_path / "writer.key").write_bytes(b"-----BEGIN")
    assert len(ensure_writer(tmp_path, REPOSITORY)) == 64


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"key":"xyz"}', b'{"key":7}'])
def test_a_damaged_public_half_is_told(tmp_path, content):
    ensure_writer(tmp_path, REPOSITORY)
    (tmp_path / "writer.json").write_bytes(content)
    with pytest.raises(ValidationError):
        writer_id(tmp_path)


def test_a_damaged_key_is_told_and_not_replaced(tmp_path):
    (tmp_path / "writer.key").write_bytes(b"garbage")
    with pytest.raises(ValidationError, match="Ed25519"):
        ensure_writer(tmp_path, REPOSITORY)
    assert (tmp_path / "writer.key").read_bytes() == b"garbage"


def test_reading_the_id_does_not_load_the_cryptography(tmp_path):
    ensure_writer(tmp_path, REPOSITORY)
    asked = "import sys, pathlib; from sage_git.storage.keys import writer_id; writer_id(pathlib.Path(sys.argv[1]))"
    check = f"{asked}; assert 'cryptography' not in sys.modules"
    subprocess.run([sys.executable, "-c", check, str(tmp_path)], check=True)
