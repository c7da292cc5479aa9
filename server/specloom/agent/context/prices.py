"""What a token of a prompt costs, relative to plain input. Refuses to guess a surcharge that an endpoint never bills.

Cache rules follow https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching.
"""

from dataclasses import dataclass, replace

from specloom.agent.ports import Pricing
from specloom.domain.prices import CACHE_READ, CACHE_WRITE, TokenCounts
from specloom.llm.messages import Usage

CACHE_LIFE_S = 300.0
"""Seconds after its last use that a cached prefix lives."""
SMALLEST_CACHED = 1024
"""Tokens below which nothing is cached; some models need more."""
_SAMPLE = 1000
"""Tokens by which prices are compared; few, since some models bill long prompts otherwise."""
ANSWERS_TO_TELL = 2
"""Answers without a billed write after which an endpoint is taken to cache by itself."""


@dataclass(frozen=True, slots=True)
class PromptPrices:
    """Units a token of prompt."""

    plain: float = 1.0
    write: float = CACHE_WRITE
    read: float = CACHE_READ
    smallest: int = SMALLEST_CACHED
    """Tokens of prefix below which nothing is cached."""

    @classmethod
    def of(cls, model: str, pricing: Pricing) -> "PromptPrices":
        """As the model is billed; the usual ratios where its price is unknown or nothing."""
        plain, write, read = (
            pricing.total(model, usage).cost_usd
            for usage in (Usage(input=_SAMPLE), Usage(cache_write=_SAMPLE), Usage(cache_read=_SAMPLE))
        )
        if not plain or write is None or read is None:
            return cls()
        return cls(write=write / plain, read=read / plain)


@dataclass(slots=True)
class CacheTally:
    """What an endpoint has billed in one session."""

    answers: int = 0
    written: int = 0

    def count(self, usage: TokenCounts) -> None:
        """Adds one answer."""
        self.answers += 1
        self.written += usage.cache_write

    def prices(self, listed: PromptPrices) -> PromptPrices:
        """The prices that hold: an endpoint that caches by itself bills no write, and shares its cache anyway."""
        if self.written or self.answers < ANSWERS_TO_TELL:
            return listed
        return replace(listed, write=listed.plain)
