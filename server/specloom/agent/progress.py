"""Watches a session for circles: first its agent is told, then a fresh session goes on, then the task is blocked.

Refuses to lose patience with who waits, and to forget over a restart how far it got: it is folded from the log.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

from specloom.agent.ports import Recorder
from specloom.domain.events import Event, agents
from specloom.domain.ids import digest_of
from specloom.domain.no_progress import (
    CallSeen,
    Circling,
    Patience,
    TurnSeen,
    changed,
    circling,
    plain,
    quiet,
    waits,
)

NO_PROGRESS = "no progress: "
"""How the reason begins for which a session ends that went in circles."""
NUDGE = (
    "(specloom: {found}. Say in a sentence what you are after and what keeps you from it, then do something else: look "
    "elsewhere, change something, or `report_blocked`. To wait for a job, use `sleep` in `run_command`; if the task is "
    "done, end your turn without a call.)"
)
WRITES = ("edit_file", "write_file", "delete_file")

Step = Literal["nudge", "session", "block"]


@dataclass(slots=True)
class ProgressWatch:
    """Of one session."""

    patience: Callable[[], Patience]
    """By the settings as they are now."""
    last: bool = False
    """The session before went in circles, and nothing has changed since."""
    turns: list[TurnSeen] = field(default_factory=list[TurnSeen])
    _since: int = 0
    """The first turn that counts."""
    _nudged: bool = False
    _inputs: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(cls, patience: Callable[[], Patience], because: str, events: Iterable[Event] = ()) -> "ProgressWatch":
        """The watch of a session, with what the log has of it. `because`: why the session before it ended."""
        watch = cls(patience, last=because.startswith(NO_PROGRESS))
        for event in events:
            watch.take(event)
        return watch

    def take(self, event: Event) -> None:
        """Hears of the session's events, in order."""
        match event:
            case agents.TurnFinished():
                self._inputs = _inputs(event.content)
                self.turns.append(TurnSeen())
            case agents.ToolSettled() if self.turns:
                call = _seen(event, self._inputs.get(event.call, ""))
                self.turns[-1] = replace(self.turns[-1], calls=(*self.turns[-1].calls, call))
            case agents.NoProgressSeen():
                self._nudged, self._since = True, len(self.turns)
            case agents.PromptDelivered():
                # Whoever is spoken to begins anew.
                self._nudged, self.last, self._since = False, False, len(self.turns)
            case _:
                pass

    def look(self) -> tuple[Circling, Step] | None:
        """What must happen, if the session goes in circles."""
        if (self._nudged or self.last) and changed(self.turns, self._since):
            self._nudged = self.last = False
        found = circling(self.turns, self._since, self.patience())
        if found is None:
            return None
        return found, "block" if self.last else "session" if self._nudged else "nudge"


def _seen(event: agents.ToolSettled, asked: str) -> CallSeen:
    told = _told(event.content)
    # Digests: a long session prints megabytes.
    return CallSeen(
        event.name,
        digest_of(plain(asked)),
        digest_of(quiet(told)),
        event.shown,
        writes=event.name in WRITES,
        waits=event.watched == "running" or (not event.watched and waits(event.name, asked, told)),
    )


def _inputs(content: str) -> dict[str, str]:
    blocks = cast("list[dict[str, Any]]", json.loads(content))
    calls = (block for block in blocks if block.get("type") == "tool_use")
    return {str(block.get("id")): _asked(block.get("input")) for block in calls}


def _asked(given: object) -> str:
    """The command, however long it may take, or all that a call without one was given."""
    match given:
        case {"command": str(command)}:
            return command
        case _:
            return json.dumps(given, sort_keys=True)


def _told(content: str) -> str:
    """What was said; of a picture its digest, since megabytes are slow to search for times."""
    inner: object = json.loads(content).get("content", "")
    if isinstance(inner, str):
        return inner
    blocks = cast("list[dict[str, Any]]", inner) if isinstance(inner, list) else []
    return json.dumps([_brief(block) for block in blocks], sort_keys=True)


def _brief(block: Mapping[str, Any]) -> object:
    return block if block.get("type") == "text" else digest_of(json.dumps(block, sort_keys=True))


@dataclass(frozen=True, slots=True)
class WatchedRecorder:
    """An `agent.ports.Recorder` that lets a watch hear what is recorded."""

    recorder: Recorder
    watch: ProgressWatch

    def note(self, *events: agents.AgentEvent) -> None:
        """As the recorder."""
        self._hear(events)
        self.recorder.note(*events)

    async def commit(self, *events: agents.AgentEvent) -> None:
        """As the recorder."""
        self._hear(events)
        await self.recorder.commit(*events)

    def _hear(self, events: Iterable[agents.AgentEvent]) -> None:
        for event in events:
            self.watch.take(event)
