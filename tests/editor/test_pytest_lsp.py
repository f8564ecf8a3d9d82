"""Every feature end to end, with pytest-lsp as the client: as Neovim, VS Code and Emacs say they are, in the encodings
in which they count. pytest-lsp holds what comes back against the specification and the profile, too.

All of it happens in one ground: files with emoji, U+2028, form feeds and other ends of lines; what is
ignored, deleted, renamed, in no repository, in a linked work tree, in a second folder of the workspace.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("pygls")
pytest.importorskip("pytest_lsp")

import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities, make_test_lsp_client

from tests.judged import Desk
from tests.kit import GitRepository

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATIENCE_S = 20.0
PROFILES = {"utf-8": "neovim@v0.11.0", "utf-16": "visual-studio-code@v1.65.2", "utf-32": "emacs@v29.1"}
ODD = "plain 😀 line\n\ta\u2028b\x0c😀é\nlast\n"
CRLF = "one 😀\r\ntwo\x0c\r\nthree\r\n"
SIDECAR = "odd.txt.sage"


@dataclass(frozen=True)
class Ground:
    """The folders of one workspace, and where things are in them."""

    first: Path
    second: Path
    linked: Path
    bare: Path
    unplanned: str
    """The commit that meddled with the odd file."""


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    base = tmp_path_factory.mktemp("workspace")
    repository = GitRepository.create(base / "first folder")
    repository.git("config", "core.autocrlf", "false")
    files = {
        "odd.txt": "plain 😀 line\nsecond\nlast\n",
        "crlf.txt": "one 😀\r\n",
        "old.txt": "1\n2\n3\n",
        "gone.txt": "x\n",
    }
    repository.commit("begin", **files, **{".gitignore": "*.log\n"})
    desk = Desk.begin(repository)
    repository.commit("keep the record")
    claim = desk.approve("tidy-up", "*.txt")
    repository.git("mv", "old.txt", "new.txt")
    repository.commit(f"rename\n\n{claim}", **{"gone.txt": None})
    unplanned = repository.commit("meddle 😀", **{"odd.txt": ODD, "crlf.txt": CRLF})
    repository.commit(f"add to what was renamed\n\n{claim}", **{"new.txt": "1\n2\n3\n4\n"})
    repository.write("noise.log", "noise\n")
    repository.git("worktree", "add", "-q", "-b", "aside", str(base / "linked"))
    second = GitRepository.create(base / "second")
    second.commit("begin", **{"b.txt": "x\n"})
    Desk.begin(second)
    second.commit("meddle", **{"b.txt": "x\ny\n"})
    (base / "bare").mkdir()
    (base / "bare/c.txt").write_text("nobody's\n")
    desk.sage("status")
    return Ground(repository.path, second.path, base / "linked", base / "bare", unplanned)


def willing_client() -> LanguageClient:
    """A client that does what a server may ask of it, which pytest-lsp's by itself does not."""
    client = make_test_lsp_client()
    for asked in ("client/registerCapability", "workspace/codeLens/refresh", "workspace/inlayHint/refresh"):
        client.feature(asked)(lambda *_: None)
    return client


_OURS = f"PYTHONPATH={Path(__file__).parents[2]}"
SERVER = ClientServerConfig(["env", _OURS, sys.executable, "-P", "-m", "lsp_server"], willing_client)


@pytest_lsp.fixture(scope="module", params=list(PROFILES), config=SERVER)
async def client(lsp_client: LanguageClient, request: pytest.FixtureRequest, ground: Ground):
    encoding = request.param
    capabilities = client_capabilities(PROFILES[encoding])
    if capabilities.general is not None and capabilities.general.position_encodings is not None:
        capabilities.general.position_encodings = [types.PositionEncodingKind(encoding)]
    folders = [types.WorkspaceFolder(each.as_uri(), each.name) for each in (ground.first, ground.second)]
    result = await lsp_client.initialize_session(
        types.InitializeParams(capabilities=capabilities, workspace_folders=folders)
    )
    assert (result.capabilities.position_encoding or types.PositionEncodingKind.Utf16) == encoding
    yield
    await lsp_client.shutdown_session()


