"""What a request cost whose answer was cut off by us. Refuses to count it as nothing, which is the one wrong answer.

Nobody can tell any more what the endpoint will bill. Where the answer had begun, it has said what the prompt cost; else
the prompt is counted as if it had been read.
"""

from specloom.agent.context.book import Book
from specloom.agent.ports import Pricing
from specloom.agent.session import SessionSetup
from specloom.domain.events import agents
from specloom.domain.project import SessionRecord
from specloom.domain.usage import UsageTotal
from specloom.llm.messages import Usage

CUT_OFF = "the answer was cut off by a pause or an end; it is asked for again, and what it cost until then is estimated"


def estimated(book: Book) -> Usage:
    """The prompt as it stands, cached as far as the answer before it was."""
    tokens, newest = book.tokens, book.billed
    if newest is None or not newest.cache_read + newest.cache_write:
        return Usage(input=tokens)
    known = min(newest.input + newest.cache_read + newest.cache_write, tokens)
    return Usage(cache_read=known, cache_write=tokens - known)


def cut_turn(
    session: SessionSetup | SessionRecord, turn: int, asked: int, usage: Usage, pricing: Pricing
) -> agents.TurnFailed:
    """The event of a request that got no answer because it was cancelled; `asked`: how often it was tried by then."""
    total = pricing.total(session.model, usage) if usage != Usage() else UsageTotal()
    return agents.TurnFailed(session.id, turn, agents.INTERRUPTED, CUT_OFF, usage=total, asked=asked)
