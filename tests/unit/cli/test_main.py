"""The front door: which command, which exit status, and what is said when something goes wrong."""

import argparse
import errno
import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sage_git.cli import main as front
from sage_git.cli import render
from sage_git.cli.pager import pager_command
from sage_git.cli.render import Progress, Screen
from sage_git.cli.surroundings import of_this_process
from sage_git.cli.text import Span, Style
from sage_git.errors import LockTimeout, NotHere


@pytest.fixture
def around(tmp_path):
    return replace(
        of_this_process(), cwd=tmp_path, now=datetime(2026, 1, 1, tzinfo=UTC), output=io.BytesIO(), errors=io.BytesIO(),
        output_is_terminal=False, errors_are_terminal=False, columns=80,
    )  # fmt: skip


@pytest.fixture
def command(monkeypatch):
    """Let `sage-git status` do what a test wants."""

    def does(action):
        def register(commands):
            commands.add_parser("status").set_defaults(run=lambda _, surroundings: action(surroundings))

        monkeypatch.setattr("sage_git.cli.status.register", register)

    return does


def said(around):
    return around.errors.getvalue().decode()


def raising(problem):
    def action(_):
        raise problem

    return action


@pytest.mark.parametrize(
    "problem, status, words",
    [
        (NotHere("nothing here", remedy="go away"), 3, "sage-git: nothing here\n  go away\n"),
        (LockTimeout("/x", 10), 4, "sage-git: /x stayed locked for 10 ms\n  try again, or end that process\n"),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(), 0, ""),
        (
            ValueError("odd"),
            4,
            "sage-git: ValueError: odd; this is a fault of sage-git\n  SAGE_DEBUG=1 shows where it happened\n",
        ),
    ],
)
def test_every_end_has_its_exit_status_and_one_sentence(command, around, problem, status, words):
    command(raising(problem))
    assert front.main(["status"], around) == status
    assert said(around) == words


def test_a_fault_of_ours_is_shown_whole_when_asked_for(command, around):
    command(raising(ValueError("odd")))
    with pytest.raises(ValueError, match="odd"):
        front.main(["status"], replace(around, environment={"SAGE_DEBUG": "1"}))


def test_hostile_text_in_an_error_is_escaped(command, around):
    command(raising(NotHere("\x1b]0;owned\x07")))
    front.main(["status"], around)
    assert said(around) == "sage-git: \\x1b]0;owned\\x07\n"


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["sttaus"], "'sttaus' is not a command; did you mean 'status'?"),
        (["qqq"], "'qqq' is not a command\n"),
        (["log", "--grpah"], "log: '--grpah' is not an option; did you mean '--graph'?"),
        (["log", "--color=pink"], "log: --color: 'pink' is none of auto, always, never\n"),
        (["plan", "aprove"], "plan: 'aprove' is none of draft, approve, deny, force, done, use, list, show; did you"),
        (["--colour=always", "log"], "'--colour' is not an option; did you mean '--color'?"),
        (["log", "a", "b"], "log: 'b' is one argument too many"),
        (["show"], "show: the following arguments are required: EVENT"),
        (["-C"], "argument -C: expected one argument"),
    ],
)
def test_what_cannot_be_meant_is_answered_with_the_nearest_thing(around, arguments, words):
    assert front.main(arguments, around) == 2
    assert words in said(around)


def test_without_a_command_the_help_is_shown_and_the_status_says_so(around):
    assert front.main([], around) == 2
    assert front.main(["--help"], around) == 0
    assert front.main(["help"], around) == 0
    assert around.output.getvalue().decode().count("usage: sage-git") == 3


def test_the_version_is_told(around):
    assert front.main(["--version"], around) == 0
    assert around.output.getvalue().decode().startswith("sage-git 0.")


def test_directories_add_up_as_gits_do(command, around, tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    command(lambda surroundings: len(surroundings.cwd.relative_to(tmp_path / "a").parts))
    assert front.main(["-C", "a", "-C", "b", "status"], around) == len(("b",))


@pytest.mark.parametrize(
    "environment, configured, command",
    [
        ({}, "", "less"),
        ({"PAGER": "more"}, "", "more"),
        ({"PAGER": "more"}, "most", "most"),
        ({"PAGER": "more", "GIT_PAGER": "cat"}, "most", ""),
        ({"GIT_PAGER": ""}, "most", ""),
    ],
)
def test_the_pager_is_the_one_git_would_take(environment, configured, command):
    assert pager_command(environment, lambda: configured) == command


@pytest.mark.parametrize(
    "choice, terminal, environment, coloured",
    [
        ("auto", True, {"TERM": "xterm"}, True),
        ("auto", True, {"TERM": "dumb"}, False),
        ("auto", True, {"TERM": "xterm", "NO_COLOR": "1"}, False),
        ("auto", False, {"TERM": "xterm"}, False),
        ("always", False, {"NO_COLOR": "1"}, True),
        ("never", True, {"TERM": "xterm"}, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(around, choice, terminal, environment, coloured):
    assert (
        render.wants_colour(choice, replace(around, output_is_terminal=terminal, environment=environment)) is coloured
    )


def test_a_reader_that_goes_away_is_no_error(around):
    class Gone(io.BytesIO):
        def write(self, _):
            raise BrokenPipeError

    nobody = replace(around, output=Gone())
    with render.screen(argparse.Namespace(), nobody) as out:
        out.line("anything")
    assert said(nobody) == ""


def test_a_terminal_without_unicode_gets_the_nearest_ascii():
    output = io.BytesIO()
    Screen(output, colour=False, limit=80, speaks_unicode=False).line("a → b …", Span(" · é", Style.OPEN))
    assert output.getvalue() == b"a -> b ... - \\xe9\n"


def test_progress_is_told_on_a_terminal_after_a_second_and_taken_away(around):
    moments = iter([0.0, 0.5, 1.5, 1.55])
    progress = Progress(replace(around, errors_are_terminal=True), "reading", lambda: next(moments, 9.0))
    with progress as tell:
        tell(1, 10)
        tell(5, 10)
    assert said(around) == "\rreading:  50% (5/10)\x1b[K\r\x1b[K"


def test_progress_is_not_told_to_a_file(around):
    with Progress(around, "reading", lambda: 0.0) as tell:
        tell(1, 10)
    assert said(around) == ""


def test_a_full_disk_is_told_as_such(command, around):
    class Full(io.BytesIO):
        def write(self, _):
            raise OSError(errno.ENOSPC, "no space")

    command(shown_on)
    full = replace(around, output=Full())
    assert front.main(["status"], full) == 4
    assert said(full).startswith("sage-git: cannot write to standard output: ENOSPC\n  the disk is full: make room")


def shown_on(surroundings):
    with render.screen(argparse.Namespace(), surroundings) as out:
        out.line("anything")
    return 0
