"""Billed tokens and money. Refuses to invent a price: an unknown cost stays unknown through every sum."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UsageTotal:
    """Tokens of one turn or of many. `input` excludes cached tokens."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cost_usd: float | None = 0.0
    """`None` as soon as one part's price is unknown."""

    def __add__(self, other: "UsageTotal") -> "UsageTotal":
        known = self.cost_usd is not None and other.cost_usd is not None
        return UsageTotal(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
            (self.cost_usd or 0.0) + (other.cost_usd or 0.0) if known else None,
        )

    @property
    def tokens(self) -> int:
        """All tokens, cached ones included."""
        return self.input + self.output + self.cache_read + self.cache_write
