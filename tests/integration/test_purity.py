"""Facts come from git objects alone: no config, attribute, locale or order of arrival shows in them.

Two clones of one wild history. The first observes all of it at once; the second, whose owner likes to set every knob
that git has, tip by tip in another order. Both must write the same bytes, and those that the oracle derives.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.generate import Histories
from tests.kit import GitRepository, run_sage, start_sage
from tests.oracle import Oracle, Policy
from tests.recorded import assert_recorded_exactly, config_of, logged, sidecars_on_disk

FOREIGN_CONFIG = """\
[core]
    attributesFile = {folder}/attributes
    quotePath = false
    abbrev = 4
    ignoreCase = true
    autocrlf = true
    commitGraph = false
    useReplaceRefs = true
    fsmonitor = false
[diff]
    renameLimit = 1
    renames = false
    algorithm = patience
    external = false
    ignoreSubmodules = all
    noprefix = true
    orderFile = {folder}/order
    submodule = log
    suppressBlankEmpty = true
[diff "loud"]
    textconv = false
    command = false
[merge]
    renames = false
    renameLimit = 1
    directoryRenames = true
    conflictStyle = zdiff3
    default = mine
    ff = only
[merge "mine"]
    driver = true
[filter "loud"]
    clean = false
    smudge = false
    required = true
[i18n]
    commitEncoding = latin1
    logOutputEncoding = latin1
[mailmap]
    file = {folder}/mailmap
[log]
    showSignature = true
    mailmap = true
    date = relative
    decorate = full
    follow = true
    diffMerges = off
[color]
    ui = always
[format]
    pretty = oneline
[status]
    renames = false
    showUntrackedFiles = no
[submodule]
    recurse = true
[feature]
    manyFiles = true
[rebase]
    autoStash = true
"""
FOREIGN_ENVIRONMENT = {
    "LC_ALL": "POSIX",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONUTF8": "0",
    "TZ": "America/St_Johns",
    "GIT_DEFAULT_HASH": "sha256",
    "GIT_EXTERNAL_DIFF": "false",
    "GIT_DIFF_OPTS": "-u7",
    "GIT_ICASE_PATHSPECS": "1",
    "GIT_MERGE_VERBOSITY": "5",
    "GIT_GRAFT_FILE": "elsewhere",
}


def wild_origin(folder: Path, seed: int) -> tuple[GitRepository, str, list[str]]:
    """A repository with history from before and after `init`, the commit of its config, and all its tips."""
    origin = GitRepository.create(folder / "origin")
    histories = Histories(origin.path, Random(seed))
    histories.grow(10)
    origin.git("update-ref", "refs/heads/main", histories.names[-1])
    origin.git("reset", "-q", "--hard")
    done = run_sage("init", cwd=origin.path)
    assert done.returncode == 0, done.stderr
    configured = origin.head
    histories.adopt(configured)
    tips = histories.grow(35)
    return origin, configured, tips


def joined(origin: GitRepository, name: str, configured: str) -> GitRepository:
    clone = origin.clone(name, "--no-checkout")
    clone.git("checkout", "-q", "--detach", configured)
    done = run_sage("init", cwd=clone.path)
    assert done.returncode == 0, done.stderr
    return clone


def make_foreign(clone: GitRepository, tips: list[str], random: Random) -> None:
    """Set whatever could change what git says about a commit."""
    folder = clone.path.parent / "foreign"
    folder.mkdir()
    (folder / "attributes").write_text("* -diff binary merge=mine diff=loud filter=loud text eol=crlf\n")
    (folder / "order").write_text("*z*\n*a*\n")
    (folder / "mailmap").write_text("Nobody <nobody@example.org> <ada@example.org>\n")
    with (clone.path / ".git/config").open("a") as config:
        config.write(FOREIGN_CONFIG.format(folder=folder))
    (clone.path / ".git/info/attributes").write_text("* -diff binary merge=mine\n")
    (clone.path / ".mailmap").write_text("Nobody <nobody@example.org> <ada@example.org>\n")
    (clone.path / ".git/info/grafts").write_text(f"{random.choice(tips)}\n")
    replaced, instead = random.sample(tips, 2)
    clone.git("replace", replaced, instead)


def look_at(clone: GitRepository, tip: str) -> None:
    clone.git("update-ref", "--no-deref", "-m", "look", "--create-reflog", "HEAD", tip)


def check_out(clone: GitRepository, tip: str) -> None:
    """Check out `tip` whatever the owner's filters and letter case make of it."""
    plainly = "core.attributesFile=/dev/null core.ignoreCase=false submodule.recurse=false core.autocrlf=false"
    clone.git(*(word for setting in plainly.split() for word in ("-c", setting)), "checkout", "-qf", "--detach", tip)


def can_be_checked_out(oracle: Oracle, tip: str) -> bool:
    """True if `tip` has a config, and no link where git wants none."""
    modules = oracle.tree(tip).get(b".gitmodules")
    return b".sage/config.toml" in oracle.tree(tip) and (modules is None or modules.mode != "120000")


def both_derive_the_same(folder: Path, seed: int) -> None:
    random = Random(seed)
    origin, configured, tips = wild_origin(folder, seed)
    usual, foreign = (joined(origin, name, configured) for name in ("usual", "foreign-clone"))
    make_foreign(foreign, tips, random)
    for tip in (*tips, configured):
        look_at(usual, tip)
    assert run_sage("record", cwd=usual.path).returncode == 0
    for tip in (*random.sample(tips, len(tips)), configured):
        look_at(foreign, tip)
        if random.random() < 0.3 or tip == configured:
            done = start_sage("record", cwd=foreign.path, env=FOREIGN_ENVIRONMENT)
            assert done.returncode == 0, done.stderr
    config = config_of(usual.path)
    policy = Policy(config["repository"], config.get("since"), tuple(config.get("backfill", ())))
    oracle = Oracle(origin.path / ".git", folder / "oracle", policy).observe([*tips, configured, *policy.backfill])
    assert_recorded_exactly(oracle, usual.path)
    assert_recorded_exactly(oracle, foreign.path)
    assert sorted(map(str, logged(usual.path))) == sorted(map(str, logged(foreign.path)))
    for tip in [tip for tip in tips if can_be_checked_out(oracle, tip)][:3]:
        shown: list[dict[bytes, list[bytes]]] = []
        for clone, env in ((usual, {}), (foreign, FOREIGN_ENVIRONMENT)):
            check_out(clone, tip)
            done = start_sage("record", cwd=clone.path, env=env)
            assert done.returncode == 0, done.stderr
            assert_recorded_exactly(oracle, clone.path)
            shown.append({path: sorted(lines) for path, lines in sidecars_on_disk(clone.path).items()})
        both = shown[0].keys() & shown[1].keys()
        assert [shown[0][path] for path in both] == [shown[1][path] for path in both]


def test_two_clones_write_the_same_bytes_whatever_their_owners_set(tmp_path: Path) -> None:
    both_derive_the_same(tmp_path, seed=2)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 300))
def test_many_clones_write_the_same_bytes_whatever_their_owners_set(tmp_path: Path, seed: int) -> None:
    both_derive_the_same(tmp_path, seed)
