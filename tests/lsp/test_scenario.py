"""The main job through the protocol alone: specs, tasks, an edit in an open buffer, the save, the proof, the undo."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from specloom.llm.scripted.server import ScriptedServer
from tests.integration.projects import ENDS, WRITES, greeter, session
from tests.lsp.editor import EDITORS, Editor, editing

SPEC = "specs/01-greeter.md"
TASKS_LINE = 18


def script() -> dict[str, Any]:
    """The second task of the greeter project edits a file that exists."""
    return {
        "sessions": [
            session("1.1", "# Task 01/1.1 (attempt 1)", turns=WRITES, optional=True),
            session("1.2", "# Task 01/1.2 (attempt 1)", turns=ENDS, optional=True),
        ]
    }


def settings(server: ScriptedServer) -> dict[str, Any]:
    """The editor's settings for a scripted model."""
    return {"models": {"default": {"model": "scripted-1", "base_url": server.base_url}}}


@pytest.mark.parametrize("name", EDITORS)
async def test_an_edit_lands_in_the_dirty_buffer_is_saved_proven_and_stale_after_undo(
    name: str, tmp_path: Path
) -> None:
    root = greeter(tmp_path / "greeter")
    async with ScriptedServer(script()) as server, editing(root, name, options=settings(server)) as editor:
        await editor.subscribe(output=True)
        spec = editor.open(SPEC)
        await editor.command("specloom.run.start", {"scope": {"kind": "task", "id": "01/1.1"}})
        await editor.event("runFinished")
        editor.events.clear()

        code = editor.open("greet.py")
        editor.type(code, "# my own line\n")
        editor.answer = save_when_asked(editor, code)
        line = line_of(editor, spec, "1.2 End")
        await editor.act(spec, line, "Run")
        done = await editor.event("taskDone", taskId="01/1.2")
        assert done["proven"]
        assert "!" in editor.texts[code].text
        assert editor.texts[code].text.startswith("# my own line\n")
        assert (root / "greet.py").read_text() == editor.texts[code].text
        edits = editor.applied[-1].edit.document_changes or ()
        assert len(edits) == 1
        await editor.event("runFinished")

        editor.undo_once(code)
        stale = await editor.event("proofStale", taskId="01/1.2")
        assert stale["paths"] == ["greet.py"]
        labels = [
            lens.command.title for lens in await editor.lenses(spec) if lens.command and lens.range.start.line == line
        ]
        assert labels[0] == "proven, stale"


def save_when_asked(editor: Editor, uri: str) -> Any:
    """A person who allows commands, and saves when asked to."""

    def answer(params: Any) -> str | None:
        if params.message.startswith("Save 1 file"):
            editor.save(uri)
            return None
        return params.actions[0].title

    return answer


def line_of(editor: Editor, uri: str, text: str) -> int:
    """The first line with this text."""
    lines: list[str] = editor.texts[uri].text.splitlines()
    return next(number for number, line in enumerate(lines) if text in line)


def titles(found: Mapping[str, Any]) -> list[str]:
    """Names of a mapping."""
    return list(found)
