"""Carries out a plan: which line stands for which block, and the views that follow. Refuses to decide anything."""

from collections.abc import Mapping
from dataclasses import dataclass

from specloom.agent.context.entry import elided, superseded
from specloom.agent.context.policy import Plan
from specloom.agent.session import Conversation, content_json
from specloom.domain.events import agents
from specloom.domain.ids import Digest, SessionId
from specloom.llm.messages import Text, UserMessage


@dataclass(frozen=True, slots=True)
class FileView:
    """A file to be shown: its block, and the digest of the text that it shows."""

    text: str
    digest: Digest


def collect(
    conversation: Conversation, plan: Plan, views: Mapping[str, FileView], closed: frozenset[str], session: SessionId
) -> agents.ContextCollapsed:
    """Changes the conversation; the event lets `replay` make the same change. `views`: of the files in `plan.show`."""
    entries = conversation.book.entries
    lines = {number: superseded(entries[number], is_open=entries[number].path not in closed) for number in plan.views}
    lines |= {number: elided(number, entries[number], conversation.text_of(number)) for number in plan.outputs}
    before = conversation.book.tokens
    message = UserMessage(tuple(Text.of(views[path].text) for path in plan.show))
    ordered = tuple(sorted(lines.items()))
    conversation.collapse(ordered)
    if message.blocks:
        conversation.add_user(message, plan.show)
    return agents.ContextCollapsed(
        session=session,
        turn=conversation.turns + 1,
        collapsed=ordered,
        content=content_json(message),
        shown=tuple((path, views[path].digest) for path in plan.show),
        tokens_before=before,
        tokens_after=conversation.book.tokens,
    )
