"""A session on a real folder with a drawn model: real loop, real tools, real keeper, and a log that may die.

The model edits what it has read in its own conversation, nothing else; so an edit that is refused was misled.
"""

import asyncio
import base64
import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

from specloom.agent.ask import AskPorts
from specloom.agent.context.collection import Collector
from specloom.agent.context.keeper import ContextKeeper, KeeperPorts, OpenLimits
from specloom.agent.context.known import Known
from specloom.agent.context.policy import Rules
from specloom.agent.context.view import whole_view
from specloom.agent.context.watch import Watch
from specloom.agent.loop import LoopPorts, resume_session, run_session
from specloom.agent.ports import Halt
from specloom.agent.replay import replay
from specloom.agent.session import Conversation, SessionSetup, content_json, say
from specloom.domain.events import agents
from specloom.domain.events.agents import AgentEvent
from specloom.domain.ids import AgentId, CallId, Digest, SessionId
from specloom.domain.usage import UsageTotal
from specloom.engine.open_files import recalled
from specloom.llm.errors import ProviderError, ProviderFault
from specloom.llm.messages import (
    AnswerBlock,
    AssistantMessage,
    Message,
    ModelAnswer,
    ModelRequest,
    StopReason,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
    Usage,
    UserMessage,
)
from specloom.llm.model import CutOff, DeltaSink, ModelFacts
from specloom.tools.close_file import CloseFile
from specloom.tools.delete_file import DeleteFile
from specloom.tools.edit_file import EditFile
from specloom.tools.ports import Decision, ReadMemory, ToolContext
from specloom.tools.read_file import ReadFile
from specloom.tools.read_output import ReadOutput
from specloom.tools.registry import BoundTools, ToolBox
from specloom.tools.tool import Effect, ToolOutcome
from specloom.tools.write_file import WriteFile
from specloom.workspace.ports import TextSnapshot
from specloom.workspace.workspace import Workspace
from tests.unit.agent.drawn_calls import IMAGES, NAMES, Dice, drawn_call
from tests.unit.agent.model_reader import ModelReader

SESSION = SessionId("session-1")
EAGER = Rules(growth=50, margin=0, debt=1e9, least=1, keep_turns=1, smallest=12, fresh=1, rest=1)
"""Collapses whenever there is anything to win."""
BAD_IMAGE = base64.b64encode(IMAGES["bad.png"]).decode()
"""Whole and within all limits, and still not taken."""


class DiedError(Exception):
    """The process ended here, as far as the log knows."""


@dataclass
class Log:
    """A recorder; dies at the commit that it is told to die at."""

    events: list[AgentEvent] = field(default_factory=list[AgentEvent])
    noted: list[AgentEvent] = field(default_factory=list[AgentEvent])
    die_after: int | None = None

    def note(self, *events: AgentEvent) -> None:
        self.noted.extend(events)

    async def commit(self, *events: AgentEvent) -> None:
        if self.die_after is not None:
            self.die_after -= 1
            if self.die_after < 0:
                self.die_after = None
                self.noted.clear()
                raise DiedError
        self.events += [*self.noted, *events]
        self.noted.clear()


