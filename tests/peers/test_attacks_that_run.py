"""What is meant to be run, by a URL, a config, a hook or a file: nothing is."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.peers.forging import (
    git,
    plant,
)
from tests.peers.mallory import mallorys

# -- what runs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% {}", "--upload-pack=touch {}", "-u touch {}", "fd::17", "ssh://-oProxyCommand=touch {}/x",
        "ftp://127.0.0.1:1/x", "unknown::x",
    ],
)  # fmt: skip
def test_no_url_of_a_peer_runs_anything(village, tmp_path, url):
    bob, pwned = village["bob"], tmp_path / "pwned"
    before = bob.snapshot()
    added = bob.sage("peer", "add", "evil", "--", url.format(pwned))
    if added.returncode == 0:
        assert bob.sage("sync", "evil").returncode in (1, 3, 4)
    assert not pwned.exists()
    assert bob.snapshot() == before


def test_no_remote_that_a_committed_config_names_runs_anything(village, tmp_path):
    bob, pwned = village["bob"], tmp_path / "pwned"
    config = bob.path / ".sage/config.toml"
    names = [f"ext::sh -c touch% {pwned}", f"--upload-pack=touch {pwned}", "../elsewhere"]
    text = re.sub(r"(?m)^remotes = .*$", f"remotes = {json.dumps(names)}", config.read_text())
    if "remotes = [" not in text:
        text += f"\n[publish]\nremotes = {json.dumps(names)}\n"
    bob.repository.commit("config", **{".sage/config.toml": text})
    assert bob.sage("sync").returncode in (0, 1, 2, 3, 4)
    assert not pwned.exists()


def test_no_hook_or_setting_runs_while_logs_are_exchanged(village, tmp_path, sealed_home):
    """Hooks in a template folder, in core.hooksPath, and of the remote; all of them would tell."""
    bob, log, ran = village["bob"], mallorys(village), tmp_path / "ran"
    hooks = tmp_path / "template/hooks"
    hooks.mkdir(parents=True)
    script = f'#!/bin/sh\necho "$0" >>{ran}\n'
    for name in ("reference-transaction", "post-update", "update", "post-checkout", "pre-push", "pre-auto-gc"):
        (hooks / name).write_text(script)
        (hooks / name).chmod(0o755)
    for name, value in (
        ("init.templateDir", hooks.parent),
        ("core.hooksPath", hooks),
        ("core.fsmonitor", hooks / "update"),
    ):
        subprocess.run(["git", "config", "--global", name, str(value)], check=True)
    for place in (village.remote, *bob.directory.glob("*.git")):
        git(place, "config", "uploadpack.packObjectsHook", str(hooks / "update"))
    plant(village.remote, log.ref, log.files())
    bob.ok("sync", "origin", "--fetch-only")
    assert bob.says("mallory says three")
    assert not ran.exists() or ran.read_text() == ""


@pytest.fixture
def sealed_home(sealed: Path) -> Path:
    return sealed


# -- peers.json -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [b"", b"null", b"[" * 100_000, b'{"format":2}', b'{"format":1,"peers":{"\\u001b[2J":{"url":"x"}},"allowed":{}}',
     b'{"format":1,"peers":{},"allowed":{"not a key":{"name":"x","trusted":true}}}', b"\xff"],
)  # fmt: skip
def test_a_garbled_peers_json_is_an_error_that_says_so(village, content):
    bob = village["bob"]
    before = bob.snapshot()
    (bob.directory / "peers.json").write_bytes(content)
    for arguments in (("sync",), ("peer",)):
        done = bob.sage(*arguments)
        assert done.returncode in (2, 3, 4), (done.stdout, done.stderr)
        assert "peers.json" in done.stderr
        assert "\x1b" not in done.stderr
    assert bob.snapshot() == before


@pytest.mark.parametrize("key", ["", "ab", "AB" * 32, "zz" * 32, "../../../x", "ab" * 32 + "\n", "-x"])
def test_what_is_no_key_is_not_allowed(village, key):
    done = village["bob"].sage("peer", "allow", "--", key)
    assert done.returncode == 2, (done.stdout, done.stderr)