@dataclass(frozen=True)
class Buffer:
    """A document that a client opened."""

    client: LanguageClient
    uri: str
    text: str
    encoding: str

    @property
    def document(self) -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(self.uri)

    def at(self, line: int, before: str = "") -> types.Position:
        """The position in a line behind some text."""
        return types.Position(line, units(before, self.encoding))

    def span(self, line: int, before: str, text: str) -> types.Range:
        return types.Range(self.at(line, before), self.at(line, before + text))

    async def diagnostics(
        self, until: Callable[[Sequence[types.Diagnostic]], object] = lambda _: True
    ) -> Sequence[types.Diagnostic]:
        """What was published of it last, as soon as `until` holds of that."""
        async with asyncio.timeout(PATIENCE_S):
            while self.uri not in self.client.diagnostics or not until(self.client.diagnostics[self.uri]):
                await self.client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        return self.client.diagnostics[self.uri]

    async def hover(self, position: types.Position) -> str:
        found = await self.client.text_document_hover_async(types.HoverParams(self.document, position))
        assert found is not None
        assert isinstance(found.contents, types.MarkupContent)
        return found.contents.value

    async def lenses(self) -> Sequence[types.CodeLens]:
        return await self.client.text_document_code_lens_async(types.CodeLensParams(self.document)) or []

    async def hints(self) -> Sequence[types.InlayHint]:
        whole = types.Range(types.Position(0, 0), types.Position(1_000, 0))
        return await self.client.text_document_inlay_hint_async(types.InlayHintParams(self.document, whole)) or []

    async def command(self, name: str, **more: object):
        given = types.ExecuteCommandParams(name, [{"uri": self.uri, **more}])
        return await self.client.workspace_execute_command_async(given)

    def become(self, text: str, version: int) -> None:
        whole = types.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(types.VersionedTextDocumentIdentifier(version, self.uri), [whole])
        )


@pytest.fixture
def opening(client: LanguageClient, request: pytest.FixtureRequest):
    """Opens files as buffers that are closed when the test ends."""
    encoding = request.node.callspec.params["client"]
    opened: list[Buffer] = []

    def opening(path: Path, text: str | None = None) -> Buffer:
        content = path.read_bytes().decode() if text is None else text
        buffer = Buffer(client, path.as_uri(), content, encoding)
        client.diagnostics.pop(buffer.uri, None)
        item = types.TextDocumentItem(buffer.uri, types.LanguageKind.Python, 1, content)
        client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        opened.append(buffer)
        return buffer

    yield opening
    for each in opened:
        client.text_document_did_close(types.DidCloseTextDocumentParams(each.document))


def units(text: str, encoding: str) -> int:
    size = int(encoding.removeprefix("utf-")) // 8
    return len(text.encode("utf-8" if size == 1 else f"{encoding}-le")) // size


def codes(found: Sequence[types.Diagnostic]) -> list[object]:
    return [each.code for each in found]


async def test_an_unplanned_edit_is_marked_from_its_first_character_to_its_last(opening, ground):
    odd = opening(ground.first / "odd.txt")
    (found,) = await odd.diagnostics(len)
    assert found.code == "open-rogue-edit"
    assert found.range == odd.span(1, "\t", "a\u2028b\x0c😀é")
    assert "meddle 😀" in found.message


async def test_lines_that_end_otherwise_are_the_lines_of_the_client(opening, ground):
    crlf = opening(ground.first / "crlf.txt")
    (found,) = await crlf.diagnostics(len)
    assert found.range == types.Range(crlf.at(1), crlf.at(2, "three"))
    assert "nobody has answered for it" in await crlf.hover(crlf.at(1))


async def test_hover_tells_what_is_behind_a_line(opening, ground):
    odd = opening(ground.first / "odd.txt")
    assert "from before the record" in await odd.hover(odd.at(0, "plain 😀"))
    assert f"commit {ground.unplanned[:8]}" in await odd.hover(odd.at(1, "\ta\u2028b\x0c😀"))


