"""The clock and the ids of this machine: adapters of `domain.ports`. Refuses to be read anywhere but through them."""

import secrets
import threading
import time
from datetime import UTC, datetime


class SystemClock:
    """Implements `domain.ports.Clock` and `Calendar`."""

    def now(self) -> str:
        """ISO-8601 UTC with milliseconds, ending in `Z`."""
        return _told(datetime.now(UTC))

    def monotonic(self) -> float:
        """Seconds that never jump back."""
        return time.monotonic()

    def day_began(self) -> str:
        """The last midnight of the local time zone, in UTC."""
        now = time.localtime()
        midnight = time.mktime((now.tm_year, now.tm_mon, now.tm_mday, 0, 0, 0, 0, 0, -1))
        return _told(datetime.fromtimestamp(midnight, UTC))


def _told(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


class RandomIds:
    """Implements `domain.ports.Ids` with UUIDs of version 7 (RFC 9562): those of one object sort by time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = (0, 0)
        """Milliseconds and the 74 random bits of the newest id."""

    def new(self, kind: str) -> str:
        """`<kind>-` and 32 lower-case hex digits. Safe on any thread."""
        milliseconds, bits = self._next()
        value = milliseconds << 80 | 7 << 76 | (bits >> 62) << 64 | 0b10 << 62 | (bits & (1 << 62) - 1)
        return f"{kind}-{value:032x}"

    def _next(self) -> tuple[int, int]:
        now = time.time_ns() // 1_000_000
        with self._lock:
            milliseconds, bits = self._last
            if now > milliseconds:
                # The top bit stays free, so that counting up within a millisecond cannot overflow.
                milliseconds, bits = now, secrets.randbits(73)
            else:
                bits += 1
            self._last = (milliseconds, bits)
            return self._last
