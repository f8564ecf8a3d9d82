"""The tables of the index. A change here is a new VERSION: the index is then made anew."""

from __future__ import annotations

from typing import Final

VERSION: Final = 5

NOT_A_FACT: Final = (
    "type NOT IN ('FILE_ADDED', 'FILE_EDITED', 'FILE_REMOVED', 'FILE_RENAMED', 'FILE_SPLIT', 'FILE_MERGED')"
)
"""The condition of a partial index; SQLite uses that only for queries that say the same, word for word."""

SCHEMA: Final = f"""
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;

-- Raw repository paths.
CREATE TABLE IF NOT EXISTS paths (id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE);

-- Observed commits. effective: the latest committer second among it and its ancestors.
CREATE TABLE IF NOT EXISTS commits (
    id INTEGER PRIMARY KEY, oid BLOB NOT NULL UNIQUE, chain INTEGER NOT NULL, position INTEGER NOT NULL,
    generation INTEGER NOT NULL, effective INTEGER NOT NULL, committed INTEGER NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS commits_by_place ON commits (chain, position);
-- A chain of commits along first parents; base: where it branched off.
CREATE TABLE IF NOT EXISTS chains (
    id INTEGER PRIMARY KEY, length INTEGER NOT NULL, base_chain INTEGER, base_position INTEGER);
-- Every parent that is not simply the previous position of the same chain.
CREATE TABLE IF NOT EXISTS links (
    chain INTEGER NOT NULL, position INTEGER NOT NULL, to_chain INTEGER NOT NULL, to_position INTEGER NOT NULL);
-- H(commit, path) where it is not as the first parent has it: event ids, 32 bytes each.
CREATE TABLE IF NOT EXISTS heads (
    path INTEGER NOT NULL, chain INTEGER NOT NULL, position INTEGER NOT NULL, events BLOB NOT NULL,
    detached INTEGER NOT NULL, PRIMARY KEY (path, chain, position)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS heads_by_place ON heads (chain, position);
CREATE INDEX IF NOT EXISTS detached_heads ON heads (chain, position) WHERE detached;

-- Every event known, numbered as it arrived. time: ms, never before a parent's; depth: longest way to an event without
-- parents; entry: its number in this clone's own log; line: canonical JSON, NULL once redacted.
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY, event_id BLOB NOT NULL UNIQUE, type TEXT NOT NULL, commit_id INTEGER,
    time INTEGER NOT NULL, depth INTEGER NOT NULL, entry INTEGER, line BLOB);
CREATE INDEX IF NOT EXISTS events_in_order ON events (time, depth, event_id);
CREATE INDEX IF NOT EXISTS events_by_commit ON events (commit_id);
CREATE INDEX IF NOT EXISTS events_by_entry ON events (entry) WHERE entry IS NOT NULL;
CREATE INDEX IF NOT EXISTS answers_and_halts ON events (type, number)
    WHERE {NOT_A_FACT};
-- A chronicle is all lineages of one component. A subject's lineage is named subject:NAME.
CREATE TABLE IF NOT EXISTS lineages (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, component INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS lineages_by_component ON lineages (component);
CREATE TABLE IF NOT EXISTS membership (
    lineage INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (lineage, number)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS membership_by_number ON membership (number);

-- By parent, the events that wait for it: it is not here, or waits itself.
CREATE TABLE IF NOT EXISTS awaited (
    parent BLOB NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (parent, number)) WITHOUT ROWID;
-- Facts and verdicts that logs tell of commits which are not observed.
CREATE TABLE IF NOT EXISTS foretold (
    oid BLOB NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (oid, number)) WITHOUT ROWID;

-- The logs of other writers as far as they were entered. tip: the commits that they were read from; leaves, events: the
-- blobs; entries: which event stands where, whether its body is here or not.
CREATE TABLE IF NOT EXISTS writers (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, tip TEXT NOT NULL, supersedes TEXT);
CREATE TABLE IF NOT EXISTS segments (
    writer INTEGER NOT NULL, number INTEGER NOT NULL, leaves TEXT NOT NULL, events TEXT NOT NULL,
    PRIMARY KEY (writer, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entries (
    event_id BLOB NOT NULL, writer INTEGER NOT NULL, number INTEGER NOT NULL,
    PRIMARY KEY (event_id, writer, number)) WITHOUT ROWID;
-- Entries that are not true of their commits, or break the rules, and so stand nowhere else.
CREATE TABLE IF NOT EXISTS refused (
    writer INTEGER NOT NULL, number INTEGER NOT NULL, oid BLOB, code TEXT NOT NULL, message TEXT NOT NULL,
    PRIMARY KEY (writer, number)) WITHOUT ROWID;

-- The Merkle root of a whole segment, by the blob that has its leaves; whoever's log it stands in.
CREATE TABLE IF NOT EXISTS roots (leaves TEXT PRIMARY KEY, root BLOB NOT NULL) WITHOUT ROWID;

-- What a commit's message claims of plans, as JSON; only where it claims something.
CREATE TABLE IF NOT EXISTS claims (commit_id INTEGER PRIMARY KEY, body TEXT NOT NULL);
-- What git objects say about a fact beyond the fact, as JSON; only where there is something to say. replays: which
-- earlier facts it does again; undoings: which it takes back.
CREATE TABLE IF NOT EXISTS evidence (number INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS replays (
    original INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (original, number)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS replays_by_number ON replays (number);
CREATE TABLE IF NOT EXISTS undoings (
    original INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (original, number)) WITHOUT ROWID;

-- Events that were entered and taken out again, so that a sidecar which shows one is not called strange.
CREATE TABLE IF NOT EXISTS withdrawn (event_id BLOB PRIMARY KEY) WITHOUT ROWID;

-- Sidecar files as we left them, per work tree. last: the newest event number in it.
CREATE TABLE IF NOT EXISTS sidecars (
    worktree TEXT NOT NULL, path INTEGER NOT NULL, component INTEGER NOT NULL, size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (worktree, path)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sidecars_by_component ON sidecars (component);

-- What the last recording could not do, and why; oid: the commit, if it is about one.
CREATE TABLE IF NOT EXISTS findings (oid BLOB, code TEXT NOT NULL, message TEXT NOT NULL);
"""
