"""Who vouches for the writers of logs: people, by the SSH keys that `.sage/allowed_signers` has of them (SPEC 11).

Not here: what is said in those logs, and whose words are signed by themselves (`answers`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sage_git.errors import ProofFailed
from sage_git.operations.checking.flaws import Severity
from sage_git.operations.checking.signed_logs import STORE, SignedLogs
from sage_git.operations.verifying.report import Finding
from sage_git.proof.allowed_signers import AllowedSigners
from sage_git.proof.introduction import certified_by


@dataclass(frozen=True, slots=True)
class Vouched:
    """Who certifies which writer, and which certificates are worth nothing here."""

    principals: Mapping[str, str]
    findings: tuple[Finding, ...]


def vouched(logs: SignedLogs, signers: AllowedSigners | None, now_s: int) -> Vouched:
    """The certificates of the logs, by those who may sign in this history."""
    principals: dict[str, str] = {}
    findings = []
    for writer, log in logs.sound.items():
        if signers is None or not log.certificate:
            continue
        try:
            principals[writer] = certified_by(log.introduction, log.certificate, signers, now_s)
        except ProofFailed as problem:
            message = f"the certificate of the writer {writer[:16]} is worth nothing here: {problem}"
            remedy = "`sage-git peer certify` where it was made, with a key that .sage/allowed_signers has"
            findings.append(Finding("certificate-invalid", message, remedy, Severity.NOTE, STORE, writer=writer))
    return Vouched(principals, tuple(findings))
