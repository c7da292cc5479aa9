"""Takes images out of a conversation that would not be taken with them. Refuses to touch anything but results.

One image that an endpoint does not take has it answer 400 to each request from then on. Limits of a request:
https://platform.claude.com/docs/en/build-with-claude/vision.
"""

from collections.abc import Mapping, Sequence

from specloom.agent.context.collection import collapsed
from specloom.agent.context.entry import Entry
from specloom.agent.session import Conversation
from specloom.domain.events import agents
from specloom.domain.ids import SessionId
from specloom.llm.errors import ProviderError

MANY = 20
"""Images in a request, above which none may have a longer side than `SIDE_OF_MANY`."""
SIDE_OF_MANY = 2000
MOST = 100
"""Images in a request."""
MOST_CHARACTERS = 24_000_000
"""Of base64 in a request, which may have 32 MB."""

_LARGE = (
    f"[{{what}}: the image is not shown any more, since of more than {MANY} images none may have more than "
    f"{SIDE_OF_MANY:,} pixels on a side; make a smaller copy of it and read that, if you need it]"
)
_OLD = "[{what}: the image is not shown any more, since too many came after it; read it again if you need it]"
_NOT_TAKEN = (
    "[{what}: the image was not shown, since the request with it was refused: {why}. Do without it, or make "
    "another copy of it (PNG, at most 1,500 pixels on a side), and read images one at a time]"
)
_WORDS = 300
"""Characters of what an endpoint says."""


def within_limits(conversation: Conversation, session: SessionId) -> agents.ContextCollapsed | None:
    """Takes out what is over the limits of one request; `None`: nothing is."""
    entries = conversation.book.entries
    old = _oldest(entries)
    kept = [number for number, entry in enumerate(entries) if entry.image is not None and number not in old]
    lines = {number: _OLD.format(what=entries[number].what) for number in old}
    if len(kept) > MANY:
        large = (number for number in kept if (image := entries[number].image) and image.side > SIDE_OF_MANY)
        lines |= {number: _LARGE.format(what=entries[number].what) for number in large}
    return collapsed(conversation, session, lines) if lines else None


def not_taken(conversation: Conversation, session: SessionId, error: ProviderError) -> agents.ContextCollapsed | None:
    """After a request was refused: takes out the images that no request before it held; `None`: there are none."""
    why = str(error).rpartition("; ")[0][:_WORDS] or str(error)[:_WORDS]
    lines = _lines_of_new(conversation, why)
    return collapsed(conversation, session, lines) if lines else None


def _lines_of_new(conversation: Conversation, why: str) -> Mapping[int, str]:
    book = conversation.book
    new = ((number, book.entries[number]) for number in range(book.sent, len(book.entries)))
    return {number: _NOT_TAKEN.format(what=entry.what, why=why) for number, entry in new if entry.image is not None}


def _oldest(entries: Sequence[Entry]) -> frozenset[int]:
    """The older half of the images, as soon as all of them are too many: each cut costs what is cached behind it."""
    shown = [(number, entry.image) for number, entry in enumerate(entries) if entry.image is not None]
    count, characters = len(shown), sum(image.characters for _, image in shown)
    if count <= MOST and characters <= MOST_CHARACTERS:
        return frozenset()
    gone: set[int] = set()
    for number, image in shown:
        if count <= MOST // 2 and characters <= MOST_CHARACTERS // 2:
            break
        gone.add(number)
        count, characters = count - 1, characters - image.characters
    return frozenset(gone)
