"""The environment that git is given: the user's, less what is about another repository, or one of ours alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# What must never reach a git that works on another repository (`git rev-parse --local-env-vars`, git 2.39).
LOCAL_ENVIRONMENT: Final = frozenset(
    """GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_CONFIG GIT_CONFIG_PARAMETERS GIT_CONFIG_COUNT GIT_OBJECT_DIRECTORY GIT_DIR
    GIT_WORK_TREE GIT_IMPLICIT_WORK_TREE GIT_GRAFT_FILE GIT_INDEX_FILE GIT_NO_REPLACE_OBJECTS GIT_REPLACE_REF_BASE
    GIT_PREFIX GIT_SHALLOW_FILE GIT_COMMON_DIR GIT_INTERNAL_SUPER_PREFIX""".split()
)
_COMMON: Final = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": "/dev/null",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_PAGER": "cat",
}
# An object directory and quarantine of the user's stay known: a commit may live only there for now.
_KEPT_FOR_THE_USERS: Final = frozenset(
    ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT")
)
_KEPT_FOR_OURS: Final = frozenset(("PATH", "TMPDIR", "SYSTEMROOT", "GIT_ALTERNATE_OBJECT_DIRECTORIES"))


def users_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for git in the user's repository, made from the caller's."""
    dropped = LOCAL_ENVIRONMENT - _KEPT_FOR_THE_USERS
    kept = {k: v for k, v in environment.items() if k not in dropped and not k.endswith("_PATHSPECS")}
    return kept | _COMMON


def sealed_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for git in a repository of ours: no configuration, attributes or identity from outside."""
    kept = {k: v for k, v in environment.items() if k in _KEPT_FOR_OURS}
    return kept | _COMMON | {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "HOME": "/nonexistent",
        "XDG_CONFIG_HOME": "/nonexistent",
        "GIT_AUTHOR_NAME": "sage-git",
        "GIT_AUTHOR_EMAIL": "sage-git@localhost",
        "GIT_COMMITTER_NAME": "sage-git",
        "GIT_COMMITTER_EMAIL": "sage-git@localhost",
    }  # fmt: skip
