"""Signed statements end to end: which key signs, what is kept, what is refused, and how sure `show` is of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from functools import partial
from pathlib import Path

import pytest

from sage_git.operations.assurance import NAMESPACE, signed_message
from sage_git.proof.sshsig import verify
from tests.kit import GitRepository
from tests.recorded import config_of, keep_record
from tests.signing import Authenticator, make_key, needs_ssh_keygen, public_of, says_yes, sign

pytestmark = needs_ssh_keygen

PLANS = ".sage/plans.sage"
APPROVAL = {
    "type": "PLAN_APPROVED",
    "actor": {"agent": "test", "id": "Ada Lovelace <ada@example.org>"},
    "planId": "p1",
    "planHash": "a" * 64,
    "reviewerId": "Ada Lovelace <ada@example.org>",
    "justification": "fine",
}
NOBODY = {"SSH_ASKPASS": "/bin/false", "SSH_ASKPASS_REQUIRE": "force"}


@pytest.fixture
def key(tmp_path) -> Path:
    return make_key(tmp_path)


@pytest.fixture
def recorded(repository, sage):
    """A repository in which nothing needs a signature."""
    repository.commit("first", **{"foo.py": "x = 1\n"})
    keep_record(repository)
    return repository


@pytest.fixture
def strict(recorded, key):
    """A repository in which answers need a signature, and Ada's key is allowed."""
    demand_signatures(recorded, key)
    return recorded


def demand_signatures(repository: GitRepository, key: Path) -> None:
    """Commit that answers need a signature, and that Ada may sign."""
    config = repository.read(".sage/config.toml").replace("signed = false", "signed = true")
    signers = f"ada@example.org {public_of(key)}\n"
    repository.commit("strict", **{".sage/config.toml": config, ".sage/allowed_signers": signers})


def configure(home: Path, key: object, form: str = "ssh") -> None:
    """Tell git, for this user, which key signs."""
    file = str(home / ".gitconfig")
    subprocess.run(["git", "config", "--file", file, "gpg.format", form], check=True)
    subprocess.run(["git", "config", "--file", file, "user.signingKey", str(key)], check=True)


def approve(sage, *options: str, env=None, **fields):
    return sage("append", PLANS, *options, "--json", stdin=json.dumps(APPROVAL | fields), env={**NOBODY, **(env or {})})


def kept(finished):
    assert (finished.returncode, finished.stderr) == (0, "")
    return json.loads(finished.stdout)


def standing(recorded):
    path = recorded.path / PLANS
    return [json.loads(each) for each in path.read_bytes().splitlines()] if path.exists() else []


def plan_state(sage) -> str:
    """How the only plan stands."""
    shown = sage("plan", "show", "parser", "--json")
    assert shown.returncode == 0, shown.stderr
    return str(json.loads(shown.stdout)["state"])


def assurance(sage, event):
    return json.loads(sage("show", event["eventId"], "--json").stdout)["assurance"]


def test_a_signature_is_over_the_event_with_its_parents_and_ssh_keygen_agrees(strict, sage, key, tmp_path):
    first = kept(approve(sage, "--key", str(key)))
    second = kept(approve(sage, "--key", str(key), justification="again"))
    assert second["prevEventId"] == first["eventId"]
    for event in (first, second):
        message = signed_message(event)
        assert verify(event["signature"], message, NAMESPACE).text == public_of(key)
        assert says_yes(event["signature"], message, strict.path / ".sage/allowed_signers", "ada@example.org")
        assert assurance(sage, event) == "signed"
    assert standing(strict) == [first, second]
    assert sage("fsck").returncode == 0


def test_show_tells_in_words_who_signed(strict, sage, key):
    event = kept(approve(sage, "--key", str(key)))
    shown = sage("show", event["eventId"]).stdout
    assert re.search(r"^assurance  signed by who it says  ssh-ed25519 SHA256:\S{43}$", shown, re.MULTILINE)
    assert "BEGIN SSH SIGNATURE" not in shown
    claim = kept(approve(sage, "--no-sign", justification="unsigned"))
    assert "claimed: nobody signed it" in sage("show", claim["eventId"]).stdout


@pytest.mark.parametrize("half", ["", ".pub"])
def test_the_key_that_git_signs_with_signs_what_the_policy_wants(strict, sage, sealed, key, half):
    configure(sealed, f"{key}{half}")
    assert assurance(sage, kept(approve(sage))) == "signed"
    assert "signature" not in kept(sage("note", "build", "success", "--json"))
    assert assurance(sage, kept(sage("note", "build", "success", "--sign", "--json"))) == "signed"


