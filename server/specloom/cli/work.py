"""Carries out plans and runs in this process, shows them, and stops them in order. Refuses to print results."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field

from specloom.cli.failures import CommandError, KilledError, refuse
from specloom.cli.interrupts import Interrupts
from specloom.cli.output import Output
from specloom.cli.ports import Place
from specloom.cli.remote import RemoteRuntime, joined, leaving
from specloom.cli.requirements import why_nothing
from specloom.cli.terminal_client import TerminalClient, is_interactive
from specloom.cli.views.event_lines import scope_name
from specloom.cli.views.summary import Spent, Worked
from specloom.cli.views.view import LEAVES, WAY_OUT, JsonView, LineView, View
from specloom.domain.events.runs import RunEvent
from specloom.domain.origin import Origin
from specloom.domain.permissions.rules import Profile
from specloom.domain.problem import Problem
from specloom.domain.project import ProjectState, RunRecord
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, PauseCause, RunState, Scope
from specloom.engine.api import Accepted, Orders, OutputChunk, Published
from specloom.engine.waiting import ModelWatch

PAUSING = "pausing: what is in flight ends first; Ctrl-C again ends it now"
STOPPING = "pausing: the model has not begun to answer, so it is asked again later; Ctrl-C again ends it now"
LOOK_S = 0.2
"""Between looks at what is in flight while a run is pausing."""
GOES_ON = (PauseCause.BUDGET, PauseCause.OFFLINE, PauseCause.PROVIDER, PauseCause.KEY)
"""Pauses that end by themselves, or by an answer that may be given here."""
SILENCE_S = 1.0
"""Between looks at whether the model says anything."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the options say about working at all."""

    overrides: Mapping[str, object] = field(default_factory=dict[str, object])
    unattended: bool = False
    heading: str = ""
    profile: Profile | None = None
    """What agents may do where no rule says otherwise; `None`: as set."""
    joins: bool = False
    """Where the daemon hosts the root, the order goes to it."""
    ordered: Mapping[str, str] = field(default_factory=dict[str, str])
    """Those of the overrides that such an order may have, by wire name."""


