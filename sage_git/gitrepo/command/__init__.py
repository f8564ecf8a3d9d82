"""The one way to run git: sealed against the user's configuration, bytes in, bytes out, never a prompt.

Two kinds of runs. In the *user's* repository git sees the user's configuration, less what could run code, fetch, lock
or change what history is. In a repository *of ours* (scratch, store) git sees no configuration but that repository's.
"""

from sage_git.gitrepo.command.bounded import Finished, Limits, Over, run_bounded
from sage_git.gitrepo.command.environments import LOCAL_ENVIRONMENT, sealed_environment, users_environment
from sage_git.gitrepo.command.running import run, run_in_users, run_ssh_keygen
from sage_git.gitrepo.command.service import Service
from sage_git.gitrepo.command.streams import Dialogue, Stream

__all__ = [
    "LOCAL_ENVIRONMENT",
    "Dialogue",
    "Finished",
    "Limits",
    "Over",
    "Service",
    "Stream",
    "run",
    "run_bounded",
    "run_in_users",
    "run_ssh_keygen",
    "sealed_environment",
    "users_environment",
]
