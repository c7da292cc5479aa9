"""How full a session's context window is: recommends to hand over, then says that the session must end.

Refuses tables of model sizes: what a window holds is asked from the endpoint; where it does not say, nobody knows.
"""

from collections.abc import Callable
from dataclasses import dataclass

from specloom.agent.ports import Recorder
from specloom.agent.session import Conversation, SessionSetup, content_json, head_tokens, say
from specloom.domain.events import agents
from specloom.llm.errors import ProviderError
from specloom.llm.messages import Text, UserMessage
from specloom.llm.model import Model

ASK_AGAIN = 10
"""Turns until an endpoint that failed to tell is asked again."""
RECOMMENDED = "The context window of this session is "
RECOMMENDATION = (
    RECOMMENDED + "{share:.0%} full; at {limit:.0%} the session is ended. Call `continue_in_new_session` at the next "
    "good moment, before you start on anything larger: what you write there is all that the next session knows besides "
    "the recorded facts"
)


@dataclass(frozen=True, slots=True)
class WindowShares:
    """Shares of the model's window, from 0 to 1."""

    recommend_at: float = 0.8
    rotate_at: float = 0.9


@dataclass(slots=True)
class WindowWatch:
    """Looks at one session before each of its requests."""

    model: Model
    shares: Callable[[], WindowShares] = WindowShares
    """By the settings as they are now."""
    _tokens: int | None = None
    _ask_at: int = 0
    """Turn from which on the endpoint may be asked."""

    async def crowded(self, setup: SessionSetup, conversation: Conversation) -> bool:
        """Whether it is so full that the session would be told to hand over."""
        window = await self._window(setup.model, conversation.turns)
        if window is None or not conversation.turns:
            return False
        return size_of(setup, conversation) / window >= self.shares().recommend_at

    async def look(self, setup: SessionSetup, conversation: Conversation, recorder: Recorder) -> str:
        """Why the session must end now; empty: it goes on, perhaps with a recommendation added to it.

        A session without an answer is never ended: another one would begin like it.
        """
        window = await self._window(setup.model, conversation.turns)
        if window is None or not conversation.turns:
            return ""
        share, shares = size_of(setup, conversation) / window, self.shares()
        if share >= shares.rotate_at:
            return f"window {share:.0%} full"
        if share >= shares.recommend_at and not _was_told(conversation):
            message = say(RECOMMENDATION.format(share=share, limit=shares.rotate_at))
            conversation.add_user(message)
            recorder.note(agents.MessageAdded(setup.id, content_json(message)))
        return ""

    async def _window(self, model: str, turn: int) -> int | None:
        if self._tokens is None and turn >= self._ask_at:
            self._ask_at = turn + ASK_AGAIN
            self._tokens = await window_of(self.model, model)
        return self._tokens


async def window_of(model: Model, name: str) -> int | None:
    """Tokens that a model's window holds; `None` where the endpoint does not tell, for now or at all."""
    try:
        return (await model.facts(name)).context_tokens
    except ProviderError:
        # Whatever is wrong with the endpoint, the next turn meets it too, and may wait and try again.
        return None


def size_of(setup: SessionSetup, conversation: Conversation) -> int:
    """Tokens of the next request: as the endpoint counted the last one, and an estimate of what came since."""
    if conversation.book.measured:
        return conversation.book.tokens
    return conversation.book.tokens + head_tokens(setup)


def _was_told(conversation: Conversation) -> bool:
    return any(
        isinstance(block, Text) and block.text.startswith(RECOMMENDED)
        for message in conversation.messages
        if isinstance(message, UserMessage)
        for block in message.blocks
    )
