"""Splits a byte stream into server-sent events. Refuses to look into their data or to grow without end.

Line endings, comments and multi-line data follow https://html.spec.whatwg.org/multipage/server-sent-events.html.
"""

from typing import TypeAlias

SseEvent: TypeAlias = tuple[bytes, bytes]
"""Name (empty if none was given) and data."""

EVENT_LIMIT = 64 * 1024 * 1024
"""Bytes that one event may have."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class OversizedEventError(ValueError):
    """An event grew past `EVENT_LIMIT` without an end."""


class SseSplitter:
    """Takes chunks of any size, gives the events that they complete. An event without its blank line is never given."""

    def __init__(self, limit: int = EVENT_LIMIT) -> None:
        self._limit = limit
        self._pending = bytearray()
        self._carriage = False
        self._started = False

    def feed(self, chunk: bytes) -> list[SseEvent]:
        """The events that end in `chunk`. Raises `OversizedEventError`."""
        data = self._with_line_feeds(chunk) if self._carriage or b"\r" in chunk else chunk
        if not self._started:
            data = self._without_mark(data)
        if self._pending:
            if b"\n\n" not in self._pending[-1:] + data:
                self._keep(data)
                return []
            data = bytes(self._pending) + data
            self._pending.clear()
        *blocks, rest = data.split(b"\n\n")
        self._keep(rest)
        return [event for block in blocks if (event := _parse(block)) is not None]

    def _keep(self, data: bytes) -> None:
        self._pending += data
        if len(self._pending) > self._limit:
            raise OversizedEventError(f"an event of more than {self._limit} bytes has no end")

    def _with_line_feeds(self, chunk: bytes) -> bytes:
        """Makes each line ending a line feed; a carriage return at the end waits for what follows."""
        data = b"\r" + chunk if self._carriage else chunk
        self._carriage = data.endswith(b"\r")
        if self._carriage:
            data = data[:-1]
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _without_mark(self, data: bytes) -> bytes:
        """Drops one byte order mark at the very start, even if it comes in pieces."""
        head = bytes(self._pending) + data
        if len(head) < len(_BYTE_ORDER_MARK) and _BYTE_ORDER_MARK.startswith(head):
            return data
        self._started = True
        self._pending.clear()
        return head.removeprefix(_BYTE_ORDER_MARK)


def _parse(block: bytes) -> SseEvent | None:
    """One block of lines; `None` if it has no data, as the specification says."""
    if block.startswith(b"event: "):
        name, _, rest = block.partition(b"\n")
        if rest.startswith(b"data: ") and b"\n" not in rest:
            return name[7:], rest[6:]
    return _parse_lines(block)


def _parse_lines(block: bytes) -> SseEvent | None:
    name = b""
    data: list[bytes] = []
    for line in block.split(b"\n"):
        key, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if key == b"data":
            data.append(value)
        elif key == b"event":
            name = value
    return (name, b"\n".join(data)) if data else None
