"""Raw messages and a readable transcript of each session, written behind the log. Refuses to hold up a turn.

The files are for people and for replaying by hand; nothing reads them back, so a fault here is told once and lets the
run go on.
"""

import asyncio
import json
import logging
from typing import Any, assert_never

from specloom.domain.events import agents
from specloom.domain.events.agents import AgentEvent
from specloom.domain.ids import SessionId
from specloom.store.errors import StoreError
from specloom.store.sessions import SessionFiles

log = logging.getLogger(__name__)


class TranscriptWriter:
    """Takes events as they are committed and writes them in the background; `close` waits for the rest."""

    def __init__(self, files: SessionFiles) -> None:
        self._files = files
        self._queue: asyncio.Queue[list[AgentEvent] | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._told = False

    def write(self, events: list[AgentEvent]) -> None:
        """Returns at once."""
        if self._task is None:
            self._task = asyncio.create_task(self._work())
        self._queue.put_nowait(events)

    async def hand_over(self, session: SessionId, text: str) -> None:
        """Keeps what a session was given at its start as a file; harmless when repeated."""
        try:
            await self._files.write_hand_over(session, text)
        except StoreError as error:
            self._tell(str(error))

    async def close(self) -> None:
        """Writes what is left."""
        if self._task is not None:
            self._queue.put_nowait(None)
            await self._task
        await self._files.close()

    async def _work(self) -> None:
        while (events := await self._queue.get()) is not None:
            for event in events:
                try:
                    await self._write(event)
                except StoreError as error:
                    self._tell(str(error))

    async def _write(self, event: AgentEvent) -> None:
        session = session_of(event)
        if session is None:
            return
        raw, text = raw_line(event), readable(event)
        if raw is not None:
            await self._files.append_raw(session, raw)
        if text:
            await self._files.append_transcript(session, text)

    def _tell(self, message: str) -> None:
        if not self._told:
            self._told = True
            log.warning("transcripts are incomplete: %s", message)


def session_of(event: AgentEvent) -> SessionId | None:
    """The session that an event belongs to; approvals and grants belong to none."""
    if isinstance(
        event,
        agents.ApprovalAsked
        | agents.ApprovalAnswered
        | agents.GrantRevoked
        | agents.PromptQueued
        | agents.PromptWithdrawn,
    ):
        return None
    return event.session


def raw_line(event: AgentEvent) -> dict[str, Any] | None:
    """The message as the Messages API knows it, for the events that are one."""
    match event:
        case agents.SessionStarted():
            return {"system": event.system, "model": event.model, "tools": list(event.tools), "role": event.role}
        case agents.MessageAdded():
            return {"role": "user", "content": json.loads(event.content)}
        case agents.TurnFinished():
            usage = {"input_tokens": event.usage.input, "output_tokens": event.usage.output}
            cached = {"cache_read": event.usage.cache_read, "cache_write": event.usage.cache_write}
            content = json.loads(event.content)
            return {"role": "assistant", "content": content, "stop_reason": event.stop, "usage": usage | cached}
        case agents.ToolSettled():
            return {"role": "user", "content": [json.loads(event.content)]}
        case agents.ContextCollapsed():
            return {"collapsed": [list(item) for item in event.collapsed], "content": json.loads(event.content)}
        case (
            agents.OpenFilesWarned()
            | agents.TurnRequested()
            | agents.TurnFailed()
            | agents.ToolRequested()
            | agents.SessionEnded()
            | agents.ApprovalAsked()
            | agents.ApprovalAnswered()
            | agents.GrantRevoked()
            | agents.NoProgressSeen()
            | agents.PromptQueued()
            | agents.PromptWithdrawn()
            | agents.PromptDelivered()
        ):
            return None
        case _:
            assert_never(event)


def readable(event: AgentEvent) -> str:
    """The event as Markdown for a person; empty for what a person need not see."""
    match event:
        case agents.SessionStarted():
            whose = f"Session `{event.session}` of agent `{event.agent}`\n"
            return f"# {event.role}, {event.model}\n\n{whose}{_sent(event)}{_continued(event)}"
        case agents.MessageAdded() | agents.ContextCollapsed():
            return _of_ours(event)
        case agents.TurnFinished():
            return f"\n## Turn {event.turn}\n\n{_texts(event.content)}\n"
        case agents.TurnFailed():
            again = "" if event.retry_in_s is None else f"; next try in {event.retry_in_s:g} s"
            return f"\n> turn {event.turn} failed: {event.message}{again}\n"
        case agents.ToolRequested():
            return f"\n**{event.name}** `{event.input[:400]}`\n"
        case agents.ToolSettled():
            shown = _texts(f"[{event.content}]")
            return f"\n```\n{shown[:4000]}\n```\n"
        case agents.SessionEnded():
            return f"\n---\n\nended: {event.outcome}. {event.reason}\n"
        case (
            agents.OpenFilesWarned()
            | agents.TurnRequested()
            | agents.ApprovalAsked()
            | agents.ApprovalAnswered()
            | agents.GrantRevoked()
            | agents.PromptQueued()
            | agents.PromptWithdrawn()
            | agents.PromptDelivered()
            | agents.NoProgressSeen()
        ):
            return ""
        case _:
            assert_never(event)


def _sent(event: agents.SessionStarted) -> str:
    return "" if event.parent is None else f"Sent by session `{event.parent}`\n"


def _continued(event: agents.SessionStarted) -> str:
    """The line that parts a session from the one that it continues; empty where it continues none."""
    if event.previous is None or event.number < 2:
        return ""
    line = f"session {event.number} continues session {event.number - 1} ({event.because})"
    return f"\n---\n\n{line}: `{event.previous}`\n"


def _of_ours(event: agents.MessageAdded | agents.ContextCollapsed) -> str:
    if isinstance(event, agents.MessageAdded):
        return f"\n## To the model\n\n{_texts(event.content)}\n"
    lines = "\n".join(f"- {line}" for _, line in event.collapsed)
    return f"\n## Results that became one line\n\n{lines}\n\n{_texts(event.content)}\n"


def _texts(content: str) -> str:
    return "\n\n".join(text for block in json.loads(content) if (text := _text(block)))


def _text(block: dict[str, Any]) -> str:
    match block.get("type"):
        case "text":
            return str(block["text"])
        case "thinking":
            return "> " + str(block.get("thinking", "")).replace("\n", "\n> ")
        case "tool_result":
            content = block.get("content", "")
            return content if isinstance(content, str) else "\n".join(str(part.get("text", "")) for part in content)
        case _:
            return ""
