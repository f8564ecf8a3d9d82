"""Giving a remote what it lacks: this clone's log, and those of others that it has not, or has less of.

Only refs of writers are pushed, each expected to stand where it was seen, so that nothing is overwritten that came
meanwhile. Clones and servers are never written to: they read. Not here: what of our log may be seen (`publishing`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sage_git.errors import SageError
from sage_git.gitrepo.exchange import RemoteEnvironment, push_logs, write_bundle
from sage_git.operations.checkout import Checkout
from sage_git.operations.exchange.receiving import Received
from sage_git.operations.exchange.targets import Kind
from sage_git.operations.sealing import store_of
from sage_git.storage.keys import writer_id


@dataclass(frozen=True, slots=True)
class Sent:
    """How many entries of logs went to a peer; `problem` says why some did not."""

    entries: int = 0
    problem: SageError | None = None
    rejected: tuple[str, ...] = ()


def send(checkout: Checkout, received: Received, remote: RemoteEnvironment) -> Sent:
    """Give what the peer that was read from lacks. Never raises for what a peer is or does."""
    target, store = received.target, store_of(checkout)
    if target.push_url is None or received.listed is None:
        return Sent()
    tips = store.writers()
    lacking = _lacking(received, tips, writer_id(checkout.sage))
    if not lacking:
        return Sent()
    entries = sum(store.size(writer) - received.behind.get(writer, 0) for writer in lacking)
    try:
        if target.kind is Kind.BUNDLE:
            write_bundle(store, Path(target.push_url))
            return Sent(entries)
        wanted = {writer: (tips[writer], received.listed.get(writer, "")) for writer in lacking}
        outcomes = push_logs(store, target.push_url, wanted, remote)
    except SageError as problem:
        return Sent(problem=problem)
    rejected = tuple(outcome.reason for outcome in outcomes if not outcome.is_taken)
    gone = [outcome.writer for outcome in outcomes if outcome.is_taken]
    return Sent(sum(store.size(each) - received.behind.get(each, 0) for each in gone), rejected=rejected)


def _lacking(received: Received, tips: Mapping[str, str], own: str | None) -> list[str]:
    """The writers whose logs here have more than those there; ours, whenever it is another."""
    listed = received.listed or {}
    refused = {refusal.writer for refusal in received.refused}
    return [
        writer
        for writer, commit in tips.items()
        if listed.get(writer) != commit
        and writer not in refused
        and (writer not in listed or writer in received.behind or writer == own or writer in received.joined)
    ]
