"""Numbers and times as people read them. Refuses to round money away: less than a cent still shows."""

import re
import textwrap
from datetime import datetime

from specloom.domain.usage import UsageTotal


def clock(at: str) -> str:
    """`HH:MM:SS` in local time of an event's UTC time; the text itself if it is no time."""
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%H:%M:%S")
    except ValueError:
        return at


def moment(at: str) -> str:
    """`YYYY-MM-DD HH:MM` in local time, for what may be long ago."""
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return at


def duration(seconds: float) -> str:
    """`<0.1 s`, `0.8 s`, `42 s`, `3:07`, `1:02:09`."""
    if seconds < 0.1:
        return "<0.1 s"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def elapsed(seconds: float) -> str:
    """`0:07`, `1:02:09`: a time that runs."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def tokens(count: int) -> str:
    """`950`, `12.3k`, `4.56M`."""
    if count < 1_000:
        return str(count)
    return f"{count / 1_000:.1f}k" if count < 999_950 else f"{count / 1_000_000:.2f}M"


def money(usd: float | None) -> str:
    """`$0.12`, `<$0.01`, or `cost unknown` where a price is not known."""
    if usd is None:
        return "cost unknown"
    if 0 < usd < 0.01:
        return "<$0.01"
    return f"${usd:,.2f}"


def usage(total: UsageTotal) -> str:
    """`12.3k in, 4.5k out, $0.12`; tokens that came from a cache count as read."""
    read = total.input + total.cache_read + total.cache_write
    return f"{tokens(read)} in, {tokens(total.output)} out, {money(total.cost_usd)}"


def count(number: int, noun: str) -> str:
    """`1 task`, `2 tasks`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def visible(text: str) -> str:
    """The text with its control characters spelled out: what a repository or a model says must not steer a terminal."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in "\n\t" else _spelled(char) for char in text)


def visible_line(text: str) -> str:
    """As `visible`, for a text that is one line whatever it quotes: a file's name may hold a line break."""
    return visible(text).replace("\n", "\\n").replace("\t", "\\t")


_BEGINNING = re.compile(r"\s*(?:- |\d+\. )?")
"""White space, and the mark of an item."""


def folded(text: str, columns: int) -> str:
    """Broken between words; what is folded stands below its own beginning."""
    return "\n".join(_fold(line, columns) if len(line) > columns else line for line in text.split("\n"))


def _fold(line: str, columns: int) -> str:
    found = _BEGINNING.match(line)
    indent = " " * (found.end() if found is not None else 0)
    return textwrap.fill(line, columns, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _spelled(char: str) -> str:
    """As Python writes it in a literal, by its number."""
    number = ord(char)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


WHOLE = 4_000
"""Characters of a message whose end a person needs: it says what to do."""


def one_line(text: str, limit: int = 200) -> str:
    """The text on one line without control characters, cut where it gets too long."""
    flat = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
