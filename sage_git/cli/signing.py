"""The options of every command that says what may need a signature: `--sign`, `--no-sign` and `--key`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from sage_git.cli import render

if TYPE_CHECKING:
    from sage_git.cli.surroundings import Surroundings
    from sage_git.operations.signing import Wish


def signing_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say whether to sign, and with which key. Without any, the policy says it."""
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--sign", action="store_true", default=None, help="sign with the SSH key that git signs with, or with --key"
    )
    choice.add_argument("--no-sign", dest="sign", action="store_false", help="do not sign, though the policy wants it")
    parser.add_argument("--key", metavar="FILE", help="sign with this SSH key, of either half; an agent may hold it")


def wish(arguments: argparse.Namespace, surroundings: Surroundings) -> Wish:
    """What the person wants. Raises UsageError."""
    from sage_git.errors import UsageError
    from sage_git.operations.signing import When, Wish

    if arguments.key is not None and arguments.sign is False:
        raise UsageError("--key says with what to sign, and --no-sign not to")
    file = None if arguments.key is None else surroundings.cwd / arguments.key
    when = {None: When.NEEDED, True: When.ALWAYS, False: When.NEVER}[True if file else arguments.sign]
    return Wish(when, file, lambda text: render.complain(surroundings, text))
