"""How full a window is follows from what the endpoint says: of its size, and of what stood in the last request."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from specloom.agent.session import Conversation, SessionSetup, say
from specloom.agent.window import RECOMMENDED, WindowShares, WindowWatch, window_of
from specloom.domain.events.agents import AgentEvent, MessageAdded
from specloom.domain.ids import AgentId, SessionId
from specloom.llm.anthropic_model import AnthropicModel
from specloom.llm.messages import AssistantMessage, Text, Usage
from specloom.llm.scripted.server import ScriptedServer

SETUP = SessionSetup(SessionId("s"), AgentId("a"), "executor", "scripted-1", "system", ())
SCRIPT: dict[str, Any] = {"model": {"id": "scripted-1", "max_input_tokens": 1_000, "max_tokens": 100}, "sessions": []}


class Notes:
    """Keeps what is noted."""

    def __init__(self) -> None:
        self.events: list[AgentEvent] = []

    def note(self, *events: AgentEvent) -> None:
        self.events += events

    async def commit(self, *events: AgentEvent) -> None:
        self.events += events


@pytest.fixture
async def model() -> AsyncGenerator[AnthropicModel]:
    async with ScriptedServer(SCRIPT, keep=None) as server:
        known = AnthropicModel(api_key="k", base_url=server.base_url)
        yield known
        await known.close()


def talked(tokens: int) -> Conversation:
    """A conversation whose last request had so many tokens."""
    conversation = Conversation([say("do it")])
    conversation.add_answer(AssistantMessage((Text.of("yes"),)), Usage(input=tokens))
    conversation.add_user(say("ok"))
    return conversation


@pytest.mark.parametrize(
    ("tokens", "reason"), [(700, ""), (898, ""), (899, "window 90% full"), (990, "window 99% full")]
)
async def test_a_session_ends_from_a_share_of_its_window_on(model: AnthropicModel, tokens: int, reason: str) -> None:
    assert await WindowWatch(model).look(SETUP, talked(tokens), Notes()) == reason


async def test_the_recommendation_is_recorded_once_as_it_was_sent(model: AnthropicModel) -> None:
    watch, notes, conversation = WindowWatch(model), Notes(), talked(815)
    for _ in range(3):
        assert await watch.look(SETUP, conversation, notes) == ""
    (told,) = notes.events
    assert isinstance(told, MessageAdded)
    assert RECOMMENDED in told.content
    again = WindowWatch(model)
    await again.look(SETUP, conversation, notes)
    assert len(notes.events) == 1, "after a restart the conversation itself says that it was told"


async def test_a_session_without_an_answer_is_not_ended(model: AnthropicModel) -> None:
    watch = WindowWatch(model, lambda: WindowShares(0.01, 0.02))
    assert await watch.look(SETUP, Conversation([say("x" * 10_000)]), Notes()) == ""


async def test_an_endpoint_that_does_not_tell_its_window_ends_nothing() -> None:
    silent = AnthropicModel(api_key="k", base_url="http://127.0.0.1:9")
    assert await window_of(silent, "scripted-1") is None
    assert await WindowWatch(silent).look(SETUP, talked(10_000_000), Notes()) == ""
    await silent.close()
