"""What a run or a plan does about an endpoint that gives no answer: waits until it can be reached, or asks a person.

Refuses to send anything that is billed to find out, and to begin work that nobody ordered from this process.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from specloom.agent.roles import RoleName
from specloom.domain import commands as c
from specloom.domain.events import runs
from specloom.domain.ids import RunId
from specloom.domain.origin import Origin
from specloom.domain.project import ProjectState
from specloom.domain.runs import PauseCause, RunOutcome, RunState
from specloom.engine.api import Published
from specloom.engine.approvals import Answer, Ask
from specloom.engine.context import EngineContext
from specloom.engine.mailbox import ENGINE
from specloom.llm.errors import KEY_STEP, ProviderError, ProviderFault
from specloom.store.errors import StoreError

log = logging.getLogger(__name__)

AGAIN = "Try again"
STOP = "Stop"
WAITS = (PauseCause.OFFLINE, PauseCause.PROVIDER, PauseCause.KEY)
INCURABLE = frozenset({ProviderFault.INVALID, ProviderFault.TOO_LARGE})
"""The same request would get the same answer."""


LEFT = (PauseCause.INTERRUPTED, PauseCause.OFFLINE)
"""Of these, no person said that the run is to wait."""


def needed(host: str) -> str:
    """Why a run without a key is paused."""
    return f"key needed: {host} needs a key and none is set; {KEY_STEP}"


@dataclass(frozen=True, slots=True)
class ProbePolicy:
    """Seconds between two looks at an endpoint: they double from the first to the longest."""

    first: float = 5.0
    longest: float = 120.0


class OrderBook(Protocol):
    """Keeps outside the workspace which run was ordered here; `store.orders.OrderFile` is one. Blocking."""

    def keep(self, run: RunId) -> None:
        """This run was ordered here. Raises `StoreError`."""
        ...

    def knows(self, run: RunId) -> bool:
        """Whether it was."""
        ...


@dataclass(slots=True)
class EndpointWait:
    """A `gate.EndpointWaiter`: at most one wait, owned by the runtime."""

    engine: EngineContext
    ready: Callable[[], Awaitable[None]]
    """Returns when the run may go on."""
    work: Callable[[], None]
    """Called then: somebody must work on it."""
    probes: ProbePolicy = ProbePolicy()
    orders: OrderBook | None = None
    """What earlier processes were ordered; `None`: nobody knows."""
    _here: RunId | None = field(default=None, init=False)
    """The run that a person ordered in this process: one in the log that it found may be anybody's."""
    _waiting: asyncio.Task[None] | None = field(default=None, init=False)
    _resuming: asyncio.Task[None] | None = field(default=None, init=False)
    """A wait that a key has ended."""

    def cause(self, error: ProviderError) -> PauseCause | None:
        """Why the run is to be paused; `None`: it ends, as nothing cures it or nobody is to be asked."""
        if error.fault is ProviderFault.UNREACHABLE:
            return PauseCause.OFFLINE if self._known(error) else None
        if error.fault is ProviderFault.NO_KEY and not self.engine.desk.unattended:
            return PauseCause.KEY
        asks = not self.engine.desk.unattended and error.fault not in INCURABLE
        return PauseCause.PROVIDER if asks else None

    def _known(self, error: ProviderError) -> bool:
        """Whether somebody ever answered there, so that its address can be right."""
        run = self.engine.state.run
        return error.met or (run is not None and run.turns > 0)

    def begin(self) -> None:
        """The run is paused for its endpoint, now or since an earlier process."""
        if self._cause in WAITS and (self._waiting is None or self._waiting.done()):
            self._waiting = asyncio.create_task(self._kept(self._wait))

    async def _kept(self, wait: Callable[[], Awaitable[None]]) -> None:
        """Where the log takes nothing, tries again: nobody else would."""
        while True:
            try:
                return await wait()
            except StoreError as error:
                log.warning("the run does not go on yet: %s", error)
                await asyncio.sleep(self.probes.longest)

    async def look_for_key(self) -> None:
        """Of a run that an earlier process left at work: says so where there is no key to go on with.

        Not where git wrote files meanwhile: what waits for its key goes on by itself, and a person is to order that.
        """
        role = self.engine.options.roles[self._role()]
        if self._cause in LEFT and not role.key and not self.engine.head.changes:
            run = self.engine.state.run
            assert run is not None
            await self.engine.mailbox.record(runs.RunPaused(run.id, needed(role.host), PauseCause.KEY))

    def keyed(self, fresh: str | None = None) -> None:
        """Settings were loaded: a run that needed a key goes on if there is one now.

        `fresh`: the endpoint for which a person set one, so that a run whose key was refused there is tried again, too.
        """
        wanted = PauseCause.KEY if fresh is None else PauseCause.PROVIDER
        role = self.engine.options.roles[self._role()]
        if self._cause is not wanted or not role.key or fresh not in (None, role.address) or self._unsettled:
            return
        if self._resuming is None or self._resuming.done():
            keyed = partial(self._with_key, wanted, self._waiting)
            self._resuming = self._waiting = asyncio.create_task(self._kept(keyed))

    async def _with_key(self, cause: PauseCause, earlier: asyncio.Task[None] | None) -> None:
        if earlier is not None:
            earlier.cancel()
            await asyncio.gather(earlier, return_exceptions=True)
        run = self.engine.state.run
        if self._cause is cause and run is not None:
            await (self._go_on(cause, ENGINE) if await self._ordered(run.id) else self._ask(cause))
        elif run is not None and run.state is RunState.RUNNING:
            # What was cut off above was about to see to it.
            self.work()

    async def withdraw(self) -> None:
        """Waits no more: the run goes on or ends by another order, or Specloom is closed."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None and waiting is not asyncio.current_task():
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

    async def settled(self) -> None:
        """Returns when nothing is waited for."""
        if self._waiting is not None:
            await asyncio.gather(self._waiting, return_exceptions=True)

    @property
    def _cause(self) -> PauseCause | None:
        run = self.engine.state.run
        return run.cause if run is not None and run.state is RunState.PAUSED else None

    async def _wait(self) -> None:
        cause = self._cause
        run = self.engine.state.run
        if cause is None or run is None:
            return
        if cause is PauseCause.OFFLINE:
            await self.reached(lambda: self._cause is cause)
        if self._cause is not cause:
            return
        if self._curable(cause) and await self._ordered(run.id):
            await self._go_on(cause, ENGINE)
        else:
            await self._ask(cause)

    def _curable(self, cause: PauseCause) -> bool:
        """Whether what the run waited for is there."""
        keyed = self.engine.options.roles[self._role()].key != ""
        return cause is PauseCause.OFFLINE or (cause is PauseCause.KEY and keyed and not self._unsettled)

    @property
    def _unsettled(self) -> bool:
        """Whether settings are wrong, so that nothing is to begin by itself: another endpoint may be meant."""
        refusal = self.engine.options.refusal
        return refusal is not None and refusal.code != "no-key"

    async def order(self, run: RunId) -> None:
        """A person ordered this run here."""
        self._here = run
        if self.orders is None:
            return
        try:
            await asyncio.to_thread(self.orders.keep, run)
        except StoreError:
            # The next process asks, then.
            log.warning("the order of %s could not be kept", run, exc_info=True)

    async def _ordered(self, run: RunId) -> bool:
        return self._here == run or (self.orders is not None and await asyncio.to_thread(self.orders.knows, run))

    async def reached(self, wanted: Callable[[], bool]) -> None:
        """Returns when the endpoint of the session at work answers, or that is not `wanted` any more."""
        pause = self.probes.first
        while wanted():
            await asyncio.sleep(pause)
            if not self._unsettled and await self.engine.options.roles[self._role()].endpoint.reachable():
                return
            pause = min(pause * 2, self.probes.longest)

    def _role(self) -> RoleName:
        """Of the newest session that has not ended."""
        open_sessions = (item for item in self.engine.state.sessions.values() if not item.outcome)
        newest = max(open_sessions, key=lambda item: item.started_at, default=None)
        known = (role for role in self.engine.options.roles if newest is not None and role.value == newest.role)
        return next(known, RoleName.EXECUTOR)

    async def _ask(self, cause: PauseCause) -> None:
        run = self.engine.state.run
        reason = "" if run is None else run.reason
        subject = "the endpoint can be reached again" if cause is PauseCause.OFFLINE else reason
        how = " by itself once there is a key," if cause is PauseCause.KEY else ""
        purpose = f"the run is paused and goes on{how} in the same session; `{STOP}` ends it"
        ask = Ask("question", subject, purpose, None, None, (AGAIN, STOP), covered=False, lasting=True)
        answer = await self._answered(ask, cause)
        if answer is None:
            return
        if answer.by_person and answer.choice == AGAIN:
            await self._go_on(cause, answer.by)
        else:
            told = reason if answer.by_person else f"{reason}; {answer.reason}"
            await self.engine.mailbox.submit(c.FinishRun(RunOutcome.FAULT, told), answer.by)

    async def _answered(self, ask: Ask, cause: PauseCause) -> Answer | None:
        """`None`: the run does not wait for that any more, so that no answer would lead anywhere."""
        other = asyncio.Event()

        def heard(published: Published, state: ProjectState) -> None:
            del published, state
            if self._cause is not cause:
                other.set()

        with self.engine.ledger.listen(heard):
            asking = asyncio.create_task(self.engine.desk.ask(ask))
            waiting = asyncio.create_task(other.wait())
            try:
                await asyncio.wait((asking, waiting), return_when=asyncio.FIRST_COMPLETED)
                return asking.result() if asking.done() else None
            finally:
                asking.cancel()
                waiting.cancel()
                await asyncio.gather(asking, waiting, return_exceptions=True)

    async def _go_on(self, cause: PauseCause, by: Origin) -> None:
        run = self.engine.state.run
        # First: where a key is found on the way, it is that which goes on in place of this.
        self._here = None if run is None else run.id
        await self.ready()
        await self.engine.mailbox.submit(c.ResumeRun(cause), by)
        # What is paused for another reason now has nobody to work on it yet, or somebody who waits.
        if self._cause is None:
            self.work()

    async def about_plan(self, error: ProviderError) -> bool:
        """Whether a plan may ask again. Waits for its endpoint, if that answered before."""
        if error.fault is not ProviderFault.UNREACHABLE or not error.met:
            return False
        await self.engine.desk.tell("warning", f"offline: {error.what}; the plan goes on by itself once it answers")
        await self.reached(lambda: True)
        return True