@dataclass(slots=True)
class Work:
    """A runtime with somebody watching."""

    runtime: Orders
    view: View
    output: Output
    interrupts: Interrupts
    unattended: bool
    origin: Origin
    started: float
    models: ModelWatch
    profile: Profile | None = None
    worked: Worked = field(default_factory=Worked)
    scope: Scope = field(default_factory=Scope)
    wall_s: float = 0.0
    problems: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict[str, tuple[Problem, ...]])
    asks: bool = True
    """Somebody is here who can be asked."""
    detached: bool = False
    """The person has left, and what was ordered goes on."""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def elsewhere(self) -> bool:
        """Whether the daemon does the work: leaving stops nothing."""
        return isinstance(self.runtime, RemoteRuntime)

    @property
    def state(self) -> ProjectState:
        """The projection as of now, also once the runtime is closed."""
        return self.runtime.state

    @property
    def spent(self) -> Spent:
        """What the plan and the run came to."""
        return self.worked.spent(self.state)

    @property
    def stopped(self) -> bool:
        """Somebody wants an end, or nobody reads."""
        return self.interrupts.first.is_set() or self.output.closed.is_set()

    def hear(self, published: Published, state: ProjectState) -> None:
        """Counts and shows."""
        self.worked.hear(published)
        self.models.hear(published, state)
        self.view.hear(published, state)
        if isinstance(published.event, RunEvent) and not _may_go_on(state.run):
            self._changed.set()

    def hear_output(self, chunk: OutputChunk) -> None:
        """Shows a piece of the stream."""
        self.models.hear_output(chunk)
        self.view.hear_output(chunk)

    async def plan(self, path: str | None, feedback: str) -> None:
        """Plans until the plan has ended. Raises `CommandError` when it may not start."""
        answer = await self.runtime.plan(path, feedback, self.origin, unattended=self.unattended)
        if isinstance(answer, Rejected) and answer.code == "no-requirements":
            raise CommandError(why_nothing(self.runtime.problems, self.runtime.root, path))
        _check(answer)
        await self._until_idle(self._cancel_plan)

    async def run(self, scope: Scope, budget: Budget, *, stated: bool) -> None:
        """Works until the run has ended or pauses. A run that an earlier process left goes on if it means the same."""
        left = self.state.run
        if left is not None and left.active and left.state is not RunState.PAUSED and self.elsewhere:
            return await self._look_on(left, scope if stated else left.scope)
        if left is not None and left.active:
            same = left.state is not RunState.CANCELLING and (not stated or left.scope == scope) and budget == Budget()
            if same:
                return await self._go_on(left.scope)
            if left.state is not RunState.PAUSED or left.cause is not PauseCause.BUDGET:
                self.view.note(f"giving up the run of {scope_name(left.scope)} that was left {left.state}")
                await self.runtime.cancel(self.origin)
                await self.runtime.wait_idle()
        self._focus(scope)
        order = self.runtime.start_run(scope, budget, self.origin, unattended=self.unattended, profile=self.profile)
        _check(await order)
        return await self._until_idle(self._pause)

    async def _look_on(self, going: RunRecord, wanted: Scope) -> None:
        """Somebody else's run is never given up for an order of ours."""
        if going.scope != wanted or going.state is RunState.CANCELLING:
            raise CommandError(
                f"the run of {scope_name(going.scope)} is {going.state} in the daemon; `specloom attach` shows it, "
                "`specloom run --cancel` ends it"
            )
        self.view.note(f"the run of {scope_name(going.scope)} goes on in the daemon")
        self.worked.join(self.state)
        self._focus(going.scope)
        await self._until_idle(self._pause)

    async def _go_on(self, scope: Scope) -> None:
        self.view.note(f"going on with the run of {scope_name(scope)} that an earlier process left")
        self._focus(scope)
        _check(await self.runtime.resume(self.origin, unattended=self.unattended, profile=self.profile))
        await self._until_idle(self._pause)

    def _leave(self) -> None:
        self.detached = True
        self._say(leaving(self.state))

    async def _cancel_plan(self, _: "asyncio.Task[None]") -> None:
        self._say("stopping the plan; Ctrl-C again ends it now")
        await self.runtime.cancel_plan(self.origin)

    async def _pause(self, idle: "asyncio.Task[None]") -> None:
        """Lets an answer that comes in and a command that runs end; does not wait for an answer that has not begun."""
        self._say(STOPPING if self.models.unanswered else PAUSING)
        await self.runtime.pause(self.origin)
        while not idle.done():
            if self.models.unanswered:
                await self.runtime.pause(self.origin, at_once=True)
                return
            await asyncio.wait({idle}, timeout=LOOK_S)

    def _say(self, text: str) -> None:
        if not self.output.closed.is_set():
            self.view.note(text)

    def _focus(self, scope: Scope) -> None:
        self.scope = scope
        self.view.focus(scope)

    async def _until_idle(self, stop: Callable[["asyncio.Task[None]"], Awaitable[None]]) -> None:
        idle = asyncio.create_task(self._idle())
        telling = asyncio.create_task(self._tell_silence())
        wishes = [asyncio.create_task(event.wait()) for event in (self.interrupts.first, self.output.closed)]
        try:
            await asyncio.wait({idle, *wishes}, return_when=asyncio.FIRST_COMPLETED)
            if not idle.done() and self.elsewhere:
                return self._leave()
            if not idle.done():
                # A refusal of the order means that it ended by itself meanwhile.
                await stop(idle)
            await idle
        finally:
            for task in (idle, telling, *wishes):
                task.cancel()

    async def _idle(self) -> None:
        """Returns when nothing goes on, and nobody here is asked whether it shall go on."""
        while True:
            self._changed.clear()
            await self.runtime.wait_idle()
            run = self.state.run
            # In the daemon the question stays, for whoever comes; a script must not wait for that.
            nobody = run is not None and run.cause is PauseCause.BUDGET and self.elsewhere and not self.asks
            if nobody or not _may_go_on(run):
                return
            await self._changed.wait()

    async def _tell_silence(self) -> None:
        """An endpoint that says nothing for long must not look like a command that hangs."""
        while not self.stopped:
            await asyncio.sleep(SILENCE_S)
            silence = self.models.silence()
            if silence is None:
                self.view.waiting("", 0)
            else:
                self.view.waiting(silence.told(self.runtime.host_of(silence.role)), silence.seconds)
        self.view.waiting("", 0)