def test_a_key_in_the_home_may_be_named_from_there(strict, sage, sealed, key):
    key.rename(sealed / "id")
    configure(sealed, "~/id")
    assert assurance(sage, kept(approve(sage))) == "signed"


def test_nothing_is_signed_where_nothing_needs_it_and_nobody_asks(recorded, sage, sealed, key):
    configure(sealed, key)
    assert "signature" not in kept(approve(sage))
    assert "signature" in kept(approve(sage, "--sign", justification="again"))


def test_without_a_key_an_answer_that_needs_one_is_refused_and_nothing_is_kept(strict, sage):
    refused = approve(sage)
    assert refused.returncode == 3
    assert "here it counts only with a signature" in refused.stderr
    assert "gpg.format ssh" in refused.stderr
    assert standing(strict) == []
    claim = kept(approve(sage, "--no-sign"))
    assert assurance(sage, claim) == "claimed"


def test_a_key_that_would_not_count_is_refused_with_the_line_that_would_let_it(strict, sage, tmp_path):
    other = make_key(tmp_path, "ecdsa-256")
    refused = approve(sage, "--key", str(other))
    assert refused.returncode == 3
    assert f"ada@example.org {public_of(other)}" in refused.stderr
    assert standing(strict) == []


def test_a_signed_retry_is_not_doubled_though_its_signature_would_differ(strict, sage, tmp_path):
    ecdsa = make_key(tmp_path, "ecdsa-256")
    strict.commit("more", **{".sage/allowed_signers": f"ada@example.org {public_of(ecdsa)}\n"})
    said = {"timestamp": "2026-06-01T12:00:00.000Z"}
    claim = kept(approve(sage, "--no-sign", **said))
    first = kept(approve(sage, "--key", str(ecdsa), **said))
    assert kept(approve(sage, "--key", str(ecdsa), **said)) == first
    assert standing(strict) == [claim, first]


def test_a_signature_that_somebody_brings_is_kept_with_the_parents_that_it_covers(strict, sage, key):
    kept(approve(sage, "--key", str(key)))
    here = config_of(strict.path)["repository"]
    fields = {**APPROVAL, "subject": "plans", "timestamp": "2026-06-01T12:00:00.000Z", "repository": here}
    event = kept(approve(sage, **fields, signature=sign(key, signed_message(fields))))
    assert "prevEventId" not in event
    assert assurance(sage, event) == "signed"


def test_a_plan_that_was_approved_in_another_repository_is_not_in_force(strict, sage, key, tmp_path):
    draft = ("plan", "draft", "--summary", "mend it", "--scope", "src/**", "--id")
    assert sage(*draft, "parser").returncode == 0
    rae = ("--reviewer", "Ada <ada@example.org>", "--key", str(key))
    assert sage("plan", "approve", "parser", "-m", "read it", *rae).returncode == 0
    assert plan_state(sage) == "approved"
    approval = standing(strict)[-1]
    assert approval["repository"] in strict.read(".sage/config.toml")

    other = GitRepository.create(tmp_path / "other")
    other.commit("first", **{"foo.py": "x = 1\n"})
    there = partial(sage, cwd=other.path)
    assert there("init").returncode == 0
    demand_signatures(other, key)
    assert there(*draft, "another").returncode == 0
    other.write(PLANS, other.read(PLANS) + strict.read(PLANS))
    claim = "Sage-Plan: parser " + approval["eventId"]
    other.commit(f"mend it\n\n{claim}", **{"src/parser.py": "x = 1\n"})
    assert standing(other)[1:] == standing(strict)
    assert plan_state(there) == "drafted"
    assert assurance(there, approval) == "unauthorised"
    assert "signed for another repository" in there("show", approval["eventId"]).stdout
    found = json.loads(there("verify", "--json").stdout)["findings"]
    assert "signature-unauthorised" in {each["code"] for each in found}


def test_a_signature_for_no_repository_in_particular_counts_in_none(strict, sage, key):
    fields = {**APPROVAL, "subject": "plans", "timestamp": "2026-06-01T12:00:00.000Z"}
    event = kept(approve(sage, **fields, signature=sign(key, signed_message(fields))))
    assert assurance(sage, event) == "unauthorised"


def test_what_says_that_it_is_of_another_repository_is_not_signed_in_this_one(strict, sage, key):
    refused = approve(sage, "--key", str(key), repository="a" * 64)
    assert refused.returncode == 2
    assert "repository" in refused.stderr
    assert standing(strict) == []


