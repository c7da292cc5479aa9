"""What tokens cost, as data. Refuses to guess: the price of a model that is not listed is unknown, never zero.

The table is that of Anthropic's own API (https://platform.claude.com/docs/en/about-claude/pricing, read in November
2026). Other endpoints set their prices in `specloom.toml`; what the table says may be overridden there too.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

CACHE_WRITE = 1.25
"""Times the input price, for a cache of five minutes; other lifetimes are not used here."""
CACHE_READ = 0.1
"""Times the input price, where a model has no price of its own for it."""

_DATED = re.compile(r"-\d{8}\Z")


class TokenCounts(Protocol):
    """Billed tokens, whoever counted them. `input` excludes the tokens of both cache counters."""

    @property
    def input(self) -> int: ...  # noqa: D102
    @property
    def output(self) -> int: ...  # noqa: D102
    @property
    def cache_read(self) -> int: ...  # noqa: D102
    @property
    def cache_write(self) -> int: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens. `None` follows from the input price by the two rules above."""

    input: float
    output: float
    cache_read: float | None = None
    cache_write: float | None = None
    above: int | None = None
    """A request whose prompt, cached parts included, has more tokens than this is billed by `beyond`, all of it."""
    beyond: "Price | None" = None

    def for_prompt(self, tokens: int) -> "Price":
        """The price that holds for a prompt of that size."""
        return self.beyond if self.beyond and self.above is not None and tokens > self.above else self


PRICES: Mapping[str, Price] = {
    "claude-fable-5-2": Price(8.0, 40.0, cache_read=0.20),
    "claude-fable-5-1": Price(10.0, 50.0, cache_read=0.25),
    "claude-fable-5": Price(10.0, 50.0),
    "claude-opus-5-5": Price(4.0, 20.0, cache_read=0.20),
    "claude-opus-5": Price(5.0, 25.0),
    "claude-opus-4-8": Price(5.0, 25.0),
    "claude-opus-4-7": Price(5.0, 25.0),
    "claude-opus-4-6": Price(5.0, 25.0),
    "claude-opus-4-5": Price(5.0, 25.0),
    "claude-sonnet-5-5": Price(2.0, 10.0, cache_read=0.10),
    "claude-sonnet-5": Price(2.0, 10.0),
    "claude-sonnet-4-6": Price(3.0, 15.0),
    "claude-sonnet-4-5": Price(3.0, 15.0),
    "claude-haiku-5-5": Price(0.10, 0.50, above=100_000, beyond=Price(0.50, 2.50)),
    "claude-haiku-4-5": Price(1.0, 5.0),
}


def price_of(model: str, overrides: Mapping[str, Price] | None = None) -> Price | None:
    """The price of a model id, with or without its date; `None` where nobody told us."""
    known = {**PRICES, **(overrides or {})}
    return known.get(model) or known.get(_DATED.sub("", model))


def cost(usage: TokenCounts, model: str, overrides: Mapping[str, Price] | None = None) -> float | None:
    """USD for the tokens of one request, `None` if the price is unknown.

    A sum of requests is to be priced request by request: some prices depend on the size of the prompt.
    """
    listed = price_of(model, overrides)
    if listed is None:
        return None
    price = listed.for_prompt(usage.input + usage.cache_read + usage.cache_write)
    read = price.input * CACHE_READ if price.cache_read is None else price.cache_read
    write = price.input * CACHE_WRITE if price.cache_write is None else price.cache_write
    plain = usage.input * price.input + usage.output * price.output
    return (plain + usage.cache_read * read + usage.cache_write * write) / 1_000_000
