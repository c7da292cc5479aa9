"""What a request may cost before an endpoint has counted anything of its session."""

from specloom.agent.session import Conversation, SessionSetup, say
from specloom.domain.ids import AgentId, SessionId
from specloom.domain.usage import UsageTotal
from specloom.engine.accounts import at_most
from specloom.engine.options import EngineOptions
from specloom.llm.messages import AssistantMessage, Text, ToolSchema, Usage


class PennyEach:
    """A cent a token."""

    def total(self, model: str, usage: Usage) -> UsageTotal:
        del model
        tokens = usage.input + usage.output + usage.cache_write
        return UsageTotal(tokens, cost_usd=tokens / 100)


def test_first_request_counts_with_its_system_text_and_tools() -> None:
    tools = (ToolSchema("read", "d" * 4_000, {"type": "object"}),)
    setup = SessionSetup(SessionId("s"), AgentId("a"), "subagent", "m", "s" * 8_000, tools, max_tokens=100)
    options = EngineOptions({}, PennyEach(), lambda text: text, {})
    conversation = Conversation([say("x" * 400)])
    first = at_most(setup, conversation, options)
    assert first.tokens >= 2_000 + 1_000 + 100 + 100
    assert first.usd == first.tokens / 100
    conversation.add_answer(AssistantMessage((Text.of("y"),)), Usage(150, 10))
    assert at_most(setup, conversation, options).tokens == 150 + 10 + 100, "counted by the endpoint"
