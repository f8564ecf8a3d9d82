"""`note`: the statements that people and scripts make most, each with options for what it says."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sage_git.cli.saying import actor, actor_option, answer, answer_option, clock_ms
from sage_git.cli.signing import signing_options, wish
from sage_git.errors import UsageError

if TYPE_CHECKING:
    from sage_git.cli.surroundings import Surroundings


@dataclass(frozen=True, slots=True)
class Option:
    """One field of a payload as an option, or as an argument if `flag` has no dashes."""

    flag: str
    field: str
    help: str
    needed: bool = False
    read: Callable[[str], Any] = str
    choices: tuple[str, ...] = ()
    several: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """A kind of note: its type, its subject unless another is asked for, and what may be said."""

    type: str
    subject: str
    description: str
    options: tuple[Option, ...]
    message: str = ""
    """The field that -m fills; empty if it has none."""


def _json(text: str) -> Any:
    from sage_git.chronicle.canonical import parse_json
    from sage_git.errors import SageError

    try:
        return parse_json(text.encode("utf-8", "surrogateescape"))
    except SageError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None


def _milliseconds(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of milliseconds")
    return int(text)


def _item(text: str) -> dict[str, str]:
    """`DESCRIPTION [@ASSIGNEE] [DATE]` is too clever for a shell; a description alone will do."""
    return {"description": text}


DEPLOY_STATES: Final = ("started", "success", "failed", "rolled_back")
NOTES: Final = {
    "build": Note(
        "BUILD",
        "builds",
        "a build began, succeeded or failed",
        (
            Option("status", "status", "how it went", needed=True, choices=("started", "success", "failed")),
            Option("--id", "buildId", "the build's name or number"),
            Option("--duration", "duration", "how long it took, in milliseconds", read=_milliseconds),
            Option("--artifact", "artifacts", "what it made; may be given again", several=True),
            Option("--error", "errors", "what went wrong; may be given again", several=True),
        ),
    ),
    "deploy": Note(
        "DEPLOY",
        "deploys",
        "something was deployed, or rolled back",
        (
            Option("environment", "environment", "where to", needed=True),
            Option("status", "status", "how it went", needed=True, choices=DEPLOY_STATES),
            Option("--id", "deploymentId", "the deployment's name or number", needed=True),
            Option("--build", "buildRef", "the build that was deployed"),
        ),
    ),
    "envvar": Note(
        "ENVVAR_CHANGE",
        "environment",
        "an environment variable was set, unset or changed; never its value",
        (
            Option("variable", "variable", "its name", needed=True),
            Option("operation", "operation", "what was done", needed=True, choices=("set", "unset", "changed")),
            Option("--in", "environment", "in which environment", needed=True),
            Option("--previous-hash", "previousHash", "keyed hash of the old value"),
            Option("--new-hash", "newHash", "keyed hash of the new value"),
        ),
    ),
    "postmortem": Note(
        "POSTMORTEM",
        "postmortems",
        "what an incident was, and what follows from it",
        (
            Option("incident", "incidentId", "the incident's name or number", needed=True),
            Option("--title", "title", "what happened, in a line", needed=True),
            Option("--action-item", "actionItems", "what is to be done; may be given again", read=_item, several=True),
        ),
        message="rootCause",
    ),
    "action": Note(
        "AGENT_ACTION",
        "actions",
        "a step that an agent, tool or person took",
        (Option("--meta", "meta", "more about it, as JSON", read=_json),),
        message="action",
    ),
}


def register(commands: Any) -> None:
    """Add `note` with a command below it for each kind."""
    note = commands.add_parser(
        "note",
        description="say that something was built, deployed, changed, learnt or done",
        usage="sage-git note KIND …",
        epilog="\n".join(f"  {name:<11} {each.description}" for name, each in NOTES.items())
        + "\n\nsage-git note KIND --help tells what it may say.",
    )
    kinds = note.add_subparsers(dest="kind", metavar="KIND", required=True, prog="sage-git note")
    for name, each in NOTES.items():
        parser = kinds.add_parser(name, description=each.description, usage=_usage(name, each))
        for option in each.options:
            _add(parser, option)
        if each.message:
            parser.add_argument("-m", "--message", dest=each.message, required=True, metavar="TEXT", help="in words")
        parser.add_argument("--about", metavar="SUBJECT", help=f"a source or subject, instead of {each.subject}")
        parser.add_argument("--tag", dest="tags", action="append", metavar="TAG", help="a tag; may be given again")
        actor_option(parser)
        signing_options(parser)
        answer_option(parser)
        parser.set_defaults(run=note_command)


def note_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Make a note; 0."""
    from sage_git.operations.checkout import Checkout
    from sage_git.operations.signing import signer_for
    from sage_git.operations.statements.appending import Statement, append_statement

    note = NOTES[arguments.kind]
    fields = [option.field for option in note.options] + [note.message, "tags"]
    given = {name: value for name in fields if name and (value := getattr(arguments, name)) is not None}
    if note.type == "POSTMORTEM":
        given.setdefault("actionItems", [])
    with Checkout.open(surroundings.cwd, surroundings.environment) as checkout:
        key = _key(checkout, surroundings, arguments.about or note.subject)
        given |= {"type": note.type, "actor": actor(checkout.repository, arguments, surroundings)}
        sign = signer_for(checkout, wish(arguments, surroundings), given)
        statement = Statement(key, given, clock_ms(surroundings), sign=sign)
        event = append_statement(checkout, statement)
    answer(event, arguments, surroundings)
    return 0


def _key(checkout: Any, surroundings: Surroundings, about: str) -> bytes:
    """The subject or source that `about` names: a bare word is a subject, a path or `./name` a source."""
    from sage_git.operations.reading.sources import repository_path
    from sage_git.operations.sidecars.placing import subject_key
    from sage_git.operations.subjects import is_subject_name

    if is_subject_name(about):
        return subject_key(about)
    path = repository_path(checkout.repository.work_tree, surroundings.cwd, about)
    raw = path.encode("utf-8", "surrogateescape")
    head = checkout.repository.head()
    if head is None or raw not in checkout.repository.tracked_paths(head, {raw}):
        remedy = "name a file that is committed, or a subject: a word of a-z, 0-9 and -"
        raise UsageError(f"'{about}' is neither a source nor a subject", remedy=remedy)
    return raw


def _add(parser: argparse.ArgumentParser, option: Option) -> None:
    settings: dict[str, Any] = {"help": option.help, "type": option.read}
    if option.choices:
        settings |= {"choices": option.choices}
    if not option.flag.startswith("-"):
        settings |= {"metavar": option.flag.upper()}
        parser.add_argument(option.field, **settings)
        return
    settings |= {"metavar": option.flag.rpartition("-")[2].upper(), "required": option.needed}
    if option.several:
        settings |= {"action": "append"}
    parser.add_argument(option.flag, dest=option.field, **settings)


def _usage(name: str, note: Note) -> str:
    words = [option.flag.upper() for option in note.options if not option.flag.startswith("-")]
    words += [f"{each.flag} …" for each in note.options if each.flag.startswith("-") and each.needed]
    return " ".join([f"sage-git note {name} [OPTIONS]", *words, *(["-m TEXT"] if note.message else [])])
