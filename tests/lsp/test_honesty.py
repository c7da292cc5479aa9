"""Editors that say what is not so: only the text that comes back is believed."""

from pathlib import Path

import pytest

from specloom.llm.scripted.server import ScriptedServer
from tests.integration.projects import WRITES, greeter, session
from tests.lsp.editor import Editor, editing
from tests.lsp.test_scenario import line_of, settings

CODE = "def greet(name):\n    return 'nobody'\n"
READS = {"answer": [{"tool": "read_file", "input": {"path": "greet.py"}}]}
GIVES_UP = {"answer": [{"text": "I cannot change it."}]}


def script() -> dict[str, object]:
    turns = [READS, WRITES[0], GIVES_UP]
    return {"sessions": [session("try", "# Task 01/1.1 (attempt 1)", turns=turns)]}


async def settled(editor: Editor) -> dict[str, object]:
    await editor.subscribe()
    await editor.command("specloom.run.start", {"scope": {"kind": "task", "id": "01/1.1"}})
    return await editor.event("editSettled", path="greet.py")


@pytest.mark.parametrize("manner", ["claims", "refuses", "null"])
async def test_an_edit_that_did_not_change_the_text_is_recorded_as_not_applied(manner: str, tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    (root / "greet.py").write_text(CODE)
    # Each edit is waited for as long as its text may still come.
    (root / "specloom.toml").write_text("[limits]\nattempts = 1\n")
    async with ScriptedServer(script()) as server, editing(root, options=settings(server)) as editor:
        spec, code = editor.open("specs/01-greeter.md"), editor.open("greet.py")
        editor.manner = manner  # pyright: ignore[reportAttributeAccessIssue] - one of its manners
        assert (await settled(editor))["applied"] is False
        await editor.event("runFinished")
        assert editor.texts[code].text == CODE
        assert (root / "greet.py").read_text() == CODE
        line = line_of(editor, spec, "1.1 Write")

        def told() -> bool:
            return any(d.code == "edit-refused" and d.range.start.line == line for d in editor.diagnostics(spec))

        await editor.until(told, "the refused edit as a diagnostic on the line of its task")


async def test_every_code_lens_has_its_code_action_on_the_same_line(tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    async with ScriptedServer({"sessions": []}) as server, editing(root, options=settings(server)) as editor:
        for path in ("requirements.md", "specs/01-greeter.md"):
            uri = editor.open(path)
            lenses = [lens for lens in await editor.lenses(uri) if lens.command and lens.command.command]
            assert lenses, path
            for lens in lenses:
                assert lens.command is not None
                offered = {
                    (action["command"]["command"], str(action["command"].get("arguments")))
                    for action in await editor.actions(uri, lens.range.start.line)
                    if isinstance(action.get("command"), dict)
                }
                names = {name for name, _ in offered}
                assert lens.command.command in names, (path, lens.command.title, offered)