def _may_go_on(run: RunRecord | None) -> bool:
    return run is not None and run.state is RunState.PAUSED and run.cause in GOES_ON


def _check(answer: Accepted | Rejected) -> None:
    if isinstance(answer, Rejected):
        refuse(answer)


async def perform(place: Place, output: Output, order: Order, job: Callable[[Work], Awaitable[None]]) -> Work:
    """Opens the root, does the job, settles, closes. A second interrupt raises `KilledError`."""
    interrupts = Interrupts()
    with interrupts.caught():
        doing = asyncio.create_task(_perform(place, output, order, interrupts, job))
        killed = asyncio.create_task(interrupts.second.wait())
        try:
            await asyncio.wait({doing, killed}, return_when=asyncio.FIRST_COMPLETED)
            if doing.done():
                return doing.result()
            doing.cancel()
            await asyncio.wait({doing})
            raise KilledError
        finally:
            killed.cancel()


async def _perform(
    place: Place, output: Output, order: Order, interrupts: Interrupts, job: Callable[[Work], Awaitable[None]]
) -> Work:
    now = asyncio.get_running_loop().time
    started = now()
    async with _opened(place, order) as runtime:
        far = isinstance(runtime, RemoteRuntime)
        view = _view(output, runtime.state, order.heading, LEAVES if far else WAY_OUT)
        can_ask = not output.as_json and is_interactive()
        client = TerminalClient(view, interrupts.first, can_ask=can_ask, leaves=far)
        if isinstance(runtime, RemoteRuntime):
            runtime.notes(view.note)
        origin = Origin("user", client=client.id)
        work = Work(
            runtime, view, output, interrupts, order.unattended, origin, started, ModelWatch(now), order.profile
        )
        work.asks = can_ask
        with ExitStack() as stack:
            stack.enter_context(runtime.attach(client))
            stack.enter_context(runtime.listen(work.hear))
            stack.enter_context(runtime.watch_output(work.hear_output))
            stack.enter_context(view.running())
            await job(work)
            work.problems = dict(runtime.problems)
    work.wall_s = now() - started
    return work


@asynccontextmanager
async def _opened(place: Place, order: Order) -> AsyncGenerator[Orders]:
    if order.joins and await place.composition.is_hosted(place.root, place.environment):
        async with joined(place, start=False, ordered=order.ordered) as joint:
            yield joint
        return
    runtime = await place.composition.open_runtime(
        place.root,
        environment=place.environment,
        overrides=order.overrides,
        grant_proposals=order.unattended,
        holder=order.heading or "specloom",
    )
    try:
        yield runtime
    except asyncio.CancelledError:
        # Killed: nothing is settled, the log says what was in flight.
        raise
    except BaseException:
        await runtime.close()
        raise
    await runtime.close()


def _view(output: Output, state: ProjectState, heading: str, way_out: str) -> View:
    if output.as_json:
        return JsonView(output, way_out=way_out)
    if not output.is_terminal:
        return LineView(output, way_out=way_out)
    from rich.console import Console

    from specloom.cli.views.live import LiveView

    return LiveView(Console(file=output.stdout), state, asyncio.get_running_loop().time, heading, way_out=way_out)
