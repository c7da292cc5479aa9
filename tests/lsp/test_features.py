"""What the standard requests answer, with the capabilities that real editors recorded."""

from pathlib import Path

import pytest
from lsprotocol import types

from specloom.llm.scripted.server import ScriptedServer
from tests.integration.projects import REQUIREMENTS, WRITES, greeter, greeter_script, session
from tests.integration.projects import SPEC as GREETER
from tests.lsp.editor import EDITORS, Editor, editing
from tests.lsp.test_scenario import line_of, settings

SPEC = "specs/01-greeter.md"
WRONG = REQUIREMENTS.replace("R1.2 ", "R1.1 ")
UNKNOWN = "    - _Requirements: R1.2_"


def at(editor: Editor, uri: str, text: str) -> types.Position:
    """In the middle of the first occurrence of a text, in client units."""
    lines = editor.texts[uri]
    place = lines.position(lines.text.index(text))
    return types.Position(place.line, place.character + len(text) // 2)


async def codes(editor: Editor, uri: str) -> list[str]:
    """Codes of what is wrong with a document, pulled or pushed, whichever the client gets."""
    if editor.server_capabilities.diagnostic_provider is None:
        return [str(item.code) for item in editor.diagnostics(uri)]
    params = types.DocumentDiagnosticParams(types.TextDocumentIdentifier(uri))
    report = await editor.request(types.TEXT_DOCUMENT_DIAGNOSTIC, params)
    return [str(item.code) for item in report.items]


async def settle(editor: Editor, uri: str, code: str, *, present: bool) -> None:
    """Waits until a problem stands there, or no longer."""

    def told() -> tuple[int, int]:
        return editor.client.diagnostic_refresh_count, len(editor.diagnostics(uri))

    seen = told()
    while (code in (found := await codes(editor, uri))) is not present:

        def moved(before: tuple[int, int] = seen) -> bool:
            return told() != before

        await editor.until(moved, f"{code} {present}, not {found}")
        seen = told()


@pytest.mark.parametrize("name", [*EDITORS, "neovim@v0.10"])
async def test_a_problem_shows_once_with_its_place_and_goes_when_it_is_mended(name: str, tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    good = (root / SPEC).read_text()
    bad = good.replace("_Requirements: R1.2_", "_Requirements: 😀 R1.3_")
    async with editing(root, name) as editor:
        uri = editor.open(SPEC, bad)
        pulls = editor.server_capabilities.diagnostic_provider is not None

        await settle(editor, uri, "unknown-requirement", present=True)
        if pulls:
            assert editor.diagnostics(uri) == [], "what is pulled must not be pushed too"
        else:
            (problem,) = [item for item in editor.diagnostics(uri) if item.code == "unknown-requirement"]
            assert problem.source == "specloom"
            assert problem.range.start == editor.texts[uri].position(bad.index("R1.3"))
            assert problem.range.end.character - problem.range.start.character == len("R1.3")
        fixes = await editor.actions(uri, line_of(editor, uri, "R1.3"), ["quickfix"])
        assert fixes[0]["title"].startswith("Replace with R1.")
        editor.replace(uri, good)
        await settle(editor, uri, "unknown-requirement", present=False)


async def test_problems_of_closed_documents_are_pushed(tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    (root / "requirements.md").write_text(WRONG)
    (root / "specloom.toml").write_text("no_such_key = 1\n")
    async with editing(root, EDITORS[1]) as editor:
        for path, code in (("requirements.md", "duplicate-id"), ("specloom.toml", "settings-unknown-key")):

            def told(uri: str = editor.uri(path), code: str = code) -> bool:
                return code in [item.code for item in editor.diagnostics(uri)]

            await editor.until(told, f"{code} in {path}")


FROM_OUTSIDE = {
    "specloom.toml": ("", "no_such_key = 1\n", "settings-unknown-key"),
    SPEC: (GREETER, GREETER.replace("title: Greeter\n", "title: Greeter\nowner: me\n"), "front-matter"),
}


@pytest.mark.parametrize("path", FROM_OUTSIDE)
async def test_problems_that_come_and_go_on_disk_without_an_event_are_pushed(path: str, tmp_path: Path) -> None:
    root, (good, bad, code) = greeter(tmp_path / "greeter"), FROM_OUTSIDE[path]
    async with editing(root, EDITORS[1]) as editor:
        uri = editor.uri(path)
        before = (await editor.request("specloom/project/get", {}))["seq"]
        for _ in range(2):
            (root / path).write_text(bad)
            await editor.until(lambda: [item.code for item in editor.diagnostics(uri)] == [code], f"{code} in {path}")
            (root / path).write_text(good)
            await editor.until(lambda: editor.diagnostics(uri) == [], f"no {code} in {path}")
        assert (await editor.request("specloom/project/get", {}))["seq"] == before, "no event told of it"


@pytest.mark.parametrize("name", EDITORS)
async def test_hover_definition_symbols_and_hints_tell_of_tasks_and_requirements(name: str, tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    async with ScriptedServer(greeter_script()) as server, editing(root, name, options=settings(server)) as editor:
        spec, requirements = editor.open(SPEC), editor.open("requirements.md")
        document = types.TextDocumentIdentifier(spec)
        await editor.subscribe()
        await editor.command("specloom.run.start", {"scope": {"kind": "project"}})
        await editor.event("runFinished")

        hover = await editor.request(
            types.TEXT_DOCUMENT_HOVER, types.HoverParams(document, at(editor, spec, "Write the greeting"))
        )
        for part in ("01/1.1", "proven", "attempts: 1", "exited with 0", "verify:"):
            assert part in hover.contents.value
        asked = types.TextDocumentIdentifier(requirements)
        hover = await editor.request(
            types.TEXT_DOCUMENT_HOVER, types.HoverParams(asked, at(editor, requirements, "exclamation"))
        )
        assert "served by 01 Greeter: 2 of 2 tasks done" in hover.contents.value

        place = at(editor, spec, "R1.2_")
        found = await editor.request(types.TEXT_DOCUMENT_DEFINITION, types.DefinitionParams(document, place))
        assert found.uri == requirements
        assert found.range.start.line == line_of(editor, requirements, "R1.2")
        nothing = types.DefinitionParams(document, at(editor, spec, "Greets."))
        assert await editor.request(types.TEXT_DOCUMENT_DEFINITION, nothing) is None

        symbols = await editor.request(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, types.DocumentSymbolParams(document))
        (group,) = [symbol for symbol in symbols if symbol.name == "1 Greeting"]
        assert [(child.name, child.detail) for child in group.children] == [
            ("1.1 Write the greeting", "proven"),
            ("1.2 End with an exclamation mark", "proven"),
        ]
        everything = types.Range(types.Position(0, 0), types.Position(99, 0))
        hints = await editor.request(types.TEXT_DOCUMENT_INLAY_HINT, types.InlayHintParams(document, everything))
        assert [hint.label for hint in hints] == ["2 of 2 done", "proven", "proven"]
        if editor.server_capabilities.inlay_hint_provider is not None:
            await editor.until(lambda: types.WORKSPACE_INLAY_HINT_REFRESH in editor.refreshed, "new hints are offered")
        else:
            assert types.WORKSPACE_INLAY_HINT_REFRESH not in editor.refreshed


async def test_cancelling_the_progress_cancels_the_run(tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    held = session("1.1", "# Task 01/1.1 (attempt 1)", turns=[WRITES[0] | {"hold": "turn"}])
    async with ScriptedServer({"sessions": [held]}) as server, editing(root, options=settings(server)) as editor:
        await editor.subscribe()
        await editor.command("specloom.run.start", {"scope": {"kind": "project"}})
        await editor.event("turnRequested")
        reports = editor.client.progress_reports
        await editor.until(lambda: any(reports.values()), "a progress")
        (token,) = [token for token, values in reports.items() if values]
        begin: object = reports[token][0]
        assert isinstance(begin, types.WorkDoneProgressBegin)
        assert begin.cancellable
        editor.client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token))
        ended = await editor.event("runFinished")
        assert ended["outcome"] == "cancelled"
        await editor.until(lambda: isinstance(reports[token][-1], types.WorkDoneProgressEnd), "the progress' end")


async def test_a_client_that_shows_no_progress_is_sent_none(tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")

    def plain(capabilities: types.ClientCapabilities) -> None:
        assert capabilities.window is not None
        capabilities.window.work_done_progress = False

    async with (
        ScriptedServer(greeter_script()) as server,
        editing(root, options=settings(server), adjust=plain) as editor,
    ):
        await editor.subscribe(output=True)
        await editor.command("specloom.run.start", {"scope": {"kind": "project"}})
        await editor.event("runFinished")
        assert editor.client.progress_reports == {}
        assert "I write it." in "".join(piece["text"] for piece in editor.output if piece["kind"] == "text")


async def test_a_client_that_can_save_is_asked_by_its_own_method(tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    can_save = {"specloom": {"documentSave": True}}
    async with (
        ScriptedServer(greeter_script()) as server,
        editing(root, options=settings(server), experimental=can_save) as editor,
    ):
        await editor.subscribe()
        await editor.command("specloom.run.start", {"scope": {"kind": "task", "id": "01/1.1"}})
        await editor.event("runFinished")
        editor.events.clear()
        code = editor.open("greet.py")
        await editor.command("specloom.run.start", {"scope": {"kind": "project"}})
        await editor.event("runFinished")
        assert editor.saves
        assert all(uris == [code] for uris in editor.saves)
        assert not [asked for asked in editor.asked if asked.message.startswith("Save")]


async def test_a_client_that_puts_questions_itself_is_not_asked_through_a_message(tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    asks = {"specloom": {"approvals": True}}
    async with (
        ScriptedServer(greeter_script()) as server,
        editing(root, options=settings(server), experimental=asks) as editor,
    ):
        await editor.subscribe()
        await editor.command("specloom.run.start", {"scope": {"kind": "project"}})
        asked = await editor.event("approvalAsked")
        answer = {"approvalId": asked["approvalId"], "choice": asked["choices"][0]}
        await editor.request("specloom/approval/answer", answer)
        await editor.event("approvalAnswered")
        assert not editor.asked


async def test_events_are_replayed_without_gap_or_repeat(tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    async with ScriptedServer(greeter_script()) as server, editing(root, options=settings(server)) as editor:
        await editor.command("specloom.run.start", {"scope": {"kind": "project"}})
        await editor.subscribe(since=0)
        await editor.event("runFinished")
        seen = [event["seq"] for event in editor.events]
        assert seen == list(range(1, seen[-1] + 1))
        listed = await editor.request("specloom/events/list", {"limit": 1000})
        assert [event["seq"] for event in listed["events"]][: len(seen)] == seen
        page = await editor.request("specloom/events/list", {"since": 3, "limit": 2})
        assert [event["seq"] for event in page["events"]] == [4, 5]
        assert page["more"]
        assert (await editor.request("specloom/events/unsubscribe", {})) == {"subscribed": True}
        count = len(editor.events)
        await editor.request("specloom/task/reset", {"taskId": "01/1.2"})
        await editor.request("specloom/project/get", {})
        assert len(editor.events) == count
