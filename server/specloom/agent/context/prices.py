"""What a token of a prompt costs, relative to plain input. Refuses to guess a surcharge that an endpoint never bills.

Cache rules follow https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from specloom.domain.prices import CACHE_READ, CACHE_WRITE, Price, TokenCounts, price_of

CACHE_LIFE_S = 300.0
"""Seconds after its last use that a cached prefix lives."""
SMALLEST_CACHED = 1024
"""Tokens below which nothing is cached; some models need more."""
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
    def of(cls, model: str, overrides: Mapping[str, Price] | None = None) -> "PromptPrices":
        """From the price list; the usual ratios for a model that is not in it."""
        price = price_of(model, overrides)
        if price is None or not price.input:
            return cls()
        read = CACHE_READ if price.cache_read is None else price.cache_read / price.input
        write = CACHE_WRITE if price.cache_write is None else price.cache_write / price.input
        return cls(write=write, read=read)


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
