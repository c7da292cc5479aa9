"""Works out plausible usage from sizes, so that costs and cache displays have something real to show.

Refuses to be exact: four characters count as a token, as in any estimate of English text and code.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from specloom.llm.messages import Usage
from specloom.llm.scripted.reading import Json, blocks_of, canonical

SMALLEST_CACHED = 1024
"""Tokens below which the API does not cache."""


def tokens_of(text: str) -> int:
    """At least one."""
    return max(1, len(text) // 4)


@dataclass(frozen=True, slots=True)
class Footprint:
    """A request as a row of parts: what stands before the messages, then each message; equal parts hash equal."""

    hashes: tuple[int, ...]
    tokens: tuple[int, ...]
    cached: bool
    """Whether the request set a cache breakpoint."""

    @classmethod
    def of(cls, request: Json, parts: Sequence[str]) -> "Footprint":
        """`parts`: the canonical texts of the request."""
        newest = (block for message in request.get("messages", [])[-2:] for block in blocks_of(message))
        cached = any("cache_control" in block for block in newest)
        return cls(tuple(map(hash, parts)), tuple(map(tokens_of, parts)), cached)

    @property
    def total(self) -> int:
        """Input tokens of the whole request."""
        return sum(self.tokens)


def parts_of(request: Json) -> list[str]:
    """The canonical texts of what stands before the messages, and of each message."""
    head = canonical([request.get("tools"), request.get("system")])
    return [head, *(canonical(message) for message in request.get("messages", []))]


def usage_of(now: Footprint, before: Footprint | None, output: int) -> Usage:
    """What the API would bill: the common beginning with the request before is read, the rest written."""
    if not now.cached or now.total < SMALLEST_CACHED:
        return Usage(input=now.total, output=output)
    read = 0
    if before is not None and before.cached:
        for known, new, tokens in zip(before.hashes, now.hashes, now.tokens, strict=False):
            if known != new:
                break
            read += tokens
    if read < SMALLEST_CACHED:
        read = 0
    uncached = min(4, now.total - read)
    return Usage(input=uncached, output=output, cache_read=read, cache_write=now.total - read - uncached)
