"""An agent's hands in one session: its tools, bound to its files, its permissions and its memory of what it read."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Literal

from specloom.agent.context.watch import Watch
from specloom.domain.ids import CallId, Digest
from specloom.domain.looking import looked_at
from specloom.engine.command_images import CommandImages
from specloom.engine.cut_output import write_down
from specloom.engine.output import OutputHub
from specloom.llm.messages import ToolUse
from specloom.logs.about import about
from specloom.tools.ports import Asker, Decision, ReadMemory, Reply, ToolContext, Wanted
from specloom.tools.registry import BoundTools, ToolBox
from specloom.tools.tool import Effect, ToolOutcome
from specloom.workspace.shell.agent_shell import AgentShell
from specloom.workspace.shielding import to_the_end

NO_CALL = CallId("")
"""Stands in a context until a call is made."""


@dataclass(frozen=True, slots=True)
class SessionHands:
    """`agent.calls.Hands`: runs calls and tells which file texts the model knows afterwards."""

    toolbox: ToolBox
    context: ToolContext
    output: OutputHub
    images: CommandImages | None = None
    """Where it may run commands: what these change is written down."""
    held_back: Callable[[], Awaitable[str]] | None = None
    """Says why nothing may be changed before the next turn; empty: it may."""
    watch: Watch | None = None
    """Where open files are kept in sight: what changes while a command runs is put down to it."""

    def effect(self, name: str) -> Effect:
        """What a tool touches."""
        return self.toolbox.effect(name)

    def next_turn(self) -> None:
        """The calls to come mean the files as they stand now."""
        self.context.memory.next_turn()

    async def run(self, call: ToolUse) -> ToolOutcome:
        """Runs one call. Raises only `CancelledError`, and `StateLostError` where a command took the log away."""
        before = _digests(self.context.memory)
        stream = self.output.command(self.context.session, CallId(call.id))
        hands = self.toolbox.bound(replace(self.context, output=stream, asker=self._asker(call)))
        if self.context.shell is not None and self.effect(call.name) is Effect.COMMAND:
            await write_down(self.context.shell, call.id)
        with about(session=self.context.session, task=self.context.task or ""):
            outcome = await self._carried_out(hands, call)
        outcome = replace(with_news(outcome, self.context), watched=_watched(self.context.shell, call))
        return replace(outcome, shown=_shown(before, _digests(self.context.memory)))

    async def _carried_out(self, hands: BoundTools, call: ToolUse) -> ToolOutcome:
        effect = self.effect(call.name)
        if effect in (Effect.COMMAND, Effect.WRITE) and (reason := await self._reason()):
            return ToolOutcome(f"not run: {reason}", is_error=True)
        if self.images is None or effect not in (Effect.COMMAND, Effect.WRITE):
            return await hands.run(call)
        if effect is Effect.COMMAND and self.watch is not None:
            async with self.watch.during(str(call.input.get("command", call.name))):
                return await _followed(self.images, hands, call)
        if effect is Effect.COMMAND:
            return await _followed(self.images, hands, call)
        touched = await self.images.catch_up()
        return _noted(await hands.run(call), touched)

    def _asker(self, call: ToolUse) -> Asker:
        asker = self.context.asker
        if self.held_back is None or self.effect(call.name) not in (Effect.COMMAND, Effect.WRITE):
            return asker
        return _LateAsker(asker, self.held_back)

    async def _reason(self) -> str:
        return "" if self.held_back is None else await self.held_back()


@dataclass(frozen=True, slots=True)
class _LateAsker:
    """A `tools.ports.Asker` whose yes is worth nothing where what it was said to is another tree by then."""

    asker: Asker
    held_back: Callable[[], Awaitable[str]]

    async def may_call(self, wanted: Wanted) -> Decision:
        """As the asker, and only while nothing holds the call back."""
        decision = await self.asker.may_call(wanted)
        reason = await self.held_back() if decision.allowed else ""
        return Decision(False, reason, decision.rule) if reason else decision

    async def ask(self, question: str, choices: tuple[str, ...]) -> Reply:
        """As the asker."""
        return await self.asker.ask(question, choices)


def with_news(outcome: ToolOutcome, context: ToolContext) -> ToolOutcome:
    """What became of the agent's jobs meanwhile, told behind the result of whatever call comes next."""
    if context.shell is None or not (news := context.shell.notices()):
        return outcome
    return replace(outcome, text="\n".join((outcome.text.rstrip("\n"), *(f"({item})" for item in news))))


def _watched(shell: AgentShell | None, call: ToolUse) -> Literal["", "running", "ended"]:
    """How the job stands whose output a call did nothing but look at."""
    if shell is None or not shell.jobs:
        return ""
    running, ended = shell.printing()
    seen = looked_at(call.name, call.input, str(shell.root), shell.cwd)
    return "running" if seen & running else "ended" if seen & ended else ""


async def _followed(images: CommandImages, hands: BoundTools, call: ToolUse) -> ToolOutcome:
    earlier = await images.before()
    try:
        outcome = await hands.run(call)
    except BaseException:
        await to_the_end(images.after())
        raise
    # First, for nothing can be written down where the log is gone.
    await images.journal.ledger.guard.check(images.journal.task, images.workspace.root)
    touched = await to_the_end(images.after())
    return _noted(outcome, tuple(dict.fromkeys((*earlier, *touched))))


def _noted(outcome: ToolOutcome, touched: tuple[str, ...]) -> ToolOutcome:
    if not touched:
        return outcome
    note = (
        f"\n({', '.join(touched)} changed while the command ran. You may not write there: "
        "if the command did it, take that back; if somebody else did, leave it)"
    )
    return replace(outcome, text=outcome.text + note)


def _shown(before: dict[str, Digest], after: dict[str, Digest]) -> tuple[tuple[str, Digest], ...]:
    """Texts that the model knows since a call, and with an empty digest those that it knows no more."""
    closed = ((path, Digest("")) for path in before if path not in after)
    return (*(item for item in after.items() if before.get(item[0]) != item[1]), *closed)


def _digests(memory: ReadMemory) -> dict[str, Digest]:
    return {path: base.digest for path, base in memory.bases.items()}