def test_an_agent_signs_for_a_public_key_and_for_one_given_as_text(strict, sage, sealed, key, tmp_path):
    socket = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.PIPE)
    try:
        assert agent.stdout is not None
        agent.stdout.readline()  # it says where it listens once it does
        env = {"SSH_AUTH_SOCK": str(socket)}
        subprocess.run(["ssh-add", "-q", str(key)], check=True, env={**os.environ, **env})
        key.unlink()
        assert assurance(sage, kept(approve(sage, "--key", f"{key}.pub", env=env))) == "signed"
        configure(sealed, f"key::{public_of(key)}")
        assert assurance(sage, kept(approve(sage, env=env, justification="text"))) == "signed"
        subprocess.run(["ssh-add", "-q", "-D"], check=True, env={**os.environ, **env})
        assert "nobody here has the private half of ssh-ed25519" in approve(sage, env=env, justification="x").stderr
    finally:
        agent.terminate()
        agent.communicate()


def test_a_passphrase_is_asked_for_by_ssh_keygen_and_a_wrong_one_is_said(strict, sage, tmp_path):
    locked = make_key(tmp_path, passphrase="open sesame")
    strict.commit("more", **{".sage/allowed_signers": f"ada@example.org {public_of(locked)}\n"})
    asks = tmp_path / "askpass"
    asks.write_text("#!/bin/sh\necho 'open sesame'\n")
    asks.chmod(0o755)
    refused = approve(sage, "--key", str(locked))
    assert refused.returncode == 4
    assert f"the passphrase for {locked} is not right" in refused.stderr
    assert standing(strict) == []
    assert assurance(sage, kept(approve(sage, "--key", str(locked), env={"SSH_ASKPASS": str(asks)}))) == "signed"


def test_a_repository_does_not_choose_who_signs_nor_what_is_run(strict, sage, key, tmp_path):
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch '{ran}'\necho 'key::{public_of(key)}'\n")
    program.chmod(0o755)
    strict.git("config", "gpg.format", "ssh")
    strict.git("config", "user.signingKey", str(key))
    for name in ("gpg.ssh.program", "gpg.ssh.defaultKeyCommand", "gpg.program"):
        strict.git("config", name, str(program))
    assert approve(sage).returncode == 3
    kept(approve(sage, "--key", str(key)))
    assert not ran.exists()


@pytest.mark.parametrize(
    "named, form, says",
    [
        ("keys/id", "ssh", "means another key in every repository"),
        ("/nowhere/id", "ssh", "there is no key at /nowhere/id"),
        ("0xDEADBEEF", "openpgp", "git has no SSH key of yours"),
        ("key::ssh-ed25519 nonsense", "ssh", "is no SSH key"),
    ],
)
def test_a_configured_key_that_cannot_sign_is_named(strict, sage, sealed, named, form, says):
    configure(sealed, named, form)
    refused = approve(sage)
    assert refused.returncode in (3, 4)
    assert says in refused.stderr
    assert standing(strict) == []


def test_a_file_that_is_no_key_is_named(strict, sage, tmp_path):
    junk = tmp_path / "junk"
    junk.write_text("hello\n")
    assert f"{junk} is no SSH key" in approve(sage, "--key", str(junk)).stderr
    assert "there is no key at" in approve(sage, "--key", "nowhere").stderr


def test_a_security_key_is_asked_for_its_touch_in_words(strict, sage, tmp_path):
    public = tmp_path / "id_ed25519_sk.pub"
    public.write_text(f"{Authenticator('ed25519').key.text} desk\n")
    refused = approve(sage, "--key", str(public))
    assert "touch your security key" in refused.stderr
    assert f"nobody here has the private half of {public}" in refused.stderr


def test_without_ssh_keygen_that_is_what_is_said(strict, sage, key, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for folder in os.environ["PATH"].split(os.pathsep):
        for tool in Path(folder).glob("git*"):
            if not (tools / tool.name).exists():
                (tools / tool.name).symlink_to(tool)
    refused = approve(sage, "--key", str(key), env={"PATH": str(tools)})
    assert refused.returncode == 3
    assert "ssh-keygen, which signs, is not on PATH" in refused.stderr


def test_options_that_exclude_one_another_are_refused(strict, sage, key):
    for options in (("--sign", "--no-sign"), ("--no-sign", "--key", str(key)), ("--no-id", "--sign")):
        assert approve(sage, *options).returncode == 2
