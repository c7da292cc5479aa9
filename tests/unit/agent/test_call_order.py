"""A file that is read and closed in one turn is open or not as the order of the calls says."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from specloom.agent.calls import carry_out
from specloom.domain.ids import AgentId, CallId, SessionId
from specloom.llm.messages import ToolUse
from specloom.tools.close_file import CloseFile
from specloom.tools.ports import ReadMemory, ToolContext
from specloom.tools.read_file import ReadFile
from specloom.tools.registry import BoundTools, ToolBox
from specloom.tools.tool import Effect, ToolOutcome
from specloom.workspace.workspace import Workspace
from tests.unit.agent.context_world import Anybody
from tests.unit.agent.test_refused_write import Log

SESSION = SessionId("session-1")


@dataclass
class SlowReads:
    """Hands whose reads end only after everything else that could run beside them."""

    bound: BoundTools
    ran: list[str] = field(default_factory=list[str])

    def effect(self, name: str) -> Effect:
        return self.bound.effect(name)

    def next_turn(self) -> None:
        self.bound.next_turn()

    async def run(self, call: ToolUse) -> ToolOutcome:
        for _ in range(20 if call.name == "read_file" else 0):
            await asyncio.sleep(0)
        self.ran.append(call.name)
        return await self.bound.run(call)


def call(identity: str, name: str, values: Mapping[str, Any]) -> ToolUse:
    return ToolUse(identity, name, values, {"type": "tool_use", "id": identity, "name": name, "input": dict(values)})


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "a.txt").write_text("one\n")
    return Workspace.at(tmp_path)


READ, CLOSE = ("read_file", {"path": "a.txt"}), ("close_file", {"paths": ["./a.txt"]})


@pytest.mark.parametrize(
    ("order", "is_open"), [((READ, CLOSE), False), ((CLOSE, READ), True), ((READ, CLOSE, READ), True)]
)
async def test_the_order_of_calls_decides_whether_a_file_is_open(
    workspace: Workspace, order: tuple[tuple[str, Mapping[str, Any]], ...], is_open: bool
) -> None:
    anybody, memory = Anybody(), ReadMemory()
    context = ToolContext(
        files=workspace,
        asker=anybody,
        output=anybody,
        memory=memory,
        agent=AgentId("agent-1"),
        session=SESSION,
        attempt=None,
        task=None,
        call=CallId(""),
        environment={},
    )
    hands = SlowReads(BoundTools(ToolBox([ReadFile(), CloseFile()]), context))
    calls = [call(f"c{number}", name, values) for number, (name, values) in enumerate(order)]
    done = await carry_out(SESSION, calls, hands, Log())
    assert hands.ran == [name for name, _ in order]
    assert [result.call for result, _ in done] == [item.id for item in calls]
    assert ("a.txt" in memory.bases) is is_open
