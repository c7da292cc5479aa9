"""A record as one line of JSON. Refuses keys, and what users or models wrote unless that is switched on."""

import json
import logging
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from specloom.logs.about import KEYS, SESSION, TASK, WORKSPACE

LONGEST = 16_000
"""Characters of one text in a record."""
FRAMES = 40
"""Of a trace; the innermost ones."""
DATA, CONTENT = "data", "content"
"""Keys of `extra`: figures and names, always kept; what somebody wrote, kept on request."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line, and the moment that it is of."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Writing:
    """How a process writes its records."""

    kind: str
    """`cli`, `lsp`, `daemon`, `bridge`."""
    pid: int
    content: bool = False
    """Whether the words of users and models may stand there."""

    def line(self, record: logging.LogRecord) -> Line:
        """To be called where the record was made: it knows then what it is about."""
        at = datetime.fromtimestamp(record.created, UTC)
        about = {"workspace": WORKSPACE.get(), "session": SESSION.get(), "task": TASK.get()}
        data = cast("Mapping[str, Any]", getattr(record, DATA, None) or {})
        about |= {name: str(data[name]) for name in about if data.get(name)}
        body: dict[str, Any] = {
            "at": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z",
            "level": record.levelname,
            "process_kind": self.kind,
            "pid": self.pid,
            **about,
            "logger": record.name,
            "message": _clean(self._message(record)),
        }
        if record.exc_info and record.exc_info[1] is not None:
            body["error"] = _clean(self._trace(record.exc_info[1]))
        rest = {name: value for name, value in data.items() if name not in about}
        if rest:
            body[DATA] = {name: _clean(value) if isinstance(value, str) else value for name, value in rest.items()}
        if self.content and (content := getattr(record, CONTENT, None)):
            body[CONTENT] = _clean(str(content))
        return Line(at, json.dumps(body, ensure_ascii=False, default=str) + "\n")

    def _message(self, record: logging.LogRecord) -> str:
        """With errors by their kind alone: what they say may quote a file."""
        if record.name == "asyncio" and not self.content:
            # What follows is made of whatever was awaited.
            return record.getMessage().partition("\n")[0]
        if not isinstance(record.args, tuple):
            return record.getMessage()
        args = tuple(self._named(value) if isinstance(value, BaseException) else value for value in record.args)
        return str(record.msg) % args if args else str(record.msg)

    def _named(self, error: BaseException) -> str:
        name = type(error).__name__
        if isinstance(error, OSError) and error.strerror:
            return f"{name}: {error.strerror}"
        return f"{name}: {error}" if self.content else name

    def _trace(self, error: BaseException) -> str:
        """Where it went through and what it was; the lines of code are in the installation."""
        frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
        lines = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        causes: list[str] = []
        seen: BaseException | None = error
        while seen is not None and len(causes) < 5:
            causes.append(self._named(seen))
            seen = seen.__cause__ or seen.__context__
        return "\n".join((*lines, " < ".join(causes)))


def _clean(text: str) -> str:
    cut = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return KEYS(cut).encode("utf-8", "replace").decode()
