"""A command behind a refused write would run on a text that the model does not mean: it is not run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from specloom.agent.calls import carry_out, refused_write
from specloom.domain.events.agents import AgentEvent, ToolRequested
from specloom.domain.ids import SessionId
from specloom.llm.messages import ToolResult, ToolUse
from specloom.tools.tool import Effect, ToolOutcome

SESSION = SessionId("session-1")
EFFECTS: Mapping[str, Effect] = {
    "edit_file": Effect.WRITE,
    "write_file": Effect.WRITE,
    "read_file": Effect.READ,
    "run_command": Effect.COMMAND,
}


@dataclass
class Log:
    """Every event, kept or to be kept."""

    events: list[AgentEvent] = field(default_factory=list[AgentEvent])

    def note(self, *events: AgentEvent) -> None:
        self.events.extend(events)

    async def commit(self, *events: AgentEvent) -> None:
        self.events.extend(events)


@dataclass
class Hands:
    """Tools that refuse the calls with these ids."""

    refused: Sequence[str] = ()
    ran: list[str] = field(default_factory=list[str])

    def effect(self, name: str) -> Effect:
        return EFFECTS[name]

    def next_turn(self) -> None:
        return

    async def run(self, call: ToolUse) -> ToolOutcome:
        self.ran.append(call.id)
        return ToolOutcome("told", is_error=call.id in self.refused)


def call(identity: str, name: str) -> ToolUse:
    return ToolUse(identity, name, {}, {"type": "tool_use", "id": identity, "name": name, "input": {}})


@pytest.mark.parametrize("tool", ["edit_file", "write_file"])
async def test_a_command_behind_a_refused_write_is_not_run(tool: str) -> None:
    hands, log = Hands(refused=["a"]), Log()
    wanted = [call("a", tool), call("b", "write_file"), call("c", "read_file"), call("d", "run_command")]
    results = await carry_out(SESSION, wanted, hands, log)
    assert hands.ran == ["a", "b", "c"]
    result, outcome = results[-1]
    assert (result.call, outcome.is_error) == ("d", True)
    assert outcome.text == f"not run: the {tool} before it was refused; mend that first, then call it again"
    assert "d" not in [event.call for event in log.events if isinstance(event, ToolRequested)]


async def test_a_command_before_a_refused_write_is_run() -> None:
    hands = Hands(refused=["b"])
    await carry_out(SESSION, [call("a", "run_command"), call("b", "edit_file")], hands, Log())
    assert hands.ran == ["a", "b"]


async def test_a_refused_read_or_command_keeps_no_command_from_running() -> None:
    hands = Hands(refused=["a", "b"])
    wanted = [call("a", "read_file"), call("b", "run_command"), call("c", "run_command")]
    await carry_out(SESSION, wanted, hands, Log())
    assert hands.ran == ["a", "b", "c"]


async def test_the_next_turn_starts_afresh() -> None:
    hands = Hands(refused=["a"])
    await carry_out(SESSION, [call("a", "edit_file")], hands, Log())
    await carry_out(SESSION, [call("b", "run_command")], hands, Log())
    assert hands.ran == ["a", "b"]


def told(identity: str, *, is_error: bool) -> ToolResult:
    return ToolResult.of(identity, "told", is_error)


@pytest.mark.parametrize("tool", ["edit_file", "write_file"])
async def test_a_command_is_not_run_after_a_restart_either(tool: str) -> None:
    hands = Hands()
    turn = [call("a", tool), call("b", "write_file"), call("c", "run_command")]
    refused = refused_write(turn, {"a": told("a", is_error=True), "b": told("b", is_error=False)}, hands)
    ((result, outcome),) = await carry_out(SESSION, turn[2:], hands, Log(), refused=refused)
    assert hands.ran == []
    assert (result.call, outcome.is_error) == ("c", True)
    assert outcome.text.startswith(f"not run: the {tool} before it was refused")


def test_only_a_refused_write_counts_after_a_restart() -> None:
    turn = [call("a", "read_file"), call("b", "run_command"), call("c", "write_file"), call("d", "edit_file")]
    results = {name: told(name, is_error=name in {"a", "b"}) for name in ("a", "b", "c")}
    assert refused_write(turn, results, Hands()) == ""