async def test_lenses_stand_above_the_file_and_what_is_open(opening, ground):
    odd = opening(ground.first / "odd.txt")
    above, region = await odd.lenses()
    assert above.range.start == odd.at(0)
    assert region.range.start == odd.at(1)
    assert region.command is not None
    assert region.command.command == "sage.reconcile"


async def test_a_hint_stands_at_the_end_of_a_line(opening, ground):
    odd = opening(ground.first / "odd.txt")
    (hint,) = await odd.hints()
    assert hint.position == odd.at(1, "\ta\u2028b\x0c😀é")
    assert "unplanned" in str(hint.label)


async def test_actions_answer_for_an_edit_and_show_it(opening, ground):
    odd = opening(ground.first / "odd.txt")
    (found,) = await odd.diagnostics(len)
    asked = types.CodeActionParams(odd.document, found.range, types.CodeActionContext([found]))
    offered = await odd.client.text_document_code_action_async(asked)
    titles = {each.title for each in offered or ()}
    assert titles >= {"Answer for this unplanned edit", "Show what changed with this line"}


async def test_commands_tell_what_is_open_and_what_happened(opening, ground):
    odd = opening(ground.first / "odd.txt")
    await odd.diagnostics(len)
    status = await odd.command("sage.status")
    assert {edit["filePath"] for edit in status["openRogueEdits"]} == {"odd.txt", "crlf.txt"}
    (newest, *_) = await odd.command("sage.history")
    assert newest["commit"] == ground.unplanned
    shown, told = len(odd.client.shown_documents), len(odd.client.messages)
    sides = await odd.command("sage.showDiff", eventId=newest["eventId"])
    assert sides["after"] == ODD
    assert len(odd.client.shown_documents) + len(odd.client.messages) == shown + told + 1


async def test_what_is_typed_moves_marks_and_hides_those_of_its_own_line(opening, ground):
    odd = opening(ground.first / "odd.txt")
    await odd.diagnostics(len)
    odd.become("😀\n" + ODD, 2)
    found = await odd.diagnostics(lambda each: any(one.range.start.line == 2 for one in each))
    assert {(each.code, each.range.start.line) for each in found} == {("uncovered", 0), ("open-rogue-edit", 2)}
    odd.become(ODD.replace("é", "e"), 3)
    assert codes(await odd.diagnostics(lambda each: len(each) == 1)) == ["uncovered"]


async def test_what_was_renamed_has_its_history(opening, ground):
    renamed = opening(ground.first / "new.txt")
    assert codes(await renamed.diagnostics()) == []
    labels = [row["label"] for row in await renamed.command("sage.history")]
    assert labels[-1] == "renamed"
    assert "plan tidy" in await renamed.hover(renamed.at(3))


async def test_what_was_deleted_is_told_nothing_of_but_its_history(opening, ground):
    gone = opening(ground.first / "gone.txt", "x\n")
    assert "open-rogue-edit" not in codes(await gone.diagnostics())
    assert [row["label"] for row in await gone.command("sage.history")] == ["removed"]


@pytest.mark.parametrize("name", ["noise.log", "../bare/c.txt", "../nowhere/at/all.txt"])
async def test_of_what_is_ignored_or_in_no_repository_nothing_is_said(opening, ground, name):
    buffer = opening((ground.first / name).resolve(), "anything\n")
    assert codes(await buffer.diagnostics()) == []
    assert not await buffer.lenses()
    assert not await buffer.hints()


async def test_a_linked_work_tree_and_a_second_folder_have_records_of_their_own(opening, ground):
    linked = opening(ground.linked / "odd.txt")
    assert codes(await linked.diagnostics(len)) == ["open-rogue-edit"]
    assert (await linked.command("sage.status"))["root"] == ground.linked.as_uri()
    second = opening(ground.second / "b.txt")
    assert codes(await second.diagnostics()) == ["open-rogue-edit"]
    assert [row["filePath"] for row in await second.command("sage.history")] == ["b.txt"]


