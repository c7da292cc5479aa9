"""Images in a conversation, as far as they weigh and are limited. Refuses to look at pixels.

Sizes in tokens follow https://platform.claude.com/docs/en/build-with-claude/vision.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from specloom.llm.messages import ToolResult
from specloom.tools.images import BrokenImageError, ImageSize, measured

PIXELS_A_TOKEN = 750
MOST_TOKENS = 1600
"""Of one image: larger ones are scaled down by the endpoint."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One result's images together."""

    side: int
    """Pixels of the longest side; 0 where it cannot be told."""
    characters: int
    """In base64."""
    tokens: int


def picture_in(result: ToolResult) -> Picture | None:
    """What a result shows beside text."""
    content = result.raw.get("content", "")
    if isinstance(content, str):
        return None
    found = [
        str(cast("Mapping[str, Any]", part.get("source", {})).get("data", ""))
        for part in cast("Sequence[Mapping[str, Any]]", content)
        if part.get("type") == "image"
    ]
    sizes = [_size(data) for data in found]
    if not found:
        return None
    tokens = sum(min(-(-size.width * size.height // PIXELS_A_TOKEN), MOST_TOKENS) for size in sizes)
    return Picture(max(size.side for size in sizes), sum(map(len, found)), tokens)


def _size(data: str) -> ImageSize:
    try:
        return measured(base64.b64decode(data)) or ImageSize("", 0, 0)
    except (BrokenImageError, ValueError):
        return ImageSize("", 0, 0)
