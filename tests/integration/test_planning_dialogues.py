"""Plans that were once played by hand, with the prompts alone in view: the same answers still make the same plan."""

import asyncio
import json
from pathlib import Path

import pytest

from specloom.domain.problem import Severity
from specloom.domain.rejection import Rejected
from specloom.llm.scripted.load import load_scripts
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.projects import USER, hosted

DIALOGUES = Path(__file__).parent.parent / "fixtures" / "dialogues"
TASKS = {
    "plan-tocup": ["01/1", "01/2", "01/3", "02/1", "02/2", "02/3"],
    "plan-rainfall": ["01/1", "02/1.1", "02/1.2", "02/2"],
}


def laid(dialogue: Path, root: Path) -> Path:
    """The project that the dialogue is about."""
    files = dialogue / "files.json"
    texts: dict[str, str] = json.loads(files.read_text("utf-8")) if files.exists() else {}
    for path, text in {**texts, "requirements.md": (dialogue / "requirements.md").read_text("utf-8")}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")
    return root


@pytest.mark.parametrize("name", TASKS)
async def test_a_plan_played_by_hand_is_taken_without_a_fault(name: str, tmp_path: Path) -> None:
    root = await asyncio.to_thread(laid, DIALOGUES / name, tmp_path / name)
    script = await asyncio.to_thread(load_scripts, [DIALOGUES / name / "script.json"])
    async with ScriptedServer(script) as server, hosted(root, server) as runtime:
        assert not isinstance(await runtime.plan(None, "", USER), Rejected)
        await runtime.wait_idle()
        planning = runtime.state.planning
        assert planning is not None
        assert (planning.state, planning.reason) == ("finished", "")
        assert list(runtime.state.graph.order) == TASKS[name]
        assert all(runtime.state.graph.tasks[task].verify for task in runtime.state.graph.order)
        server.check()
        found = [problem for problems in runtime.problems.values() for problem in problems]
        assert not [problem for problem in found if problem.severity is Severity.ERROR]
