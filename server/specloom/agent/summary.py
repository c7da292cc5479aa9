"""Asks the summariser what remains of a session that could not say so itself. Refuses to insist: no answer will do."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from specloom.agent.ask import AskPorts, HaltedError, ask
from specloom.agent.loop import started
from specloom.agent.ports import Gate, Halt
from specloom.agent.session import Conversation, SessionSetup, content_json, say
from specloom.domain.events import agents
from specloom.llm.errors import ProviderError
from specloom.llm.messages import AssistantMessage, Message, Text, ToolResult, ToolUse
from specloom.tools.view import counted

REQUEST = """The task:

<task>
{task}
</task>

The end of the conversation:

<conversation>
{said}
</conversation>

What remains to be done?"""
TRIES = 3
"""Requests at most: the hand-over stands without an answer too."""
CALL_SHOWN = 600
RESULT_SHOWN = 1_500
SAID = 4_000
"""Bytes of a call's input, of a result and of a text."""
SHOWS_FILES = frozenset({"read_file", "edit_file", "write_file"})
"""Tools whose results hold text of files, of which the next session is shown what stands there then."""
LONGEST = 80_000
"""Bytes of a conversation's end."""
UNKNOWN_WINDOW = 24_000
"""The same for a model of which nobody knows what it can take."""


def fitting(window: int | None) -> int:
    """Bytes of a conversation's end that a summariser with a window of so many tokens is shown.

    A token may be as little as two bytes in any script, where a character is up to four; half of the window is left for
    the prompt and the answer.
    """
    return UNKNOWN_WINDOW if window is None else min(LONGEST, window)


def tail(messages: Sequence[Message], most: int) -> str:
    """The end of a conversation in words, at most so many bytes; says how much came before. May be empty."""
    names = {block.id: block.name for message in messages for block in message.blocks if isinstance(block, ToolUse)}
    parts = [part for message in messages[1:] for part in _parts(message, names)]
    kept: list[str] = []
    left = most
    for part in reversed(parts):
        size = len(part.encode("utf-8", "replace"))
        if size > left:
            break
        kept.append(part)
        left -= size + 2
    if not kept:
        return ""
    before = len(parts) - len(kept)
    head = [f"[{before} earlier pieces of the conversation left out]"] if before else []
    return "\n\n".join([*head, *reversed(kept)])


def _parts(message: Message, names: Mapping[str, str]) -> Iterable[str]:
    for block in message.blocks:
        if isinstance(block, Text) and block.text.strip():
            yield f"{'executor' if isinstance(message, AssistantMessage) else 'specloom'}: {_cut(block.text, SAID)}"
        elif isinstance(block, ToolUse):
            yield f"executor calls {block.name}: {_cut(json.dumps(dict(block.input), ensure_ascii=False), CALL_SHOWN)}"
        elif isinstance(block, ToolResult):
            yield f"result{' (error)' if block.is_error else ''}: {_told(block, names.get(block.call, ''))}"


def _told(result: ToolResult, name: str) -> str:
    if name not in SHOWS_FILES or result.is_error:
        return _cut(result.text, RESULT_SHOWN)
    first, _, rest = result.text.partition("\n")
    left_out = f" [{counted(len(rest.splitlines()), 'line')} left out]" if rest else ""
    return f"{_cut(first, RESULT_SHOWN)}{left_out}"


def _cut(text: str, most: int) -> str:
    whole = text.encode("utf-8", "replace")
    if len(whole) <= most:
        return text
    half = most // 2
    head, end = whole[:half].decode(errors="ignore"), whole[-half:].decode(errors="ignore")
    return f"{head}\n[{len(text) - len(head) - len(end)} characters left out]\n{end}"


async def what_remains(setup: SessionSetup, task: str, said: str, ports: AskPorts, gate: Gate) -> str | Halt:
    """The summariser's words, recorded as a session of its own; empty when it gives none. A halt of `gate` ends it.

    `task`: what the conversation was about; `said`: its end.
    """
    halt = await gate.before_turn(setup.id)
    if halt is not None:
        return halt
    message = say(REQUEST.format(task=task, said=said))
    ports.recorder.note(started(setup), agents.MessageAdded(setup.id, content_json(message)))
    patience = replace(ports.retry, tries=min(TRIES, ports.retry.tries))
    try:
        answer = await ask(setup, Conversation([message]), replace(ports, retry=patience), gate.before_turn)
    except HaltedError as error:
        if error.halt.kind != "budget":
            # It is asked again when the budget is raised.
            await ports.recorder.commit(agents.SessionEnded(setup.id, error.halt.kind, error.halt.reason))
        return error.halt
    except ProviderError as error:
        await ports.recorder.commit(agents.SessionEnded(setup.id, "fault", str(error)))
        return ""
    words = answer.message.text.strip()
    await ports.recorder.commit(agents.SessionEnded(setup.id, "ended", "" if words else "it said nothing"))
    return words
