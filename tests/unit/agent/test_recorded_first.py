"""An effect is in the log before it happens; reads need not be."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from specloom.agent.calls import carry_out
from specloom.domain.events.agents import AgentEvent, ToolRequested
from specloom.domain.ids import SessionId
from specloom.llm.messages import ToolUse
from specloom.tools.tool import Effect, ToolOutcome

SESSION = SessionId("session-1")


@dataclass
class Log:
    """What is committed, and what was when each call began."""

    committed: list[AgentEvent] = field(default_factory=list[AgentEvent])
    noted: list[AgentEvent] = field(default_factory=list[AgentEvent])

    def note(self, *events: AgentEvent) -> None:
        self.noted.extend(events)

    async def commit(self, *events: AgentEvent) -> None:
        self.committed += [*self.noted, *events]
        self.noted.clear()

    @property
    def requested(self) -> tuple[str, ...]:
        return tuple(event.call for event in self.committed if isinstance(event, ToolRequested))


@dataclass
class Hands:
    """Tools of one effect class that look at the log when they are run."""

    log: Log
    kind: Effect
    seen: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])

    def effect(self, name: str) -> Effect:
        return self.kind

    def next_turn(self) -> None:
        return

    async def run(self, call: ToolUse) -> ToolOutcome:
        self.seen.append(self.log.requested)
        return ToolOutcome("done")


def calls(*names: str) -> Sequence[ToolUse]:
    return [ToolUse(name, "tool", {}, {"type": "tool_use", "id": name, "name": "tool", "input": {}}) for name in names]


@pytest.mark.parametrize("kind", [kind for kind in Effect if kind is not Effect.READ])
async def test_a_call_with_an_effect_is_committed_as_requested_before_it_runs(kind: Effect) -> None:
    log = Log()
    hands = Hands(log, kind)
    await carry_out(SESSION, calls("first", "second"), hands, log)
    assert hands.seen == [("first",), ("first", "second")]


async def test_reads_wait_for_no_commit() -> None:
    log = Log()
    hands = Hands(log, Effect.READ)
    await carry_out(SESSION, calls("first", "second"), hands, log)
    assert hands.seen == [(), ()]
    assert [event.call for event in log.noted if isinstance(event, ToolRequested)] == ["first", "second"]
