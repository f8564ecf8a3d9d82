"""The configurations that are files start the server as it is started, and can be read by what reads them."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

EDITORS = Path(__file__).parents[2] / "editors"
STARTED = ["sage-git", "lsp"]


def test_helix_starts_the_server_and_names_it_last_in_each_language():
    read = tomllib.loads((EDITORS / "helix" / "languages.toml").read_text(encoding="utf-8"))
    server = read["language-server"]["sage-git"]
    assert [server["command"], *server["args"]] == STARTED
    assert all(language["language-servers"][-1] == "sage-git" for language in read["language"])


def test_sublime_and_kate_start_the_server():
    servers = json.loads((EDITORS / "sublime" / "LanguageServers.sublime-settings").read_text(encoding="utf-8"))
    kate = json.loads((EDITORS / "kate" / "settings.json").read_text(encoding="utf-8"))
    assert servers["sage-git"]["command"] == STARTED
    assert [server["command"] for server in kate["servers"].values()] == [STARTED]
    json.loads((EDITORS / "sublime" / "LSP.sublime-settings").read_text(encoding="utf-8"))


def test_the_template_for_jetbrains_starts_the_server():
    template = json.loads((EDITORS / "jetbrains" / "template.json").read_text(encoding="utf-8"))
    assert template["programArgs"]["default"].split() == STARTED
    json.loads((EDITORS / "jetbrains" / "initializationOptions.json").read_text(encoding="utf-8"))


def test_zed_runs_what_is_on_path_and_downloads_nothing():
    source = (EDITORS / "zed" / "src" / "lib.rs").read_text(encoding="utf-8")
    assert 'which("sage-git")' in source
    assert "download" not in source.partition("struct")[2]
    tomllib.loads((EDITORS / "zed" / "extension.toml").read_text(encoding="utf-8"))


def test_the_lock_file_of_the_extension_names_no_registry():
    lock = (EDITORS / "vscode" / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