@dataclass
class World:
    """One folder, one session, one model."""

    root: Path
    dice: Dice
    turns: int
    log: Log = field(default_factory=Log)
    memory: ReadMemory = field(default_factory=ReadMemory)
    seconds: float = 0.0
    asked: list[tuple[Message, ...]] = field(default_factory=list[tuple[Message, ...]])
    at: list[int] = field(default_factory=list[int])
    """Events that were in the log at each request."""
    workspace: Workspace = field(init=False)
    conversation: Conversation = field(default_factory=Conversation)
    """As it stands at the end."""
    whole: set[str] = field(default_factory=set[str])
    """Files of which the model has seen every line."""
    calls: int = 0

    def __post_init__(self) -> None:
        self.workspace = Workspace.at(self.root)

    # --- the model ---

    async def facts(self, model: str) -> ModelFacts:
        return ModelFacts(model, None, None)

    async def count_tokens(self, request: ModelRequest) -> int:
        return 0

    async def reachable(self) -> bool:
        return True

    async def close(self) -> None:
        return

    async def ask(self, request: ModelRequest, sink: DeltaSink | None = None, cut: CutOff | None = None) -> ModelAnswer:
        del sink, cut
        _refuse_image(request.messages)
        self.asked.append(request.messages)
        self.at.append(len(self.log.events))
        await asyncio.to_thread(check_request, self)
        reader = ModelReader().read(request.messages)
        await asyncio.to_thread(self.type_as_user)
        number = len(self.asked)
        blocks: list[AnswerBlock] = [_thinking(number), Text.of(f"turn {number}")]
        if number < self.turns:
            blocks += [self.call(reader) for _ in range(self.dice.upto(3, 1))]
        stop = StopReason.TOOL_USE if number < self.turns else StopReason.END_TURN
        self.seconds += self.dice.one([1.0, 1.0, 1.0, 400.0])
        usage = Usage(input=1, cache_write=self.dice.one([0, 5]))
        return ModelAnswer(f"answer-{number}", "m", AssistantMessage(tuple(blocks)), stop, usage)

    def call(self, reader: ModelReader) -> ToolUse:
        """One call that the model might make with what it knows."""
        self.calls += 1
        name, values = drawn_call(self.dice, reader.files)
        call = f"call-{self.calls}"
        return ToolUse(call, name, values, {"type": "tool_use", "id": call, "name": name, "input": values})

    # --- the person ---

    def type_as_user(self) -> None:
        """Perhaps changes a file, with the model none the wiser."""
        if self.dice.upto(3) == 0:
            self.change(self.dice.one(NAMES))

    def change(self, path: str) -> None:
        """Deletes or changes some lines of a file on disk, or the whole file."""
        file = self.root / path
        if not file.exists() or self.dice.upto(15) == 0:
            if self.dice.upto(1) == 1:
                file.write_text(self.dice.text())
            else:
                file.unlink(missing_ok=True)
            return
        lines = file.read_text().split("\n")
        place = self.dice.upto(max(len(lines) - 1, 0))
        gone = self.dice.upto(3)
        lines[place : place + gone] = self.dice.lines(3)
        file.write_text("\n".join(lines))


def _refuse_image(messages: Sequence[Message]) -> None:
    """What the endpoint says to a request with the image that it does not take."""
    blocks = [block for message in messages for block in message.blocks]
    if any(BAD_IMAGE in str(block.raw.get("content")) for block in blocks if isinstance(block, ToolResult)):
        raise ProviderError(ProviderFault.INVALID, "it answered 400: no such image; report this", status=400)


def _thinking(number: int) -> Thinking:
    raw = {"type": "thinking", "thinking": f"thought {number}", "signature": f"s{number}"}
    return Thinking(f"thought {number}", raw)


def check_request(world: World) -> None:
    """The laws that every request keeps, and what may differ from the request before."""
    messages = world.asked[-1]
    for at, message in enumerate(messages):
        if isinstance(message, AssistantMessage):
            uses = [call.id for call in message.tool_uses]
            following = messages[at + 1] if at + 1 < len(messages) else None
            answered = following.blocks[: len(uses)] if isinstance(following, UserMessage) else ()
            assert [block.call for block in answered if isinstance(block, ToolResult)] == uses
    if len(world.asked) > 1:
        _check_extension(world)
    reader = ModelReader().read(messages)
    assert not reader.faults(), reader.faults()
    world.whole &= world.memory.bases.keys()
    assert reader.files.keys() <= world.memory.bases.keys(), "it believes to know a file that nobody watches"
    for path in world.memory.bases:
        file = world.root / path
        lines = present(file)
        known = reader.files.get(path, {})
        for number, line in known.items():
            assert 1 <= number <= len(lines), (path, number, lines, known)
            assert lines[number - 1] == line, (path, number, lines, known)
        if path in world.whole:
            assert set(known) == set(range(1, len(lines) + 1)), (path, lines, known)


def _check_extension(world: World) -> None:
    before, now = (flat(messages) for messages in world.asked[-2:])
    new = world.log.events[world.at[-2] :]
    if not any(isinstance(event, agents.ContextCollapsed) for event in new):
        assert now[: len(before)] == before, "not an extension of the request before"
    said = [block for block in now if block[0] == "assistant"]
    assert said[: len([b for b in before if b[0] == "assistant"])] == [b for b in before if b[0] == "assistant"]


