"""What one request may hold of images, and what becomes of those that an endpoint does not take."""

import base64
import json

from specloom.agent.calls import result_of, settled
from specloom.agent.context.image_limits import MANY, MOST, not_taken, within_limits
from specloom.agent.replay import replay
from specloom.agent.session import Conversation, content_json, say
from specloom.domain.events import Event, agents
from specloom.domain.ids import SessionId
from specloom.domain.usage import UsageTotal
from specloom.llm.errors import ProviderError, ProviderFault
from specloom.llm.messages import ToolResult, ToolUse
from specloom.tools.tool import ToolOutcome
from tests.unit.tools.images import png

SESSION = SessionId("session-1")
SMALL, LARGE = png(30, 20), png(2001, 1)
REFUSED = ProviderError(ProviderFault.INVALID, "x answered 400: Could not process image; report this", status=400)


def shown(*images: bytes) -> list[Event]:
    """A session that read these images, one a turn."""
    events: list[Event] = [agents.MessageAdded(SESSION, content_json(say("Work.")))]
    for number, data in enumerate(images):
        raw = {"type": "tool_use", "id": f"c{number}", "name": "read_file", "input": {"path": f"{number}.png"}}
        call = ToolUse(f"c{number}", "read_file", raw["input"], raw)  # pyright: ignore[reportArgumentType] -- JSON
        outcome = ToolOutcome(f"{number}.png", image=("image/png", base64.b64encode(data).decode()))
        events.append(agents.TurnFinished(SESSION, number + 1, json.dumps([raw]), "tool_use", UsageTotal(), "m"))
        events.append(settled(SESSION, call, result_of(call, outcome), outcome))
    return events


def images_in(conversation: Conversation) -> list[str]:
    """The calls whose results still show their image."""
    blocks = [block for message in conversation.messages for block in message.blocks]
    return [
        block.call for block in blocks if isinstance(block, ToolResult) and not isinstance(block.raw["content"], str)
    ]


def test_twenty_images_may_be_large_and_one_more_takes_the_large_ones_out() -> None:
    conversation = replay(shown(LARGE, *[SMALL] * (MANY - 1))).conversation
    assert within_limits(conversation, SESSION) is None
    events = shown(LARGE, *[SMALL] * MANY)
    conversation = replay(events).conversation
    event = within_limits(conversation, SESSION)
    assert event is not None
    assert images_in(conversation) == [f"c{number}" for number in range(1, MANY + 1)]
    assert "of more than 20 images none may have more than 2,000 pixels" in conversation.text_of(2)
    assert within_limits(conversation, SESSION) is None
    assert replay([*events, event]).conversation.messages == conversation.messages


def test_of_too_many_images_the_older_half_goes() -> None:
    conversation = replay(shown(*[SMALL] * (MOST + 1))).conversation
    assert within_limits(conversation, SESSION) is not None
    assert images_in(conversation) == [f"c{number}" for number in range(MOST // 2 + 1, MOST + 1)]


def test_a_refused_request_loses_the_images_that_no_other_held() -> None:
    events = shown(SMALL, SMALL)
    conversation = replay(events).conversation
    event = not_taken(conversation, SESSION, REFUSED)
    assert event is not None
    assert images_in(conversation) == ["c0"]
    assert "[read_file 1.png: the image was not shown" in conversation.text_of(4)
    assert "x answered 400: Could not process image. Do without it" in conversation.text_of(4)
    assert not_taken(conversation, SESSION, REFUSED) is None
    assert replay([*events, event]).conversation.messages == conversation.messages


def test_an_image_weighs_what_it_costs() -> None:
    conversation = replay(shown(png(750, 100))).conversation
    assert conversation.book.entries[2].tokens == 100 + 2
