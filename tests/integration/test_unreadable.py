"""A commit that git cannot read keeps no other commit from being recorded (SPEC 12)."""

from __future__ import annotations

import json
from pathlib import Path

from tests.kit import GitRepository, run_sage
from tests.recorded import keep_record, logged, sage


def damage(repository: GitRepository, name: str) -> None:
    """Overwrite the loose object that `name` names."""
    oid = repository.git("rev-parse", name)
    path = repository.path / ".git/objects" / oid[:2] / oid[2:]
    path.chmod(0o644)
    path.write_bytes(b"damaged")


def recorded_paths(where: Path) -> set[str]:
    return {event["filePath"] for event in logged(where)}


def test_a_damaged_blob_defers_its_commit_and_what_follows_only(repository: GitRepository) -> None:
    keep_record(repository)
    start = repository.head
    repository.git("-c", "core.hooksPath=/dev/null", "checkout", "-qb", "broken")
    (repository.path / "kept.txt").write_text("kept\n")
    quietly = ("-c", "core.hooksPath=/dev/null")
    repository.git("add", ".")
    repository.git(*quietly, "commit", "-qm", "broken")
    broken = repository.head
    repository.git(*quietly, "checkout", "-q", "--detach", start)
    (repository.path / "other.txt").write_text("other\n")
    repository.git("add", ".")
    repository.git(*quietly, "commit", "-qm", "sound")
    damage(repository, f"{broken}^{{tree}}")
    done = run_sage("record", cwd=repository.path)
    assert done.returncode == 1, done.stderr
    assert broken[:12] in done.stdout
    assert "other.txt" in recorded_paths(repository.path)
    assert "kept.txt" not in recorded_paths(repository.path)
    assert broken in {entry["commit"] for entry in json.loads(sage(repository.path, "status", "--json"))["deferred"]}


def test_a_reflog_entry_whose_history_is_gone_keeps_nothing_waiting(repository: GitRepository) -> None:
    keep_record(repository)
    quietly = ("-c", "core.hooksPath=/dev/null")
    for name in ("one", "two"):
        (repository.path / f"{name}.txt").write_text(f"{name}\n")
        repository.git("add", ".")
        repository.git(*quietly, "commit", "-qm", name)
    lost = repository.git("rev-parse", "HEAD~1")
    repository.git(*quietly, "reset", "-q", "--hard", "HEAD~2")
    (repository.path / ".git/objects" / lost[:2] / lost[2:]).unlink()
    (repository.path / "sound.txt").write_text("sound\n")
    repository.git("add", ".")
    repository.git(*quietly, "commit", "-qm", "sound")
    run_sage("record", cwd=repository.path)
    assert "sound.txt" in recorded_paths(repository.path)