def flat(messages: Sequence[Message]) -> list[tuple[str, str]]:
    """Every block as it goes out, with its side."""
    side = {True: "user", False: "assistant"}
    return [
        (side[isinstance(message, UserMessage)], json.dumps(dict(block.raw), ensure_ascii=False))
        for message in messages
        for block in message.blocks
    ]


def present(file: Path) -> list[str]:
    """The lines of a file on disk."""
    text = file.read_text()
    return text.removesuffix("\n").split("\n") if text else []


class Anybody:
    """An asker who allows everything, a stream that nobody hears, a price list without entries, a gate that is open."""

    async def may_call(self, wanted: object) -> Decision:
        del wanted
        return Decision(True)

    async def may_run(self, command: str, purpose: str) -> Decision:
        del command, purpose
        return Decision(True)

    async def ask(self, question: str, choices: tuple[str, ...]) -> NoReturn:
        raise AssertionError(question, choices)

    def chunk(self, text: str) -> None:
        del text

    def total(self, model: str, usage: Usage) -> UsageTotal:
        del model
        return UsageTotal(usage.input, usage.output, usage.cache_read, usage.cache_write, None)

    def sink(self, session: SessionId, turn: int) -> "Anybody":
        del session, turn
        return self

    def delta(self, block: int, kind: str, text: str, name: str = "") -> None:
        del block, kind, text, name

    async def sleep(self, seconds: float) -> None:
        del seconds

    async def before_turn(self, session: SessionId) -> Halt | None:
        del session
        return None

    async def stranded(self, session: SessionId, error: ProviderError) -> bool:
        del session, error
        return False


@dataclass
class ChangingCommand:
    """Stands for commands: changes files as the world draws it, and prints some lines."""

    world: World
    name = "run_command"
    description = "Changes files."
    input_schema: Mapping[str, Any] = field(
        default_factory=lambda: {"type": "object", "properties": {"command": {"type": "string"}}}
    )
    effect = Effect.COMMAND

    async def run(self, values: Mapping[str, Any], context: ToolContext) -> ToolOutcome:
        del context
        path = str(values["command"]).split()[-1]
        if self.world.dice.upto(1) == 1:
            await asyncio.to_thread(self.world.change, path)
        lines = self.world.dice.upto(30)
        return ToolOutcome("exit code 0\n" + "\n".join(f"line {n} of an output" for n in range(lines)))


@dataclass
class DiskFiles:
    """Reads each file each time."""

    workspace: Workspace

    async def stamps(self, paths: Sequence[str]) -> Mapping[str, Hashable]:
        return dict.fromkeys(paths)

    async def read(self, path: str) -> TextSnapshot:
        return await self.workspace.read(path)


@dataclass
class Hands:
    """The tools, with the watch around commands, and the world's book of what was read whole."""

    world: World
    bound: BoundTools
    watch: Watch

    def effect(self, name: str) -> Effect:
        return self.bound.effect(name)

    def next_turn(self) -> None:
        self.bound.next_turn()

    async def run(self, call: ToolUse) -> ToolOutcome:
        bases = self.world.memory.bases
        before = {path: base.digest for path, base in bases.items()}
        if call.name == "run_command":
            async with self.watch.during(str(call.input["command"])):
                outcome = await self.bound.run(call)
        else:
            outcome = await self.bound.run(call)
        after = {path: base.digest for path, base in bases.items()}
        if is_whole(call.name, call.input) and not outcome.is_error:
            self.world.whole.add(str(call.input["path"]))
        shown = {path: digest for path, digest in after.items() if before.get(path) != digest}
        closed = {path: Digest("") for path in before if path not in after}
        self.world.whole -= closed.keys()
        return replace(outcome, shown=tuple({**shown, **closed}.items()))


