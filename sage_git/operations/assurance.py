"""How sure it is who says what an event says: claimed, signed, or signed with a security key (SPEC 6.3).

An event may carry an SSH signature over all of itself but its id, the repository that it is for included; who may sign
for whom is what `.sage/allowed_signers` said in the commit that is asked about. Not here: which commit that is, and
making signatures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from sage_git.chronicle.canonical import canonical_json
from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import RepositoryId
from sage_git.chronicle.kinds import is_timestamp
from sage_git.proof import allowed_signers, sshsig
from sage_git.proof.allowed_signers import AllowedSigners
from sage_git.proof.wire import BadProof

if TYPE_CHECKING:
    from sage_git.judgement.policy import Approval
    from sage_git.proof.publickey import Key

NAMESPACE: Final = "sage-event@v1"
_UNSIGNED: Final = frozenset(("eventId", "signature"))
_ANSWERS: Final = frozenset(("PLAN_APPROVED", "PLAN_DENIED", "PLAN_UNSAFE", "RECONCILIATION"))


class Assurance(StrEnum):
    """What stands behind an event."""

    CLAIMED = "claimed"
    """Nobody signed it."""
    SIGNED = "signed"
    HARDWARE = "hardware"
    """Signed with a security key that somebody touched."""
    INVALID = "invalid"
    """What it carries is no signature over it."""
    UNAUTHORISED = "unauthorised"
    """It is signed, by a key that may not sign for whom it says, or not at that time; or for another repository."""

    @property
    def is_sure(self) -> bool:
        """True if it is known who says it."""
        return self in (Assurance.SIGNED, Assurance.HARDWARE)


@dataclass(frozen=True, slots=True)
class Examined:
    """An event's assurance; `key` made its signature, if that is sound, `signatory` is whom it must speak for.

    `is_foreign` if that signature names another repository, or none: it may have been copied from anywhere.
    """

    assurance: Assurance
    signatory: str
    key: Key | None = None
    is_foreign: bool = False


def examine(event: Event, signers: AllowedSigners | None, repository: RepositoryId) -> Examined:
    """What stands behind `event` in a repository where `signers` are allowed; None: nobody is. Nothing raises."""
    who = signatory(event.fields)
    if "signature" not in event:
        return Examined(Assurance.CLAIMED, who)
    key = _key_behind(event.line)
    if key is None:
        return Examined(Assurance.INVALID, who)
    if event.get("repository") != repository:
        return Examined(Assurance.UNAUTHORISED, who, key, is_foreign=True)
    if signers is None or not signers.principal_may(who, key, NAMESPACE, _seconds(event)):
        return Examined(Assurance.UNAUTHORISED, who, key)
    return Examined(Assurance.HARDWARE if key.is_hardware else Assurance.SIGNED, who, key)


def assure(event: Event, signers: AllowedSigners | None, repository: RepositoryId) -> Assurance:
    """How sure it is who says `event`; see `examine`."""
    return examine(event, signers, repository).assurance


def is_signed(event: Event, signers: bytes, repository: RepositoryId) -> bool:
    """True if `event` is signed by who it says it is from; `signers` is the content of an `allowed_signers`."""
    return "signature" in event and assure(event, signers_in(signers), repository).is_sure


def counts(event: Event, signers: AllowedSigners | None, repository: RepositoryId, approval: Approval) -> bool:
    """True if a policy with this `approval` heeds `event`: it is signed, or need not be."""
    return not (approval.signed and is_answer(event.fields)) or assure(event, signers, repository).is_sure


def is_answer(fields: Mapping[str, Any]) -> bool:
    """True for what counts only with a signature where a policy wants them: plans' fates, and answers that people give.

    A RECONCILIATION of a commit is a verdict, which nobody says.
    """
    return fields.get("type") in _ANSWERS and "graphCommit" not in fields


def signatory(fields: Mapping[str, Any]) -> str:
    """Whom a signature must speak for: `reviewerId`, `forcedBy`, or else who is accountable."""
    actor = fields.get("actor")
    claimed = (
        fields.get("reviewerId"),
        fields.get("forcedBy"),
        actor.get("id") if isinstance(actor, Mapping) else None,
    )
    return next((each for each in claimed if isinstance(each, str)), "")


def signed_message(fields: Mapping[str, Any]) -> bytes:
    """What is signed of an event with these fields (SPEC 4.1). Raises ValidationError (profile)."""
    return canonical_json({name: value for name, value in fields.items() if name not in _UNSIGNED})


def _seconds(event: Event) -> int:
    """When the event says that it was; the epoch if some foreign event does not say it."""
    return int(datetime.fromisoformat(event.timestamp).timestamp()) if is_timestamp(event.timestamp) else 0


@lru_cache(maxsize=16)
def signers_in(text: bytes) -> AllowedSigners:
    """Who may sign by the content of an `allowed_signers`."""
    return allowed_signers.parse(text)


@lru_cache(maxsize=512)  # the same approvals are looked at for every edit that they cover
def _key_behind(line: bytes) -> Key | None:
    """The key that signed the event on a canonical line; None if its signature is not sound."""
    fields = Event.trusted(None, line).fields
    signature = fields["signature"]
    try:
        return sshsig.verify(signature, signed_message(fields), NAMESPACE) if isinstance(signature, str) else None
    except BadProof:
        return None
