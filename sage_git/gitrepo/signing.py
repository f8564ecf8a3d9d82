"""Signing with the user's SSH key, by ssh-keygen: key files, ssh-agent and security keys all work through it.

Which key, git says as it does for commits: `user.signingKey` where `gpg.format` is `ssh`. Only what the user or the
system configured is heeded, since the configuration of a repository may be somebody else's: it must not choose who
signs. For the same reason nothing is run that configuration names (`gpg.ssh.program`, `gpg.ssh.defaultKeyCommand`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from sage_git.errors import GitFailed, NotHere, SigningFailed
from sage_git.gitrepo.command import run_ssh_keygen

if TYPE_CHECKING:
    from sage_git.gitrepo.repository import Repository

_TRUSTED_SCOPES: Final = frozenset(("system", "global", "command"))
_LITERAL: Final = "key::"
_FAILURES: Final = (
    ("incorrect passphrase", "the passphrase for {key} is not right", "try again, or give it to an agent: ssh-add"),
    (
        "agent refused",
        "the agent refused to sign with {key}",
        "unlock the agent, or confirm when it asks; then try again",
    ),
    ("device not found", "the security key of {key} is not there", "plug it in, and touch it when it blinks"),
    ("No private key found", "nobody here has the private half of {key}", "ssh-add it, or give --key the private key"),
    ("permissions are too open", "others may read {key}, so ssh-keygen does not use it", "chmod 600 the private key"),
    ("load public key", "{key} is no SSH key", "ssh-keygen -t ed25519 makes one"),
)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What to sign with: the text of a public key that an agent has, or the absolute path of a key of either half."""

    name: str
    is_text: bool = False

    @property
    def shown(self) -> str:
        """How to speak of it."""
        return " ".join(self.name.split()[:1]) + " in the agent" if self.is_text else self.name

    @property
    def is_hardware(self) -> bool:
        """True if it is known to be in a security key, so that signing waits for a touch."""
        text = self.name
        if not self.is_text:
            try:
                text = Path(self.name.removesuffix(".pub") + ".pub").read_text("utf-8", "replace")
            except OSError:
                return False
        return text.startswith("sk-")


def key_in(file: Path) -> SigningKey:
    """The key in `file`, an absolute path. Raises NotHere."""
    if not file.is_file():
        raise NotHere(f"there is no key at {file}", remedy="name a file as ssh-keygen makes it, like ~/.ssh/id_ed25519")
    return SigningKey(str(file))


def configured_key(repository: Repository) -> SigningKey | None:
    """The key that git signs with for this user; None if they have configured none. Raises NotHere."""
    settings = _settings(repository)
    named = settings.get("user.signingkey", "").strip()
    if settings.get("gpg.format") != "ssh" or not named:
        return None
    if named.startswith((_LITERAL, "ssh-", "ecdsa-", "sk-")):
        return SigningKey(named.removeprefix(_LITERAL).strip(), is_text=True)
    home = repository.environment.get("HOME", "")
    file = Path(home, named[2:]) if named.startswith("~/") and home else Path(named)
    if not file.is_absolute():
        remedy = "git config --global user.signingKey ~/.ssh/id_ed25519.pub, or give --key FILE"
        raise NotHere(f"user.signingKey is '{named}', which means another key in every repository", remedy=remedy)
    return key_in(file)


def sign(key: SigningKey, message: bytes, namespace: str, environment: Mapping[str, str]) -> str:
    """The SSH signature over `message`, armored. May wait for the user. Raises SigningFailed, NotHere."""
    try:
        if not key.is_text:
            return _signed(key.name, message, namespace, environment)
        with TemporaryDirectory(prefix="sage-git-") as folder:
            file = Path(folder, "key.pub")
            file.write_text(f"{key.name}\n", "utf-8")
            return _signed(str(file), message, namespace, environment)
    except SigningFailed as problem:
        raise _explained(problem, key) from None


def _signed(file: str, message: bytes, namespace: str, environment: Mapping[str, str]) -> str:
    arguments = ("-q", "-Y", "sign", "-n", namespace, "-f", file)
    return run_ssh_keygen(arguments, environment=environment, input=message).decode("ascii", "replace")


def _settings(repository: Repository) -> dict[str, str]:
    """What the user, the system or the command line that started us says of signing; the last word of each."""
    try:
        shown = repository.git("config", "--show-scope", "-z", "--get-regexp", r"^(gpg\.format|user\.signingkey)$")
    except GitFailed:  # nothing is set
        return {}
    words = shown.decode("utf-8", "surrogateescape").split("\0")
    pairs = (
        setting.partition("\n")
        for scope, setting in zip(words[::2], words[1::2], strict=False)
        if scope in _TRUSTED_SCOPES
    )
    return {name: value for name, _, value in pairs}


def _explained(problem: SigningFailed, key: SigningKey) -> SigningFailed:
    for words, message, remedy in _FAILURES:
        if words in problem.stderr:
            return SigningFailed(message.format(key=key.shown), problem.stderr, remedy=remedy)
    said = problem.stderr.strip().splitlines()
    why = said[-1] if said else "it does not say why"
    return SigningFailed(f"ssh-keygen did not sign with {key.shown}: {why}", problem.stderr, remedy="do what it says")
