"""Sessions that only read are told of changes too: a sub-agent, a reviewer, a planner, also one that goes on."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from specloom.domain.rejection import Rejected
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.scripted.server import ScriptedServer
from tests.integration import test_planning as planning
from tests.integration.projects import USER, hosted
from tests.integration.stage import (
    DEADLINE,
    Json,
    attempt,
    ended,
    project,
    read,
    review,
    says,
    script,
    start,
    task,
    turn,
)
from tests.integration.test_subagents import send, sub
from tests.unit.planning.planning_scripts import OUTLINE, WHOLE

TEXT = "".join(f"line {number}\n" for number in range(1, 41))
HELD = turn(read("b.txt"), hold="reading")
"""The answer after which a change must be told; it comes when the change has been made."""
PASSES: Json = {
    "tool": "submit_review",
    "input": {"verdict": "pass", "citations": [{"requirement": "R1.1", "path": "a.txt", "line": 1}], "summary": "Yes."},
}


def grown(root: Path) -> Path:
    """With two files to read."""
    (root / "a.txt").write_text(TEXT)
    (root / "b.txt").write_text("b\n")
    return root


@asynccontextmanager
async def changed_meanwhile(
    root: Path, *sessions: Json, answers: int
) -> AsyncGenerator[tuple[ProjectRuntime, ScriptedServer]]:
    """While request `answers` waits, which is the second one of the reader, a person changes what it has read."""
    async with ScriptedServer(script(*sessions), keep=None) as server, hosted(root, server) as runtime:
        await start(runtime)
        assert await server.until(lambda known: known.total == answers, DEADLINE)
        (root / "a.txt").write_text("above\n" + TEXT)
        server.release("reading")
        await ended(runtime)
        server.check()
        yield runtime, server


def told(server: ScriptedServer, session: str, number: int = 3) -> str:
    """Everything of ours in the newest request of a turn since the answer before it."""
    bodies = [item.body for item in server.requests if (item.session, item.turn) == (session, number)]
    return json.dumps(bodies[-1]["messages"][-1], ensure_ascii=False)


async def test_a_sub_agent_is_told_at_its_next_turn_what_changed(tmp_path: Path) -> None:
    root = grown(project(tmp_path / "p", task(1, "true")))
    works = attempt(1, turn(send("red")), turn(says()))
    looks = sub("red", turn(read("a.txt")), HELD, turn(says("Red is in a.txt")))
    async with changed_meanwhile(root, works, looks, answers=3) as (_, server):
        assert "a.txt was changed by the user." in told(server, "red")
        assert "Old lines 1-40 → 2-41" in told(server, "red")


async def test_a_reviewer_is_told_at_its_next_turn_what_changed(tmp_path: Path) -> None:
    root = grown(project(tmp_path / "p", task(1)))
    looks = review(1, turn(read("a.txt")), HELD, turn(PASSES))
    async with changed_meanwhile(root, attempt(1, turn(says())), looks, answers=3) as (_, server):
        assert "a.txt was changed by the user." in told(server, "review 1 at 1")


def outline(*turns: dict[str, Any]) -> Json:
    """The first session of a plan, which looks at files before it submits."""
    return OUTLINE | {"name": "outline", "turns": [*turns, *OUTLINE["turns"]]}


async def test_a_planner_is_told_what_changed_also_when_it_goes_on_after_a_stop(tmp_path: Path) -> None:
    root = grown(planning.project(tmp_path / "p"))
    sessions = [outline(turn(read("a.txt")), turn(read("b.txt"), hold="reading")), *WHOLE["sessions"][1:]]
    async with ScriptedServer(script(*sessions), keep=None) as server:
        async with hosted(root, server) as runtime:
            assert not isinstance(await runtime.plan(None, "", USER), Rejected)
            assert await server.until(lambda known: known.total == 2, DEADLINE)
        (root / "a.txt").write_text("above\n" + TEXT)
        server.release("reading")
        async with hosted(root, server) as runtime:
            await planning.plan(runtime)
            assert runtime.state.planning is not None
            assert runtime.state.planning.state == "finished"
        server.check()
    assert "a.txt as it stands now (41 lines)" in told(server, "outline", 2)