def ports(
    world: World, memory: ReadMemory, conversation: Conversation, lost: tuple[str, ...], known: Known
) -> LoopPorts:
    """Everything new but the folder and the log, as after a restart."""
    world.memory = memory
    anybody, workspace = Anybody(), world.workspace
    context = ToolContext(
        files=workspace,
        asker=anybody,
        output=anybody,
        memory=memory,
        agent=AgentId("agent-1"),
        session=SESSION,
        attempt=None,
        task=None,
        call=CallId(""),
        environment={},
        outputs=conversation.elided,
    )
    watch = Watch(DiskFiles(workspace), memory)
    box = ToolBox(
        [ReadFile(), EditFile(), WriteFile(), ReadOutput(), CloseFile(), DeleteFile(), ChangingCommand(world)]
    )
    keeping = KeeperPorts(watch, anybody, _Clock(world), lambda text: text, lambda: OpenLimits(1, 60))
    keeper = ContextKeeper(keeping, lost, known=known, collector=Collector(EAGER))
    asking = AskPorts(world, world.log, anybody, anybody, anybody)
    return LoopPorts(asking, Hands(world, BoundTools(box, context), watch), anybody, keeper=keeper)


@dataclass
class _Clock:
    world: World

    def now(self) -> str:
        return "2026-11-21T00:00:00.000Z"

    def monotonic(self) -> float:
        return self.world.seconds


SETUP = SessionSetup(SESSION, AgentId("agent-1"), "executor", "m", "You work.", (), max_turns=200)


async def live(world: World, crashes: Sequence[int], handed: Sequence[TextSnapshot] = ()) -> Conversation:
    """Runs the session to its end, through as many deaths of its process as there are `crashes`.

    `handed`: files that its first message shows, since a session before it had them open.
    """
    waiting = list(crashes)
    conversation = Conversation([first := say("Work.")])
    world.log.events.append(agents.MessageAdded(SESSION, content_json(first)))
    if handed:
        views = UserMessage(tuple(Text.of(whole_view(item, None, again=False)) for item in handed))
        conversation.add_user(views, tuple(item.path for item in handed))
        digests = tuple((item.path, item.digest) for item in handed)
        world.log.events.append(agents.MessageAdded(SESSION, content_json(views), digests))
    memory = ReadMemory({item.path: item for item in handed})
    world.whole = set(memory.bases)
    run = run_session(SETUP, conversation, ports(world, memory, conversation, (), Known()))
    while True:
        world.log.die_after = waiting.pop() if waiting else None
        try:
            await run
        except* DiedError:
            pass
        else:
            return conversation
        await asyncio.to_thread(world.type_as_user)
        again = replay(world.log.events)
        conversation = again.conversation
        kept = await recalled(world.workspace, shown_in(world.log.events))
        world.whole = whole_in(world.log.events)
        world.seconds += 1000
        fresh = ports(world, kept.memory, conversation, kept.lost, Known(closed=set(kept.closed)))
        run = resume_session(SETUP, again, fresh)


def shown_in(events: Sequence[AgentEvent]) -> dict[str, Digest]:
    """What the log says that the model was shown last."""
    shown: dict[str, Digest] = {}
    for event in events:
        if isinstance(event, agents.ToolSettled | agents.MessageAdded | agents.ContextCollapsed):
            shown.update(event.shown)
    return shown


def is_whole(name: str, values: Mapping[str, Any]) -> bool:
    """Whether a call that succeeds leaves no line of its file unseen."""
    return name == "write_file" or (name == "read_file" and "start_line" not in values)


def whole_in(events: Sequence[AgentEvent]) -> set[str]:
    """Files of which the model has seen every line, as far as the log knows."""
    handed = [event for event in events[1:2] if isinstance(event, agents.MessageAdded)]
    whole = {path for event in handed for path, _ in event.shown}
    inputs: dict[str, dict[str, Any]] = {}
    for event in events:
        if isinstance(event, agents.ToolRequested):
            inputs[event.call] = json.loads(event.input)
        elif isinstance(event, agents.ToolSettled):
            whole -= {path for path, digest in event.shown if not digest}
            if is_whole(event.name, inputs.get(event.call, {})) and not event.is_error:
                whole.add(inputs[event.call]["path"])
        elif isinstance(event, agents.MessageAdded):
            whole -= {path for path, digest in event.shown if not digest}
    return whole
