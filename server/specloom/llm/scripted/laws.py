"""Checks a request as the real API does. Refuses, in the API's manner of speaking, what would brick a real session.

The laws are those of https://docs.anthropic.com/en/api/messages and of its errors as clients meet them.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import cast

from specloom.llm.scripted.reading import Json, blocks_of, content_problem
from specloom.llm.scripted.script import ScriptedFacts

BREAKPOINTS = 4
SMALLEST_BUDGET = 1024
THINKING = ("thinking", "redacted_thinking")
_SIGNED = "scripted-"
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_CALL_ID = re.compile(r"[a-zA-Z0-9_-]+")


def violation(request: Json, facts: ScriptedFacts) -> str | None:
    """The first law that `request` breaks, or `None`."""
    for check in (_settings, _thinking, _tools, _breakpoints, _messages):
        for problem in check(request, facts):
            return problem
    return None


def _settings(request: Json, facts: ScriptedFacts) -> Iterator[str]:
    limit = request.get("max_tokens")
    if not isinstance(limit, int) or limit < 1:
        yield "max_tokens: must be a whole number greater than or equal to 1"
    elif limit > facts.max_tokens:
        allowed = f"which is the maximum allowed number of output tokens for {facts.id}"
        yield f"max_tokens: {limit} > {facts.max_tokens}, {allowed}"
    system = request.get("system")
    if isinstance(system, list):
        for place, block in enumerate(cast("list[object]", system)):
            if not isinstance(block, dict) or not str(cast("Json", block).get("text", "")).strip():
                yield f"system.{place}: text content blocks must be non-empty"


def _thinking(request: Json, _facts: ScriptedFacts) -> Iterator[str]:
    thinking = request.get("thinking")
    if not isinstance(thinking, dict) or cast("Json", thinking).get("type") != "enabled":
        return
    budget: object = cast("Json", thinking).get("budget_tokens")
    if not isinstance(budget, int) or budget < SMALLEST_BUDGET:
        yield f"thinking.enabled.budget_tokens: must be greater than or equal to {SMALLEST_BUDGET}"
    elif budget >= cast("int", request["max_tokens"]):
        yield "`max_tokens` must be greater than `thinking.budget_tokens`"


def _tools(request: Json, _facts: ScriptedFacts) -> Iterator[str]:
    seen: set[str] = set()
    for place, tool in enumerate(cast("list[Json]", request.get("tools") or [])):
        name = str(tool.get("name") or "")
        if not name:
            yield f"tools.{place}.name: field required"
        elif not _TOOL_NAME.fullmatch(name):
            yield f"tools.{place}.name: String should match pattern '^{_TOOL_NAME.pattern}$'"
        elif name in seen:
            yield "tools: tool names must be unique"
        elif not isinstance(tool.get("input_schema"), dict):
            yield f"tools.{place}.input_schema: field required"
        seen.add(name)


def _breakpoints(request: Json, _facts: ScriptedFacts) -> Iterator[str]:
    found = _marks(request.get("tools")) + _marks(request.get("system"))
    for message in cast("list[object]", request.get("messages") or []):
        if isinstance(message, dict):
            found += _marks(cast("Json", message).get("content"))
    if found > BREAKPOINTS:
        yield f"A maximum of {BREAKPOINTS} blocks with cache_control may be provided. Found {found}."


def _marks(value: object) -> int:
    entries = cast("list[object]", value) if isinstance(value, list) else []
    return sum(isinstance(entry, dict) and "cache_control" in cast("Json", entry) for entry in entries)


def _messages(request: Json, _facts: ScriptedFacts) -> Iterator[str]:
    messages = cast("list[Json]", request.get("messages") or [])
    if not messages:
        yield "messages: at least one message is required"
    role = "assistant"
    asked: tuple[str, ...] = ()
    for place, message in enumerate(messages):
        problem = content_problem(message)
        if problem:
            yield f"messages.{place}: {problem}"
        if message.get("role") not in {"user", "assistant"}:
            yield f"messages.{place}.role: Input should be 'user' or 'assistant'"
        if message.get("role") == role:
            other = "user" if role == "assistant" else "assistant"
            yield f"messages.{place}: roles must alternate, expected {other!r} and found {role!r}"
        role = str(message.get("role"))
        yield from _results(place, message, asked)
        asked = tuple(str(block.get("id")) for block in blocks_of(message) if block.get("type") == "tool_use")
        yield from _call_ids(place, asked)
    yield from _beginning_of_answer(messages)
    if asked:
        yield f"messages.{len(messages) - 1}: {_unanswered(asked)}"


def _call_ids(place: int, asked: tuple[str, ...]) -> Iterator[str]:
    if len(set(asked)) < len(asked):
        yield f"messages.{place}: `tool_use` ids must be unique"
    for call in asked:
        if not _CALL_ID.fullmatch(call):
            yield f"messages.{place}: tool_use.id: String should match pattern '^{_CALL_ID.pattern}$'"


def _beginning_of_answer(messages: list[Json]) -> Iterator[str]:
    """A last message of the assistant is what the answer begins with."""
    blocks = blocks_of(messages[-1]) if messages and messages[-1].get("role") == "assistant" else []
    text = str(blocks[-1].get("text", "")) if blocks and blocks[-1].get("type") == "text" else ""
    if text != text.rstrip():
        yield "messages: final assistant content cannot end with trailing whitespace"


def _results(place: int, message: Json, asked: tuple[str, ...]) -> Iterator[str]:
    """Each call is answered at the start of the next message, and nothing else is answered."""
    blocks = blocks_of(message)
    results = [block for block in blocks if block.get("type") == "tool_result"]
    answered = [str(block.get("tool_use_id")) for block in results]
    for call in answered:
        if call not in asked:
            yield (
                f"messages.{place}: unexpected `tool_use_id` found in `tool_result` blocks: {call}. Each `tool_result` "
                "block must have a corresponding `tool_use` block in the previous message."
            )
    missing = tuple(call for call in asked if call not in answered)
    if missing:
        yield f"messages.{place}: {_unanswered(missing)}"
    if len(set(answered)) < len(answered):
        yield f"messages.{place}: each tool_use must have a single result"
    if any(block.get("type") != "tool_result" for block in blocks[: len(results)]):
        yield f"messages.{place}: `tool_result` blocks must come first in the content of a message"


def _unanswered(calls: tuple[str, ...]) -> str:
    return (
        f"`tool_use` ids were found without `tool_result` blocks immediately after: {', '.join(calls)}. Each "
        "`tool_use` block must have a corresponding `tool_result` block in the next message."
    )


def thinking_problem(request: Json, served: Mapping[str, list[Json]]) -> str | None:
    """Whether a thinking block was changed, or dropped in front of a call that it led to.

    `served` holds, for each tool call that was answered with thinking, the thinking blocks of that answer.
    """
    for place, message in enumerate(cast("list[Json]", request["messages"])):
        blocks = blocks_of(message)
        found = [block for block in blocks if block.get("type") in THINKING]
        expected = next((served[call] for block in blocks if (call := str(block.get("id"))) in served), None)
        if (expected is not None and found != expected) or any(map(_forged, found)):
            return (
                f"messages.{place}: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be "
                "modified. These blocks must remain as they were in the original response."
            )
    return None


def signature_of(thinking: str) -> str:
    """What the server signs a thinking block with; a changed text no longer fits its signature."""
    return _SIGNED + hashlib.sha256(thinking.encode("utf-8", "surrogatepass")).hexdigest()


def _forged(block: Json) -> bool:
    signature = str(block.get("signature", ""))
    return signature.startswith(_SIGNED) and signature != signature_of(str(block.get("thinking")))