async def test_a_chronicle_that_was_altered_is_wrong_where_it_was(opening, ground):
    text = (ground.first / SIDECAR).read_text(encoding="utf-8")
    chronicle = opening(ground.first / SIDECAR)
    assert codes(await chronicle.diagnostics()) == []
    chronicle.become(text.replace("Ada", "😀", 1), 2)
    found = await chronicle.diagnostics(len)
    first = text.replace("Ada", "😀", 1).split("\n")[0]
    assert (codes(found), found[0].range) == (["line-altered"], chronicle.span(0, "", first))
    asked = types.CodeActionParams(chronicle.document, found[0].range, types.CodeActionContext(list(found)))
    (fix,) = await chronicle.client.text_document_code_action_async(asked) or [None]
    assert fix is not None
    assert fix.title == "Restore this chronicle from the record"


async def test_a_chronicle_can_be_read(opening, ground):
    chronicle = opening(ground.first / SIDECAR)
    await chronicle.diagnostics()
    lines = chronicle.text.splitlines()
    assert "edited" in await chronicle.hover(chronicle.at(0))
    verdict = next(number for number, line in enumerate(lines) if "ROGUE_EDIT_DETECTED" in line)
    before = lines[verdict].partition('"prevEventId":"')[0] + '"prevEventId":"'
    asked = types.DefinitionParams(chronicle.document, chronicle.at(verdict, before))
    (definition,) = await chronicle.client.text_document_definition_async(asked) or [None]
    assert isinstance(definition, types.Location)
    context = types.ReferenceContext(include_declaration=True)
    wanted = types.ReferenceParams(context, chronicle.document, chronicle.at(verdict, before))
    references = await chronicle.client.text_document_references_async(wanted)
    assert references is not None
    assert {definition.range.start.line, verdict} == {each.range.start.line for each in references}


async def test_a_chronicle_has_links_an_outline_and_folds(opening, ground):
    chronicle = opening(ground.first / SIDECAR)
    links = await chronicle.client.text_document_document_link_async(types.DocumentLinkParams(chronicle.document))
    assert {link.target for link in links or ()} == {(ground.first / "odd.txt").as_uri()}
    outline = await chronicle.client.text_document_document_symbol_async(types.DocumentSymbolParams(chronicle.document))
    assert [each.range.start.line for each in outline or ()] == list(range(len(chronicle.text.splitlines())))
    folds = await chronicle.client.text_document_folding_range_async(types.FoldingRangeParams(chronicle.document))
    assert [(fold.start_line, fold.end_line) for fold in folds or ()] == [(0, 1)]


async def test_plans_and_events_are_found_by_name(opening, ground):
    odd = opening(ground.first / "odd.txt")
    found = await odd.client.workspace_symbol_async(types.WorkspaceSymbolParams("tidy"))
    assert any("tidy-up" in each.name for each in found or ())
    event = (await odd.command("sage.history"))[0]["eventId"]
    found = await odd.client.workspace_symbol_async(types.WorkspaceSymbolParams(event[:10]))
    assert [each.name for each in found or ()] != []


async def test_who_pulls_diagnostics_is_sent_none(ground):
    client = await SERVER.start()
    assert isinstance(client, LanguageClient)
    capabilities = client_capabilities(PROFILES["utf-8"])
    assert capabilities.workspace is not None
    capabilities.workspace.diagnostics = types.DiagnosticWorkspaceClientCapabilities(refresh_support=True)
    await client.initialize_session(types.InitializeParams(capabilities=capabilities, root_uri=ground.first.as_uri()))
    uri = (ground.first / "odd.txt").as_uri()
    item = types.TextDocumentItem(uri, types.LanguageKind.Python, 1, ODD)
    client.text_document_did_open(types.DidOpenTextDocumentParams(item))
    asked = types.DocumentDiagnosticParams(types.TextDocumentIdentifier(uri))
    report = await client.text_document_diagnostic_async(asked)
    assert isinstance(report, types.RelatedFullDocumentDiagnosticReport)
    assert codes(report.items) == ["open-rogue-edit"]
    assert client.diagnostics == {}
    await client.shutdown_session()
    await client.stop()
