"""What is sent back of an answer that was cut off, and what runs behind a call that ends the session."""

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from specloom.agent.calls import carry_out, outrun, result_of
from specloom.agent.replay import replay
from specloom.agent.session import Conversation, say
from specloom.domain.events import agents
from specloom.domain.ids import SessionId
from specloom.domain.usage import UsageTotal
from specloom.llm.decode import decode_message
from specloom.llm.messages import ToolUse, Usage
from specloom.tools.tool import Effect, ToolOutcome
from tests.unit.agent.test_refused_write import Hands, Log, call

SESSION = SessionId("session-1")
THINKING = {"type": "thinking", "thinking": "Let me see", "signature": "signed"}
LISTS: dict[str, Any] = {"type": "tool_use", "id": "toolu_1", "name": "list_directory", "input": {}}


def test_a_call_without_input_in_front_of_a_cut_one_is_replayed() -> None:
    event = agents.TurnFinished(SESSION, 1, json.dumps([LISTS]), "max_tokens", UsageTotal(), "m", dropped_calls=1)
    replayed = replay([agents.MessageAdded(SESSION, json.dumps([{"type": "text", "text": "go"}])), event])
    assert [item.id for item in replayed.calls] == ["toolu_1"]
    assert len(replayed.conversation.messages) == 2


def test_an_endpoint_that_counts_nothing_leaves_the_size_to_an_estimate() -> None:
    conversation = Conversation([say("word " * 4000)])
    answer = decode_message({"content": [{"type": "text", "text": "fine"}], "stop_reason": "end_turn"}).message
    conversation.add_answer(answer, Usage())
    assert conversation.book.tokens > 1000
    assert not conversation.book.measured


@dataclass
class Ending(Hands):
    """Hands whose `report_blocked` ends the session."""

    def effect(self, name: str) -> Effect:
        return Effect.CONTROL if name == "report_blocked" else super().effect(name)

    async def run(self, call: object) -> ToolOutcome:
        done = await super().run(call)  # pyright: ignore[reportArgumentType] # the calls made below
        return replace(done, blocked="a question") if self.ran[-1] == "end" else done


@pytest.mark.parametrize(
    "behind", [("edit_file", "edit_file"), ("run_command", "run_command"), ("read_file", "edit_file")]
)
async def test_nothing_runs_behind_a_call_that_ended_the_session(behind: tuple[str, str]) -> None:
    hands = Ending()
    calls = [call("end", "report_blocked"), call("a", behind[0]), call("b", behind[1])]
    done = await carry_out(SESSION, calls, hands, Log())
    assert hands.ran == ["end"]
    assert [outcome.is_error for _, outcome in done] == [False, True, True]


def edits(identity: str, path: str) -> ToolUse:
    return replace(call(identity, "edit_file"), input={"path": path})


def test_edits_of_a_file_that_was_edited_before_the_restart_are_not_made() -> None:
    calls = [edits("a", "one.py"), call("c", "run_command"), edits("b", "one.py"), edits("d", "two.py")]
    done = {"a": result_of(calls[0], ToolOutcome("1 edit made"))}
    assert [item.id for item in outrun(calls, done, Hands())] == ["b"]
    assert outrun(calls, {}, Hands()) == ()
