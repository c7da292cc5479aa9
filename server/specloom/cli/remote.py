"""A root that the user's daemon hosts, as commands see one: the log on this machine, and a connection for orders.

Refuses to believe the connection about what happened: it only says when to look, so nothing is missed when it breaks.
"""

import asyncio
import contextlib
import uuid
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from types import MappingProxyType
from typing import Any, Literal, cast

from specloom.cli.failures import CommandError, begun_small
from specloom.cli.link import Link, LinkLostError
from specloom.cli.ports import Place, Reader
from specloom.cli.queue import Queue
from specloom.domain.evolve import EMPTY, evolve
from specloom.domain.ids import AgentId, ApprovalId, SessionId
from specloom.domain.origin import Origin
from specloom.domain.permissions.rules import Profile
from specloom.domain.problem import Problem
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, Scope
from specloom.engine.api import Accepted, Client, EventListener, OutputChunk, OutputListener
from specloom.engine.listeners import Listeners
from specloom.engine.working import at_work
from specloom.store.errors import StoreMissingError

PAGE = 500
LOOK = 1.0
"""Seconds after which the log is looked at though nobody said that there is something new."""
FIRST_RETRY, LAST_RETRY = 0.2, 3.0
"""Seconds between tries to find a daemon again."""
GOES_ON = "detached; the run goes on: `specloom attach` shows it again, `specloom run --pause` pauses it"
LOG_DEADLINE = 20.0
"""Seconds in which what was committed is found in the log."""
LOOK_AGAIN = 0.05
BACK_DEADLINE = 45.0
"""Seconds that an order waits for a daemon that comes back."""
MOST_EARLY = 500
"""Pieces of output that wait until somebody here watches; the newest."""


