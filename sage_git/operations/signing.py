"""Whether a statement is signed, and with which key: what the policy wants and what the person who speaks wants.

Not here: starting ssh-keygen (gitrepo.signing), and what a signature is worth (assurance).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sage_git.errors import NotHere, SigningFailed
from sage_git.operations import assurance
from sage_git.operations.assurance import NAMESPACE, Assurance

if TYPE_CHECKING:
    from sage_git.gitrepo.signing import SigningKey
    from sage_git.operations.checkout import Checkout
    from sage_git.operations.judging.policies import Policies
    from sage_git.proof.allowed_signers import AllowedSigners

Sign = Callable[[bytes], str]
"""The signature over a message, the canonical JSON of an event that lacks nothing but it and the id."""

SIGNERS_PATH: Final = ".sage/allowed_signers"
_HOW: Final = (
    "give --key FILE, or tell git once: git config --global gpg.format ssh; "
    "git config --global user.signingKey ~/.ssh/id_ed25519.pub"
)


class When(Enum):
    """When a statement is signed."""

    NEEDED = "if the policy wants it"
    ALWAYS = "in any case"
    NEVER = "in no case"


def _silently(_: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants: when to sign, a key's absolute path instead of git's, and how to be told to touch it."""

    when: When = When.NEEDED
    key: Path | None = None
    tell: Callable[[str], None] = _silently


def signer_for(checkout: Checkout, wish: Wish, given: Mapping[str, Any]) -> Sign | None:
    """Who signs a statement that has the fields `given` so far; None if nobody need. Raises NotHere, ConfigError."""
    if wish.when is When.NEVER or "signature" in given:
        return None
    is_needed = assurance.is_answer(given) and _policies(checkout).now().approval.signed
    if not is_needed and wish.when is When.NEEDED:
        return None
    key = _key(checkout, wish)
    if key is None:
        why = "here it counts only with a signature" if is_needed else "it is to be signed"
        remedy = f"{_HOW}\nor say it without, for others to see: --no-sign" if is_needed else _HOW
        raise NotHere(f"{why}, and git has no SSH key of yours to sign with", remedy=remedy)
    return lambda message: _signed(checkout, wish, key, message, must_count=is_needed)


def _key(checkout: Checkout, wish: Wish) -> SigningKey | None:
    from sage_git.gitrepo.signing import configured_key, key_in

    return configured_key(checkout.repository) if wish.key is None else key_in(wish.key)


def _signed(checkout: Checkout, wish: Wish, key: SigningKey, message: bytes, *, must_count: bool) -> str:
    """The signature, looked at as every reader will look at it. Raises SigningFailed, NotHere."""
    from sage_git.chronicle.event import Event
    from sage_git.gitrepo.signing import sign

    if key.is_hardware:
        wish.tell("touch your security key, to sign")
    signature = sign(key, message, NAMESPACE, checkout.repository.environment)
    event = Event.from_fields({**Event.from_line(message), "signature": signature})
    found = assurance.examine(event, signers_now(checkout), checkout.known_identity().repository)
    if found.assurance is Assurance.INVALID:
        remedy = "sign with Ed25519, ECDSA, RSA from 2,048 bits, or a security key that wants to be touched"
        raise SigningFailed(f"what {key.shown} signs would be accepted by nobody", remedy=remedy)
    if must_count and not found.assurance.is_sure:
        raise _not_allowed(found, key)
    return signature


def signers_now(checkout: Checkout) -> AllowedSigners | None:
    """Who may sign what is said now: by HEAD's `.sage/allowed_signers`; None if it has none."""
    policies = _policies(checkout)
    blob = policies.signers_now()
    return None if blob is None else assurance.signers_in(policies.content(blob))


def _not_allowed(found: assurance.Examined, key: SigningKey) -> NotHere:
    assert found.key is not None
    principal = found.signatory[found.signatory.rfind("<") + 1 :].rstrip("> ")
    remedy = f"commit this line in it first: {principal} {found.key.text}\nor say it without a signature: --no-sign"
    return NotHere(f"{SIGNERS_PATH} does not let {key.shown} sign for {found.signatory}", remedy=remedy)


def _policies(checkout: Checkout) -> Policies:
    from sage_git.operations.judging.policies import Policies  # tomllib is not needed by who signs nothing

    return Policies(checkout)
