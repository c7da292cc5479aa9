"""The tools of one role, and the one gate of each call: known, well-formed, permitted, contained, redacted.

Refuses to raise: whatever happens in a tool is an outcome for the model. Only `CancelledError` passes.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from specloom.domain.ids import CallId
from specloom.domain.redact import Redactor, StreamRedactor
from specloom.llm.messages import ToolSchema, ToolUse
from specloom.tools.ports import Output, ToolContext, Wanted
from specloom.tools.schema import checked
from specloom.tools.tool import Effect, Tool, ToolOutcome
from specloom.workspace.ports import WorkspaceError

log = logging.getLogger(__name__)


class ToolBox:
    """Tools by name, in a fixed order."""

    def __init__(self, tools: Iterable[Tool], redact: Redactor | None = None) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._redact = redact or Redactor()

    @property
    def names(self) -> tuple[str, ...]:
        """Of all tools in the box."""
        return tuple(self._tools)

    @property
    def redact(self) -> Redactor:
        """What takes keys out of all that the model is told."""
        return self._redact

    def only(self, names: Iterable[str]) -> "ToolBox":
        """A box with these tools alone. Raises `KeyError` for a tool that is not there."""
        return ToolBox([self._tools[name] for name in names], self._redact)

    def with_tools(self, *tools: Tool) -> "ToolBox":
        """A box with these tools behind its own."""
        return ToolBox([*self._tools.values(), *tools], self._redact)

    def tool(self, name: str) -> Tool:
        """One tool. Raises `KeyError`."""
        return self._tools[name]

    def schemas(self) -> tuple[ToolSchema, ...]:
        """As the model is told of them."""
        return tuple(ToolSchema(tool.name, tool.description, tool.input_schema) for tool in self._tools.values())

    def effect(self, name: str) -> Effect:
        """What a tool touches; an unknown one does nothing, which reads as `READ`."""
        tool = self._tools.get(name)
        return Effect.READ if tool is None else tool.effect

    async def run(self, name: str, values: Mapping[str, Any], context: ToolContext) -> ToolOutcome:
        """Checks the input, runs the tool, redacts what it says. Raises nothing but `CancelledError`."""
        tool = self._tools.get(name)
        if tool is None:
            return ToolOutcome(self._unknown(name), is_error=True)
        check = checked(name, tool.input_schema, values)
        if check.refusal:
            return ToolOutcome(self._redact(check.refusal), is_error=True)
        decision = await context.asker.may_call(_wanted(tool, check.values, context))
        rule = self._redact(decision.rule)
        if not decision.allowed:
            reason = decision.reason or "the user did not allow it"
            return ToolOutcome(self._redact(f"not run: {reason}"), is_error=True, rule=rule)
        output = _Redacted(context.output, StreamRedactor(self._redact))
        outcome = await _contained(tool, check.values, replace(context, output=output, redact=self._redact))
        output.end()
        redact = self._redact
        return replace(
            outcome,
            text=redact(outcome.text),
            blocked=redact(outcome.blocked),
            continues=redact(outcome.continues),
            rule=rule,
        )

    def bound(self, context: ToolContext) -> "BoundTools":
        """The box in the hands of one agent."""
        return BoundTools(self, context)

    def _unknown(self, name: str) -> str:
        near = get_close_matches(name, self._tools, 1, cutoff=0.8)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        return f"there is no tool {name!r}{hint}; you have: {', '.join(self._tools)}"


@dataclass(frozen=True, slots=True)
class BoundTools:
    """A tool box with the context of one session: what the turn loop calls its hands."""

    box: ToolBox
    context: ToolContext

    def effect(self, name: str) -> Effect:
        """As `ToolBox.effect`."""
        return self.box.effect(name)

    def next_turn(self) -> None:
        """To be called before the calls of each turn: their line numbers mean what stood before the turn."""
        self.context.memory.next_turn()

    async def run(self, call: ToolUse) -> ToolOutcome:
        """Runs one call of the model. Raises nothing but `CancelledError`."""
        if call.fault:
            return ToolOutcome(f"{call.name} was not run: {call.fault}; send the call again", is_error=True)
        return await self.box.run(call.name, call.input, replace(self.context, call=CallId(call.id)))


def _wanted(tool: Tool, values: Mapping[str, Any], context: ToolContext) -> Wanted:
    path, command = values.get("path"), values.get("command")
    folder = "" if context.shell is None else context.shell.folder
    return Wanted(
        tool.name,
        tool.effect.value,
        path if isinstance(path, str) else None,
        command if isinstance(command, str) and tool.effect is Effect.COMMAND else None,
        "" if folder == "." else folder,
    )


async def _contained(tool: Tool, values: Mapping[str, Any], context: ToolContext) -> ToolOutcome:
    try:
        return await tool.run(values, context)
    except WorkspaceError as error:
        return ToolOutcome(str(error), is_error=True)
    except Exception as error:
        log.exception("tool %s failed", tool.name)
        message = f"{tool.name} failed by a fault of its own ({type(error).__name__}); try another way"
        return ToolOutcome(message, is_error=True)


@dataclass(slots=True)
class _Redacted:
    """An `Output` that no key passes."""

    to: Output
    stream: StreamRedactor
    ended: bool = field(default=False)

    def chunk(self, text: str) -> None:
        if shown := self.stream.feed(text):
            self.to.chunk(shown)

    def end(self) -> None:
        if shown := self.stream.rest():
            self.to.chunk(shown)