class RemoteRuntime:
    """Implements `engine.api.Orders`; made by `joined`."""

    def __init__(self, place: Place, ordered: Mapping[str, str]) -> None:
        self.root = place.root
        self.state: ProjectState = EMPTY
        """The projection as of the last event that listeners heard."""
        self._note: Callable[[str], None] = _silent
        self._place = place
        self._ordered = dict(ordered)
        self._reader: Reader | None = None
        self._link: Link | None = None
        self._linked = asyncio.Event()
        self.refusal = ""
        """Why the daemon does not host the root; empty: it does."""
        self._stack = AsyncExitStack()
        self._wake = asyncio.Event()
        self._moved = asyncio.Event()
        self._reading = asyncio.Lock()
        self._told = ""
        self._asking: set[asyncio.Task[None]] = set()
        self._listeners = Listeners[EventListener]()
        self._watchers = Listeners[OutputListener]()
        self._early: deque[OutputChunk] | None = deque(maxlen=MOST_EARLY)
        """What was told before anybody here watched: what is being said since before that, first."""

    @property
    def problems(self) -> Mapping[str, tuple[Problem, ...]]:
        """Those of the specs, by path, as the log has them."""
        found: dict[str, tuple[Problem, ...]] = {}
        specs = self.state.plan.specs
        for problem in (*(item for path in specs for item in specs[path].problems), *self.state.plan.problems):
            found[problem.path] = (*found.get(problem.path, ()), problem)
        return found

    @contextmanager
    def listen(self, listener: EventListener) -> Generator[int]:
        """Each event after the yielded sequence number, while the context is open."""
        with self._listeners.present(listener):
            yield self.state.seq

    @contextmanager
    def watch_output(self, listener: OutputListener) -> Generator[None]:
        """The lossy stream while the context is open."""
        early, self._early = self._early or (), None
        for chunk in early:
            listener(chunk)
        with self._watchers.present(listener):
            yield

    @contextmanager
    def attach(self, client: Client) -> Generator[None]:
        """Puts the questions of the queue to this client while the context is open."""
        asking = asyncio.create_task(Queue(self, client).serve(), name="questions")
        self._asking.add(asking)
        try:
            yield
        finally:
            asking.cancel()

    def notes(self, listener: Callable[[str], None]) -> None:
        """`listener` hears from now on what a person should know of the connection, and messages of the daemon."""
        self._note = listener
        if self._told:
            listener(self._told)

    def say(self, text: str) -> None:
        """Tells the person, whoever shows it by then."""
        self._note(text)

    async def moved(self) -> None:
        """Returns after the next event."""
        await self._moved.wait()

    def host_of(self, role: str) -> str:
        """The daemon knows where its models are; nobody tells."""
        del role
        return ""

    async def plan(
        self, path: str | None, feedback: str, by: Origin, command_id: str | None = None, *, unattended: bool = False
    ) -> Accepted | Rejected:
        """Starts a plan."""
        del by
        uri = None if path is None else (self.root / path).as_uri()
        params = {"uri": uri, "feedback": feedback, "unattended": unattended, **self._ordered}
        return await self._order("specloom/spec/generate", params, command_id, "planId")

    async def cancel_plan(self, by: Origin, command_id: str | None = None) -> Accepted | Rejected:
        """Stops the plan that is running."""
        del by
        return await self._order("specloom/spec/cancel", {}, command_id)

    async def start_run(
        self,
        scope: Scope,
        budget: Budget,
        by: Origin,
        command_id: str | None = None,
        *,
        unattended: bool = False,
        profile: Profile | None = None,
    ) -> Accepted | Rejected:
        """Starts a run."""
        del by
        params = {**_run_params(scope, budget, unattended=unattended, profile=profile), **self._ordered}
        return await self._order("specloom/run/start", params, command_id, "runId")

    async def resume(
        self, by: Origin, command_id: str | None = None, *, unattended: bool = False, profile: Profile | None = None
    ) -> Accepted | Rejected:
        """Goes on with a paused run."""
        del by
        params = {"unattended": unattended, "profile": None if profile is None else profile.value, **self._ordered}
        return await self._order("specloom/run/resume", params, command_id)

    async def pause(
        self, by: Origin, command_id: str | None = None, *, at_once: bool = False, after_task: bool = False
    ) -> Accepted | Rejected:
        """Pauses the run."""
        del by
        when: Literal["now", "afterTurn", "afterTask"] = "afterTask" if after_task else "afterTurn"
        return await self._order("specloom/run/pause", {"when": "now" if at_once else when}, command_id)

    async def cancel(self, by: Origin, command_id: str | None = None) -> Accepted | Rejected:
        """Cancels the run."""
        del by
        return await self._order("specloom/run/cancel", {}, command_id)

    async def prompt(self, agent: AgentId, text: str, by: Origin, command_id: str | None = None) -> Accepted | Rejected:
        """Says something to an agent, word for word, at its next turn boundary."""
        del by
        return await self._order("specloom/agent/prompt", {"agentId": agent, "text": text}, command_id, "promptId")

    async def answer(self, approval: ApprovalId, choice: str, by: Origin) -> Accepted | Rejected:
        """Answers an open question."""
        del by
        return await self._order("specloom/approval/answer", {"approvalId": approval, "choice": choice}, None)

    async def wait_idle(self) -> None:
        """Returns when neither a plan nor a run is going on."""
        while at_work(self.state):
            await self.moved()

    async def close(self) -> None:
        """Ends the connection; what goes on in the daemon is not touched."""
        self._link = None
        await asyncio.gather(*self._asking, return_exceptions=True)
        await self._stack.aclose()

    async def _order(
        self, method: str, params: Mapping[str, Any], command_id: str | None, named: str = ""
    ) -> Accepted | Rejected:
        # The same id when it is sent once more: whether the first one arrived is not known.
        whole = {**params, "commandId": command_id or f"cli-{uuid.uuid4()}"}
        answer = _taken(await self._ask(method, whole), named)
        if isinstance(answer, Accepted):
            await self._heard_up_to(answer.seq)
        return answer

    async def _heard_up_to(self, seq: int) -> None:
        """Raises `CommandError` where the log here does not get there: it is not the one that the daemon writes."""
        try:
            async with asyncio.timeout(LOG_DEADLINE):
                while self.state.seq < seq:
                    before = self.state.seq
                    await self.catch_up()
                    if self.state.seq == before:
                        await asyncio.sleep(LOOK_AGAIN)
        except TimeoutError as error:
            raise CommandError(
                f"the order was taken (event {seq}), and the log here ends at event {self.state.seq}; "
                "see `specloom doctor` for where it is looked for"
            ) from error

    async def _ask(self, method: str, params: Mapping[str, Any]) -> Any:
        """The result or `Rejected`; once more where the connection broke."""
        for _ in range(2):
            link = await self._present_link()
            try:
                return await link.ask(method, params)
            except LinkLostError:
                if self._link is link:
                    self._linked.clear()
            except TimeoutError as error:
                # It may still carry the order out.
                raise CommandError(str(error)) from error
        raise CommandError("the daemon ended before it answered; see `specloom status`, then try again")

    async def _present_link(self) -> Link:
        try:
            async with asyncio.timeout(BACK_DEADLINE):
                await self._linked.wait()
        except TimeoutError as error:
            raise CommandError("there is no daemon to take this order; `specloom run` goes on here") from error
        assert self._link is not None
        return self._link

    async def connect(self, *, start: bool) -> None:
        """Connects, and subscribes where the daemon hosts the root. Raises `LinkLostError`, `TimeoutError`."""
        await self._stack.aclose()
        connecting = self._place.composition.connect_daemon(self.root, self._place.environment, start=start)
        self._link = await self._stack.enter_async_context(connecting)
        self._link.hear(self._heard)
        self._linked.set()
        await self._subscribe(self._link)

    async def read(self, reader: Reader) -> None:
        """What happened is told from this log, and nothing that happened before now."""
        self._reader, self.state = reader, await reader.refresh()

    async def _subscribe(self, link: Link) -> None:
        answer = await link.ask("specloom/events/subscribe", {"output": True, "health": True})
        self.refusal = begun_small(answer.message) if isinstance(answer, Rejected) else ""
        if self.refusal:
            # Another process may host the root: the log tells what that does, and it may end.
            self._tell(self.refusal)
        self._wake.set()

    def _tell(self, message: str) -> None:
        """Once."""
        if message != self._told:
            self._told = message
            self._note(message)

    def _heard(self, method: str, params: Any) -> None:
        if method == "specloom/output":
            chunk = _chunk(params)
            if self._early is not None:
                self._early.append(chunk)
            for watcher in self._watchers:
                watcher(chunk)
        elif method == "window/showMessage":
            self._tell(begun_small(str(params["message"]).removeprefix("Specloom: ")))
        elif method == "specloom/health":
            # A log that takes nothing is in no event.
            if params["status"] == "error":
                self._tell(begun_small(str(params["message"])))
        elif method.startswith("specloom/"):
            self._wake.set()

    async def follow(self) -> None:
        """Tells the listeners what was committed, until it is cancelled. Raises what the log raises."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await self._wake.wait()
            self._wake.clear()
            await self.catch_up()

    async def catch_up(self) -> None:
        """Tells what was committed by now."""
        async with self._reading:
            more = self._reader is not None
            while more:
                assert self._reader is not None
                page = await self._reader.events(self.state.seq, PAGE)
                for published in page:
                    self.state = evolve(self.state, published.event, published.at, published.seq)
                    for listener in self._listeners:
                        listener(published, self.state)
                if page:
                    self._moved.set()
                    self._moved = asyncio.Event()
                more = len(page) == PAGE

    async def keep(self) -> None:
        """Comes back to the daemon when the connection ends, until it is cancelled."""
        while True:
            if (link := self._link) is not None:
                await self._until_ended(link)
            self._linked.clear()
            await self.catch_up()
            going = bool(at_work(self.state))
            self._tell("the daemon is gone; " + ("starting it again" if going else "waiting for another"))
            await self._again(start=going)
            self._tell("attached again")

    async def _until_ended(self, link: Link) -> None:
        """Subscribes meanwhile, if another process kept the root from being hosted."""
        while not link.ended.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_RETRY if self.refusal else None):
                    await link.ended.wait()
            if not link.ended.is_set():
                with contextlib.suppress(LinkLostError, TimeoutError):
                    await self._subscribe(link)

    async def _again(self, *, start: bool) -> None:
        pause = FIRST_RETRY
        while True:
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LAST_RETRY)
            try:
                return await self.connect(start=start)
            except (LinkLostError, TimeoutError) as error:
                if start:
                    self._tell(str(error))


def _run_params(scope: Scope, budget: Budget, *, unattended: bool, profile: Profile | None) -> dict[str, Any]:
    """The parameters of `specloom/run/start`."""
    return {
        "scope": {"kind": "project"} if scope.kind == "project" else {"kind": scope.kind, "id": scope.id},
        "budget": {"usd": budget.usd, "tokens": budget.tokens, "turns": budget.turns, "minutes": budget.minutes},
        "unattended": unattended,
        "profile": None if profile is None else profile.value,
    }


def leaving(state: ProjectState) -> str:
    """What is said to who leaves."""
    plan = state.planning
    if plan is not None and plan.state == "running":
        return "detached; the plan goes on: `specloom attach` shows it again"
    return GOES_ON if at_work(state) else "detached; nothing is running"


def _taken(answer: Any, named: str = "") -> Accepted | Rejected:
    if isinstance(answer, Rejected):
        return answer
    told = cast("Mapping[str, Any]", answer)
    return Accepted(int(told["seq"]), str(told.get(named, "")), bool(told.get("repeated")))


def _chunk(params: Any) -> OutputChunk:
    told = cast("Mapping[str, Any]", params)
    session, dropped = SessionId(told["sessionId"]), int(told.get("dropped", 0))
    from_start = bool(told.get("fromStart", False))
    return OutputChunk(session, told["block"], told["kind"], told["text"], told["name"], dropped, from_start)


def _silent(_: str) -> None:
    """Nobody is told."""


@asynccontextmanager
async def joined(
    place: Place, *, start: bool, ordered: Mapping[str, str] = MappingProxyType({})
) -> AsyncGenerator[RemoteRuntime]:
    """The root as the daemon hosts it, while the context is open. Raises `CommandError`, and what opening a log raises.

    `ordered`: what the orders that are given here set for themselves, by wire name. A log that cannot be read any more
    ends the work in the context with that error.
    """
    runtime = RemoteRuntime(place, ordered)
    try:
        await runtime.connect(start=start)
        # The daemon has made the log, if there was none.
        reader = await place.composition.open_reader(place.root, place.environment)
        await runtime.read(reader)
    except Exception as error:
        await runtime.close()
        if isinstance(error, StoreMissingError) and runtime.refusal:
            raise CommandError(runtime.refusal) from error
        if isinstance(error, LinkLostError | TimeoutError):
            raise CommandError(str(error)) from error
        raise
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(runtime.follow(), name="log"), group.create_task(runtime.keep(), name="daemon")]
            try:
                yield runtime
            finally:
                for task in tasks:
                    task.cancel()
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
    finally:
        await runtime.close()
        await reader.close()
