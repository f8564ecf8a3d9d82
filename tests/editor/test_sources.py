"""What an editor shows on a source: diagnostics, hover, lenses, hints, actions; and that it moves with typing."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pygls")

from lsp_server import session
from lsp_server.session import Front
from lsp_server.workspaces import path_of
from sage_git.storage.index import Index
from tests.editor.client import Refused
from tests.editor.conftest import APP
from tests.kit import GitRepository, run_sage

NOW = "first\nSECOND\nTHIRD\n"


def codes(found):
    return [(each["code"], each["range"]["start"]["line"]) for each in found]


def open_edits(found):
    return [each for each in found if each["code"] == "open-rogue-edit"]


def test_an_open_rogue_edit_is_told_on_its_line(onlooker):
    (found,) = onlooker.diagnostics("app.py", open_edits)
    assert found["range"] == {"start": {"line": 2, "character": 0}, "end": {"line": 2, "character": 5}}
    assert found["severity"] == 2
    assert "Ada Lovelace" in found["message"]
    assert "meddle with the third" in found["message"]


def test_hover_tells_who_when_and_under_which_plan(onlooker):
    planned = onlooker.hover("app.py", 1)["contents"]
    assert planned["kind"] == "markdown"
    assert "tidy the second" in planned["value"]
    assert "plan tidy-up" in planned["value"]
    assert "nobody has answered for it" in onlooker.hover("app.py", 2)["contents"]["value"]
    assert "from before the record" in onlooker.hover("app.py", 0)["contents"]["value"]


def test_hover_is_plain_for_a_client_that_wants_that(starting):
    client = starting(capabilities={"textDocument": {"hover": {"contentFormat": ["plaintext"]}}})
    client.open("app.py")
    contents = client.hover("app.py", 1)["contents"]
    assert contents["kind"] == "plaintext"
    assert "plan tidy-up: tidy-up" in contents["value"]


def test_lenses_say_the_history_in_a_line_and_stand_above_open_regions(onlooker):
    first, second = onlooker.about("textDocument/codeLens", "app.py")
    assert (first["range"]["start"]["line"], second["range"]["start"]["line"]) == (0, 2)
    assert first["command"]["title"].endswith("1 unplanned")
    assert second["command"]["command"] == "sage.reconcile"


def test_hints_stand_only_where_something_is_to_say(onlooker):
    (hint,) = onlooker.hints("app.py")
    assert hint["position"] == {"line": 2, "character": 5}
    assert hint["label"].startswith("unplanned · Ada Lovelace")


def test_everything_can_be_switched_off_and_on_again(starting):
    off = {
        "hints": {"enabled": False},
        "lenses": {"enabled": False},
        "hover": {"enabled": False},
        "diagnostics": {"rogue": "off"},
    }
    client = starting(options=off)
    client.open("app.py")
    assert client.diagnostics("app.py") == []
    assert client.hints("app.py") == client.about("textDocument/codeLens", "app.py") == []
    assert client.hover("app.py", 2) is None
    client.tell("workspace/didChangeConfiguration", {"settings": {"sageGit": {"diagnostics": {"rogue": "hint"}}}})
    (found,) = client.diagnostics("app.py", open_edits)
    assert found["severity"] == 4
    assert client.hints("app.py")


def test_ranges_move_with_what_is_typed_and_vanish_with_what_is_overwritten(client):
    client.open("app.py")
    client.diagnostics("app.py", open_edits)
    client.change("app.py", "one more\nand more\n" + NOW)
    found = client.diagnostics("app.py", lambda each: ("open-rogue-edit", 4) in codes(each))
    assert [code for code in codes(found) if code[0] == "open-rogue-edit"] == [("open-rogue-edit", 4)]
    assert client.hover("app.py", 0) is None
    assert "nobody has answered" in client.hover("app.py", 4)["contents"]["value"]
    assert client.hints("app.py")[0]["position"]["line"] == 4
    client.change("app.py", "first\nSECOND\nthird again\n")
    client.diagnostics("app.py", lambda each: not open_edits(each))
    assert client.hover("app.py", 2) is None
    assert client.hints("app.py") == []


def test_an_edit_that_no_plan_covers_is_told_before_the_commit(client):
    client.open("app.py")
    client.change("app.py", NOW + "fourth\n")
    found = client.diagnostics("app.py", lambda each: ("uncovered", 3) in codes(each))
    (told,) = [each for each in found if each["code"] == "uncovered"]
    assert told["message"].startswith("no approved plan covers this")
    titles = [each["title"] for each in client.actions("app.py", 3, 3)]
    assert "Work under plan tidy-up" in titles
    assert "Draft a plan for this file" in titles


def test_a_plan_in_use_quietens_it(client):
    client.open("app.py")
    client.change("app.py", NOW + "fourth\n")
    client.diagnostics("app.py", lambda each: ("uncovered", 3) in codes(each))
    (use,) = [each for each in client.actions("app.py", 3, 3) if each["title"] == "Work under plan tidy-up"]
    plan = client.ask("workspace/executeCommand", use["command"])
    assert plan["inUse"] is True
    client.diagnostics("app.py", lambda each: not any(code == "uncovered" for code, _ in codes(each)))
    assert client.command("sage.planUse", uri=client.uri("app.py"), planId=None) == {"planId": None}
    client.diagnostics("app.py", lambda each: ("uncovered", 3) in codes(each))


def test_answering_for_an_edit_takes_it_from_the_problems(client, desk):
    client.open("app.py")
    client.diagnostics("app.py", open_edits)
    answer, *_ = client.actions("app.py", 2, 2)
    assert answer["kind"] == "quickfix"
    assert client.ask("workspace/executeCommand", answer["command"])["eventId"]
    assert client.diagnostics("app.py", lambda each: not each) == []
    assert "and answered for" in client.hover("app.py", 2)["contents"]["value"]
    assert client.told("sage/changed")[0]["root"] == desk.repository.path.as_uri()
    with pytest.raises(Refused, match="nothing"):
        client.ask("workspace/executeCommand", answer["command"])


def test_what_says_how_long_ago_is_asked_for_again(monkeypatch):
    monkeypatch.setattr(session, "_MINUTE_S", 0.001)

    async def wait() -> None:
        asked = asyncio.Event()
        nothing: Any = lambda *_: None  # noqa: E731  one for each of what is not asked here
        front = Front(nothing, nothing, asked.set, *[nothing] * 6)
        one = session.Session({}, front)
        one.documents.open("file:///app.py", "x\n", 1)
        one.start(one.keep_ages_true())
        await asyncio.wait_for(asked.wait(), 20)

    asyncio.run(wait())


def test_a_client_that_hears_no_changes_is_told_of_none(starting):
    client = starting(options={})
    client.open("app.py")
    answer, *_ = client.actions("app.py", 2, 2)
    client.ask("workspace/executeCommand", answer["command"])
    assert client.diagnostics("app.py", lambda each: not each) == []
    assert not [each for each in client.notes if each["method"] == "sage/changed"]


def test_drafting_approving_and_denying_a_plan(client, desk):
    uri = client.uri("other.txt")
    drafted = client.command("sage.planDraft", uri=uri, summary="Mend the other")
    assert (drafted["planId"], drafted["state"], drafted["scope"]) == ("mend-the-other", "drafted", ["/other.txt"])
    approved = client.command("sage.planApprove", uri=uri, planId="mend-the-other", justification="yes")
    assert approved["state"] == "approved"
    assert client.command("sage.planDeny", uri=uri, planId="mend-the-other")["state"] == "denied"
    assert {plan["planId"] for plan in client.command("sage.plans", uri=uri)} == {"tidy-up", "mend-the-other"}


def test_a_commit_from_elsewhere_is_shown_within_moments(client, desk):
    client.open("app.py")
    client.diagnostics("app.py", open_edits)
    text = NOW + "fourth\n"
    desk.repository.commit("one more that nobody planned", **{"app.py": text})
    client.change("app.py", text)
    found = client.diagnostics("app.py", lambda each: len(open_edits(each)) == 2)
    assert codes(found) == [("open-rogue-edit", 2), ("open-rogue-edit", 3)]
    refreshed = {"workspace/codeLens/refresh", "workspace/inlayHint/refresh"}
    client.wait(lambda: refreshed <= {each["method"] for each in client.requests}, lambda: f"{refreshed}")


def test_a_halt_is_an_error(client, desk):
    client.open("app.py")
    client.diagnostics("app.py", open_edits)
    halt = {
        "type": "HALT_AND_REPORT",
        "actor": {"id": "Ada Lovelace <ada@example.org>", "agent": "watch"},
        "invariant": "totals\u202e never fall",
        "expected": "1",
        "actual": "0",
    }
    event = json.dumps(halt)
    desk.tick()
    said = run_sage("append", "app.py.sage", "--event", event, cwd=desk.repository.path)
    assert said.returncode == 0, said.stderr
    found = client.diagnostics("app.py", lambda each: any(code == "halted" for code, _ in codes(each)))
    (told,) = [each for each in found if each["code"] == "halted"]
    assert told["severity"] == 1
    assert "totals\\u{202e} never fall" in told["message"]


def gaps(found):
    return [each for each in found if each["code"] == "gap"]


def test_what_the_record_does_not_know_of_a_source_is_told_at_its_first_line(starting, desk, tmp_path):
    shallow = tmp_path / "shallow"
    desk.repository.git("clone", "-q", "--depth=1", desk.repository.path.as_uri(), str(shallow))
    assert run_sage("init", cwd=shallow).returncode == 0
    client = starting(shallow)
    client.open("app.py")
    (found,) = gaps(client.diagnostics("app.py", gaps))
    assert found["range"]["start"]["line"] == 0
    assert found["severity"] == 3
    assert desk.repository.head[:12] in found["message"]
    assert "parents are missing in this shallow clone" in found["message"]
    client.tell("workspace/didChangeConfiguration", {"settings": {"diagnostics": {"gaps": False}}})
    client.diagnostics("app.py", lambda found: not gaps(found))
    client.tell("workspace/didChangeConfiguration", {"settings": {"diagnostics": {"gaps": True}}})
    client.diagnostics("app.py", gaps)
    GitRepository(shallow).git("fetch", "-q", "--unshallow")
    client.diagnostics("app.py", lambda found: open_edits(found) and not gaps(found))


def test_a_commit_that_cannot_be_recorded_is_told_of_at_what_it_may_have_changed(starting, desk):
    repository = desk.repository
    repository.git("checkout", "-q", "-b", "aside")
    broken = repository.commit("aside", **{"other.txt": "y\n"})
    repository.git("checkout", "-q", "main")
    tree = repository.git("rev-parse", f"{broken}^{{tree}}")
    (repository.path / ".git/objects" / tree[:2] / tree[2:]).unlink()
    client = starting()
    client.open("app.py")
    (found,) = gaps(client.diagnostics("app.py", gaps))
    assert f"commit {broken[:12]} is not recorded" in found["message"]


def test_a_hole_in_a_chronicle_is_told_of(client, desk):
    desk.sage("status")
    first = json.loads(desk.repository.read("app.py.sage").splitlines()[0])["eventId"]
    with Index.open(desk.repository.path / ".git/sage/index.sqlite") as index, index.transaction():
        index.connection.execute("DELETE FROM events WHERE event_id = ?", (bytes.fromhex(first),))
    client.open("app.py")
    (found,) = gaps(client.diagnostics("app.py", gaps))
    assert "events that nobody here has" in found["message"]


def newest_event(client):
    return client.command("sage.history", uri=client.uri("app.py"))[0]["eventId"]


def test_who_has_no_view_for_differences_is_shown_a_file(client, desk):
    client.open("app.py")
    event = newest_event(client)
    client.command("sage.showDiff", uri=client.uri("app.py"), eventId=event)
    client.wait(lambda: client.requests[-1]["method"] == "window/showDocument", lambda: "a file to show")
    page = path_of(client.requests[-1]["params"]["uri"])
    assert page is not None
    assert page.endswith(f"{event[:8]}.diff")
    text = Path(page).read_text(encoding="utf-8")
    assert text.startswith("app.py (edited, ")
    assert "\n-third\n+THIRD\n" in text
    assert client.stop() == 0
    assert not Path(page).parent.exists()


def test_who_can_show_no_file_either_is_shown_a_message(starting, desk):
    client = starting(capabilities={})
    client.open("app.py")
    client.command("sage.showDiff", uri=client.uri("app.py"), eventId=newest_event(client))
    (shown,) = client.told("window/showMessage")
    assert shown["type"] == 3
    assert "\n-third\n+THIRD" in shown["message"]


@pytest.mark.parametrize("options", [{"showsDiffs": True}, {"sageGit": {"hints": {}}, "showsDiffs": True}])
def test_who_shows_differences_itself_is_only_told(starting, desk, options):
    client = starting(options=options)
    client.open("app.py")
    assert client.command("sage.showDiff", uri=client.uri("app.py"), eventId=newest_event(client))["after"] == NOW
    assert client.command("sage.status", uri=client.uri("app.py"))
    assert "window/showDocument" not in [each["method"] for each in client.requests]
    assert "window/showMessage" not in [each["method"] for each in client.notes]


def test_commands_answer_what_views_need(onlooker):
    uri = onlooker.uri("app.py")
    status = onlooker.command("sage.status", uri=uri)
    assert status["root"] == onlooker.root.as_uri()
    assert [edit["lines"] for edit in status["openRogueEdits"]] == [[[3, 3]]]
    newest, before, *_ = onlooker.command("sage.history", uri=uri)
    assert (newest["subject"], newest["standing"], newest["open"]) == ("meddle with the third", "unplanned", True)
    assert (before["subject"], before["standing"], before["planId"]) == ("tidy the second", "planned", "tidy-up")
    sides = onlooker.command("sage.showDiff", uri=uri, eventId=newest["eventId"])
    assert (sides["before"], sides["after"]) == ("first\nSECOND\nthird\n", NOW)
    line = onlooker.command("sage.line", uri=uri, line=2)
    assert (line["standing"], line["open"]) == ("unplanned", True)
    assert onlooker.command("sage.line", uri=uri, line=99) is None
    place = onlooker.command("sage.openChronicle", uri=uri, eventId=newest["eventId"])
    assert place["uri"] == onlooker.uri("app.py.sage")
    assert onlooker.requests[-1]["method"] == "window/showDocument"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_positions_are_right_in_every_encoding(starting, desk, encoding):
    awkward = "a\u2028b\x0c😀é"
    width = {"utf-8": len(awkward.encode()), "utf-16": len(awkward) + 1, "utf-32": len(awkward)}[encoding]
    desk.repository.git("config", "core.autocrlf", "false")
    desk.repository.commit("awkward", **{"lf.txt": "plain\n", "crlf.txt": "plain\n", "app.py": APP})
    texts = {name: end.join(("plain", awkward, "tail", "")) for name, end in (("lf.txt", "\n"), ("crlf.txt", "\r\n"))}
    desk.repository.commit("meddle", **{name: text.encode() for name, text in texts.items()})
    client = starting(encodings=[encoding])
    assert client.capabilities["positionEncoding"] == encoding
    for name, text in texts.items():
        client.open(name, text)
        client.diagnostics(name, open_edits)
        assert "meddle" in client.hover(name, 2)["contents"]["value"]
    assert {"line": 1, "character": width} in [each["position"] for each in client.hints("lf.txt")]
    (hint,) = client.hints("crlf.txt")  # where all lines are new, it stands on the first
    assert hint["position"] == {"line": 0, "character": 5}


def test_files_that_no_record_knows_are_left_alone(client, desk, tmp_path):
    (tmp_path / "outside.txt").write_text("x\n")
    client.open("../outside.txt")
    assert client.diagnostics("../outside.txt") == []
    assert client.hover("../outside.txt", 0) is None
    assert client.command("sage.status", uri=client.uri("../outside.txt")) is None
    desk.repository.write(".gitignore", "ignored.txt\n*.sage\n!*.sage/\n")
    desk.repository.write("ignored.txt", "x\n")
    desk.repository.write("new.txt", "x\n")
    client.open("ignored.txt")
    assert client.diagnostics("ignored.txt") == []
    client.open("new.txt")
    found = client.diagnostics("new.txt")
    assert all(each["code"] == "uncovered" for each in found)
    client.tell(
        "textDocument/didOpen",
        {"textDocument": {"uri": "untitled:Untitled-1", "languageId": "x", "version": 1, "text": "y"}},
    )
    client.open("gone.txt", "never there\n")
    assert client.hover("gone.txt", 0) is None


def test_a_renamed_file_keeps_the_origin_of_its_lines(client, desk):
    desk.repository.git("mv", "app.py", "main.py")
    desk.repository.commit("call it main")
    client.open("main.py")
    assert "tidy the second" in client.hover("main.py", 1)["contents"]["value"]


def test_two_folders_and_a_linked_work_tree_each_have_their_own(starting, desk):
    linked = desk.repository.worktree("linked")
    linked.commit("meddle there", **{"app.py": "FIRST\nSECOND\nTHIRD\n"})
    client = starting(desk.repository.path, folders=[desk.repository.path, linked.path])
    client.open("app.py")
    client.open("../linked/app.py")
    assert codes(client.diagnostics("../linked/app.py", lambda each: len(each) == 2)) == [
        ("open-rogue-edit", 0),
        ("open-rogue-edit", 2),
    ]
    assert codes(client.diagnostics("app.py", open_edits)) == [("open-rogue-edit", 2)]
    assert client.command("sage.status", uri=client.uri("../linked/app.py"))["root"] == linked.path.as_uri()


def test_a_client_that_pulls_diagnostics_is_never_sent_any(starting):
    texts: dict[str, object] = {"diagnostic": {}, "publishDiagnostics": {}}
    client = starting(capabilities={"textDocument": texts, "workspace": {"diagnostics": {"refreshSupport": True}}})
    assert client.capabilities["diagnosticProvider"]["workspaceDiagnostics"] is False
    client.open("app.py")
    report = client.about("textDocument/diagnostic", "app.py")
    assert codes(report["items"]) == [("open-rogue-edit", 2)]
    assert client.published == {}


def test_plans_and_events_are_found_as_symbols(onlooker):
    (plan,) = onlooker.ask("workspace/symbol", {"query": "tidy"})
    assert plan["location"]["uri"] == onlooker.uri(".sage/plans.sage")
    event = onlooker.command("sage.history", uri=onlooker.uri("app.py"))[0]["eventId"]
    (found,) = onlooker.ask("workspace/symbol", {"query": event[:10]})
    assert found["location"]["uri"] == onlooker.uri("app.py.sage")
