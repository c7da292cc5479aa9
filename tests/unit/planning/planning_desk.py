"""What planning needs from above, as plain as it can be: ids that count, a recorder and a journal that keep lists."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any, NoReturn

from specloom.agent.ask import AskPorts, RetryPolicy
from specloom.agent.loop import LoopPorts
from specloom.agent.ports import Halt
from specloom.agent.replay import Replayed
from specloom.agent.session import SessionSetup
from specloom.domain.documents.requirements import parse_requirements
from specloom.domain.documents.specs import parse_spec
from specloom.domain.events import Event
from specloom.domain.events.agents import AgentEvent
from specloom.domain.events.planning import PlanningEvent
from specloom.domain.ids import CallId, PlanId, SessionId, SpecId, TaskId
from specloom.domain.usage import UsageTotal
from specloom.llm.anthropic_model import AnthropicModel
from specloom.llm.errors import ProviderError
from specloom.llm.messages import Usage
from specloom.llm.model import DeltaKind, DeltaSink
from specloom.llm.scripted.server import ScriptedServer
from specloom.planning.planner import Planner
from specloom.planning.ports import Known, PlanningOptions, PlanningPorts, PlanOrder, PlanResult, SpecOrder
from specloom.tools.list_directory import ListDirectory
from specloom.tools.ports import Decision, ReadMemory, ToolContext
from specloom.tools.read_file import ReadFile
from specloom.tools.registry import BoundTools, ToolBox
from specloom.workspace.workspace import Workspace

PLAN = PlanId("plan-1")
MODEL = "scripted-1"


async def unwatched(ports: LoopPorts, replayed: Replayed) -> LoopPorts:
    """Nobody changes what a session of these tests has read."""
    del replayed
    return ports


class CountingIds:
    """`session-1`, `session-2`, …"""

    def __init__(self) -> None:
        self._numbers = count(1)

    def new(self, kind: str) -> str:
        """The next one."""
        return f"{kind}-{next(self._numbers)}"


@dataclass(slots=True)
class Recorded:
    """A recorder that keeps what is committed."""

    events: list[AgentEvent] = field(default_factory=list[AgentEvent])
    log: list[Event] = field(default_factory=list[Event])
    """All that was committed by anybody, in order."""
    _noted: list[AgentEvent] = field(default_factory=list[AgentEvent])

    def note(self, *events: AgentEvent) -> None:
        """Keeps events for the next commit."""
        self._noted.extend(events)

    async def commit(self, *events: AgentEvent) -> None:
        """In order."""
        self.events += [*self._noted, *events]
        self.log += [*self._noted, *events]
        self._noted.clear()


class NoPrice:
    """Counts tokens, knows no price."""

    def total(self, model: str, usage: Usage) -> UsageTotal:
        """Without cost."""
        _ = model
        return UsageTotal(usage.input, usage.output, usage.cache_read, usage.cache_write)


class Unheard:
    """A stream nobody watches."""

    def sink(self, session: SessionId, turn: int) -> DeltaSink:
        """Itself."""
        _ = session, turn
        return self

    def delta(self, block: int, kind: DeltaKind, text: str, name: str = "") -> None:
        """Drops it."""


class NoWait:
    """Does not wait between tries."""

    async def sleep(self, seconds: float) -> None:
        """Returns at once."""
        _ = seconds

    def chunk(self, text: str) -> None:
        """Drops what a command prints."""
        _ = text

    async def may_call(self, wanted: object) -> Decision:
        """All that a planner has reads."""
        _ = wanted
        return Decision(True)

    async def ask(self, question: str, choices: tuple[str, ...]) -> NoReturn:
        """A planner asks nobody."""
        raise AssertionError(f"{question} {choices}")

    async def may_run(self, command: str, purpose: str) -> Decision:
        """Nothing may."""
        return Decision(False, f"{command}: {purpose}")


@dataclass(slots=True)
class OpenGate:
    """Lets turns through until it is told not to."""

    halt: Halt | None = None

    async def before_turn(self, session: SessionId) -> Halt | None:
        """The halt, if there is one."""
        _ = session
        return self.halt

    async def stranded(self, session: SessionId, error: ProviderError) -> bool:
        """Nothing cures an endpoint here."""
        _ = session, error
        return False


class Desk:
    """One project folder and everything that a planner of it needs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files = Workspace.at(root)
        self.recorded = Recorded()
        self.events: list[PlanningEvent] = []
        self.seen: list[tuple[SpecId, str]] = []
        self.gate = OpenGate()
        self.news = asyncio.Event()
        """Set by each event and each piece of a spec."""

    async def journal(self, *events: PlanningEvent) -> None:
        """Keeps events."""
        for event in events:
            self.events.append(event)
            self.recorded.log.append(event)
            self.news.set()

    async def write(self, path: str, text: str) -> None:
        """A file of the project, as its user would write it."""
        await asyncio.to_thread(self._write, self.root / path, text)

    def _write(self, file: Path, text: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="")

    async def read(self, path: str) -> str:
        """A file as it stands on disk."""
        return (await asyncio.to_thread((self.root / path).read_bytes)).decode()

    def known(self, requirements: str, kept: tuple[str, ...] = ()) -> Known:
        """What stands in the folder. Blocking."""
        specs = tuple(
            parse_spec(path.relative_to(self.root).as_posix(), path.read_text(encoding="utf-8"))
            for path in sorted(self.root.glob("specs/*.md"))
        )
        files = tuple(sorted(path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file()))
        document = parse_requirements("requirements.md", requirements)
        return Known(document.requirements, specs, frozenset(map(TaskId, kept)), files=files)

    async def order(self, requirements: str, kept: tuple[str, ...] = (), **rest: Any) -> PlanOrder:
        """An order to plan the text as `requirements.md`."""
        document = parse_requirements("requirements.md", requirements)
        known = await asyncio.to_thread(self.known, requirements, kept)
        return PlanOrder(PLAN, document, requirements, known, **rest)

    async def spec_order(self, requirements: str, spec: str, kept: tuple[str, ...] = (), **rest: Any) -> SpecOrder:
        """An order about one spec."""
        return SpecOrder(PLAN, SpecId(spec), await asyncio.to_thread(self.known, requirements, kept), **rest)

    def planner(self, base_url: str, **options: Any) -> tuple[Planner, AnthropicModel]:
        """A planner whose model answers at `base_url`."""
        model = AnthropicModel(api_key=None, base_url=base_url)
        asking = AskPorts(model, self.recorded, NoPrice(), Unheard(), NoWait(), RetryPolicy(tries=3))
        ports = PlanningPorts(
            asking=asking,
            gate=self.gate,
            files=self.files,
            journal=self.journal,
            ids=CountingIds(),
            toolbox=ToolBox([ReadFile(), ListDirectory()]),
            hands=self._hands,
            keeping=unwatched,
            spec_stream=self._see,
        )
        chosen = PlanningOptions(MODEL, max_tokens=8000, write_interval_s=0.0)
        return Planner(ports, lambda: replace(chosen, **options)), model

    def _see(self, session: SessionId, spec: SpecId, path: str, text: str) -> None:
        _ = session, path
        self.seen.append((spec, text))
        self.news.set()

    def _hands(self, setup: SessionSetup, box: ToolBox) -> BoundTools:
        context = ToolContext(
            files=self.files,
            asker=NoWait(),
            output=NoWait(),
            memory=ReadMemory(),
            agent=setup.agent,
            session=setup.id,
            attempt=None,
            task=None,
            call=CallId(""),
            environment={},
        )
        return box.bound(context)

    async def plan(self, script: Mapping[str, Any], order: PlanOrder, **options: Any) -> PlanResult:
        """Carries out an order with a script that must be used up."""
        return await self._played(script, lambda planner: planner.plan(order), options)

    async def extract(self, script: Mapping[str, Any], order: SpecOrder, **options: Any) -> PlanResult:
        """Derives tasks, as `plan`."""
        return await self._played(script, lambda planner: planner.extract_tasks(order), options)

    async def resume(self, script: Mapping[str, Any], order: SpecOrder, **options: Any) -> PlanResult:
        """Goes on with a spec, as `plan`."""
        return await self._played(script, lambda planner: planner.continue_spec(order), options)

    async def _played(
        self, script: Mapping[str, Any], work: Callable[[Planner], Awaitable[PlanResult]], options: dict[str, Any]
    ) -> PlanResult:
        async with ScriptedServer(script) as server:
            planner, model = self.planner(server.base_url, **options)
            try:
                result = await work(planner)
            finally:
                await model.close()
            server.check()
        return result

    def kinds(self) -> list[str]:
        """The names of the events so far."""
        return [type(event).__name__ for event in self.events]
