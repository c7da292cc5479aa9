"""Projects that were once planned and built by hand, with the prompts alone in view: the same answers still do it."""

import asyncio
from pathlib import Path

import pytest

from specloom.domain.evidence import EvidenceKind, is_proven
from specloom.domain.states import TaskState
from specloom.llm.scripted.load import load_scripts
from specloom.llm.scripted.server import ScriptedServer
from tests.integration.projects import hosted, run
from tests.integration.test_examples_content import Example, attempts_of, commands_of, planned
from tests.integration.test_planning_dialogues import DIALOGUES, laid

PLAYED = {
    "snip": Example(DIALOGUES / "snip", DIALOGUES / "snip", specs=2, tasks=4, mended=()),
    "links": Example(
        DIALOGUES / "links",
        DIALOGUES / "links",
        specs=1,
        tasks=3,
        mended=("01/1",),
        reviewed=("01/3",),
        needs_node=True,
    ),
    "till": Example(DIALOGUES / "till", DIALOGUES / "till", specs=1, tasks=2, mended=("01/1",)),
    "pulse": Example(DIALOGUES / "pulse", DIALOGUES / "pulse", specs=1, tasks=2, mended=()),
}


@pytest.mark.parametrize("name", PLAYED)
@pytest.mark.timeout(180)
async def test_a_project_built_by_hand_is_planned_and_built_by_the_same_answers(name: str, tmp_path: Path) -> None:
    played = PLAYED[name]
    environment = commands_of(played)
    root = await asyncio.to_thread(laid, played.project, tmp_path / name)
    script = await asyncio.to_thread(load_scripts, [played.scripts / "script.json"])
    async with ScriptedServer(script) as server, hosted(root, server, environment) as runtime:
        await planned(runtime)
        await run(runtime)
        server.check()
        state = runtime.state
        evidence = {task: runtime.evidence(task) for task in state.graph.order}
    assert {state.record(task).state for task in evidence} == {TaskState.DONE}
    assert (len(state.plan.specs), len(evidence)) == (played.specs, played.tasks)
    assert attempts_of(state) == {task: 2 if task in played.mended else 1 for task in evidence}
    for task, pieces in evidence.items():
        if task in played.reviewed:
            assert [piece.kind for piece in pieces] == [EvidenceKind.REVIEWER], task
        else:
            assert is_proven(pieces), task
