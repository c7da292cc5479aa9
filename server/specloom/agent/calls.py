"""Carries out the tool calls of one turn: reads side by side, everything else in order, results in the order of calls.

Refuses to start an effect that is not in the log: writes and commands are committed as requested first.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Protocol

from specloom.agent.ports import Recorder
from specloom.domain.events import agents
from specloom.domain.ids import CallId, SessionId
from specloom.llm.messages import ToolResult, ToolUse, UserMessage
from specloom.tools.close_file import CloseFile
from specloom.tools.tool import Effect, ToolOutcome


class Hands(Protocol):
    """The tools of one agent in one session."""

    def effect(self, name: str) -> Effect:
        """What a tool touches; an unknown name reads as `READ`, since it will do nothing."""
        ...

    def next_turn(self) -> None:
        """Before the calls of each turn: their line numbers mean what stood before the first of them."""
        ...

    async def run(self, call: ToolUse) -> ToolOutcome:
        """Checks the input and runs the tool; a refusal is an outcome too. Raises nothing but `CancelledError`."""
        ...


async def carry_out(
    session: SessionId,
    calls: Sequence[ToolUse],
    hands: Hands,
    recorder: Recorder,
    parallel: int = 5,
    *,
    refused: str = "",
) -> tuple[tuple[ToolResult, ToolOutcome], ...]:
    """Runs the calls, at most `parallel` reads at a time.

    After one that ends the session the rest is not started; after a refused write no command is: it would run on a
    text that the model does not mean. `refused`: as `refused_write`, of a turn that was interrupted.
    """
    done: list[tuple[ToolResult, ToolOutcome]] = []
    hands.next_turn()
    for batch in batches(calls, hands):
        reason = _not_run(done, refused, hands.effect(batch[0].name))
        if reason:
            outcomes: Sequence[ToolOutcome] = [ToolOutcome(f"not run: {reason}", is_error=True) for _ in batch]
        else:
            outcomes = await _run(session, batch, hands, recorder, parallel)
        if hands.effect(batch[0].name) is Effect.WRITE and outcomes[0].is_error:
            refused = refused or batch[0].name
        done += [(result_of(call, outcome), outcome) for call, outcome in zip(batch, outcomes, strict=True)]
        recorder.note(*(settled(session, call, *pair) for call, pair in zip(batch, done[-len(batch) :], strict=True)))
    return tuple(done)


def refused_write(calls: Sequence[ToolUse], results: Mapping[str, ToolResult], hands: Hands) -> str:
    """The name of the first write among `calls` that an earlier process saw refused or broken off; empty: none was."""
    failed = (call for call in calls if call.id in results and results[call.id].is_error)
    return next((call.name for call in failed if hands.effect(call.name) is Effect.WRITE), "")


OUTRUN = (
    "not run: Specloom was stopped in the middle of this turn, and an earlier call of it had changed the file: "
    "look at it, then send this call again"
)


def outrun(calls: Sequence[ToolUse], results: Mapping[str, ToolResult], hands: Hands) -> tuple[ToolUse, ...]:
    """Writes that a restart left over, of files that an earlier call of the same turn has changed, or may have.

    Their line numbers mean the text from before the turn, which nobody has any more.
    """
    writes = [call for call in calls if hands.effect(call.name) is Effect.WRITE]
    touched = {call.input.get("path") for call in writes if call.id in results}
    return tuple(call for call in writes if call.id not in results and call.input.get("path") in touched)


def _not_run(done: Sequence[tuple[ToolResult, ToolOutcome]], refused: str, effect: Effect) -> str:
    """Why the next call is not started; empty: it is."""
    if any(outcome.blocked or outcome.ends or outcome.continues for _, outcome in done):
        return "the session ended before this call"
    if refused and effect is Effect.COMMAND:
        return f"the {refused} before it was refused; mend that first, then call it again"
    return ""


def batches(calls: Sequence[ToolUse], hands: Hands) -> Iterator[tuple[ToolUse, ...]]:
    """Neighbouring reads together, every other call alone; so is one that closes files, which may be read beside it."""
    for together, group in groupby(
        calls, lambda call: hands.effect(call.name) is Effect.READ and call.name != CloseFile.name
    ):
        if together:
            yield tuple(group)
        else:
            yield from ((call,) for call in group)


async def _run(
    session: SessionId, batch: tuple[ToolUse, ...], hands: Hands, recorder: Recorder, parallel: int
) -> Sequence[ToolOutcome]:
    requested = [_requested(session, call) for call in batch]
    if hands.effect(batch[0].name) is Effect.READ:
        recorder.note(*requested)
        slots = asyncio.Semaphore(parallel)
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(_in_slot(slots, hands, call)) for call in batch]
        return [task.result() for task in running]
    await recorder.commit(*requested)
    return [await hands.run(batch[0])]


async def _in_slot(slots: asyncio.Semaphore, hands: Hands, call: ToolUse) -> ToolOutcome:
    async with slots:
        return await hands.run(call)


def result_of(call: ToolUse, outcome: ToolOutcome) -> ToolResult:
    """The `tool_result` block that answers `call`."""
    raw: dict[str, Any] = {"type": "tool_result", "tool_use_id": call.id, "content": outcome.text}
    if outcome.image is not None:
        media, data = outcome.image
        source = {"type": "base64", "media_type": media, "data": data}
        raw["content"] = [{"type": "text", "text": outcome.text}, {"type": "image", "source": source}]
    if outcome.is_error:
        raw["is_error"] = True
    return ToolResult(call.id, outcome.text, outcome.is_error, raw)


def answers(results: Sequence[tuple[ToolResult, ToolOutcome]]) -> UserMessage:
    """The message that brings all results."""
    return UserMessage(tuple(result for result, _ in results))


def _requested(session: SessionId, call: ToolUse) -> agents.ToolRequested:
    return agents.ToolRequested(session, CallId(call.id), call.name, _compact(dict(call.input)))


def settled(session: SessionId, call: ToolUse, result: ToolResult, outcome: ToolOutcome) -> agents.ToolSettled:
    """The event that answers a call."""
    corrected = "" if outcome.corrected is None else _compact(dict(outcome.corrected))
    return agents.ToolSettled(
        session=session,
        call=CallId(call.id),
        name=call.name,
        is_error=outcome.is_error,
        content=_compact(result.raw),
        blocked=outcome.blocked,
        shown=outcome.shown,
        corrected=corrected,
        rule=outcome.rule,
        watched=outcome.watched,
    )


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
