"""What clients are told of a hosted project, and what they may say that starts nothing. Refuses orders to work."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from typing import Protocol

from specloom.domain.budgets import Account
from specloom.domain.estimates import Estimate
from specloom.domain.events import agents
from specloom.domain.events.documents import SettingsChanged
from specloom.domain.evidence import Evidence
from specloom.domain.ids import AgentId, ApprovalId, PromptId, TaskId
from specloom.domain.origin import Origin
from specloom.domain.permissions.grants import Grant
from specloom.domain.problem import Problem
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.domain.requirement import RequirementsDocument
from specloom.domain.runs import Scope
from specloom.domain.spec import SpecDefinition
from specloom.engine.api import (
    Accepted,
    Client,
    EventListener,
    Health,
    KeyAnswer,
    KeyOrder,
    OutputChunk,
    OutputListener,
    Published,
)
from specloom.engine.changes import diff_of
from specloom.engine.context import EngineContext
from specloom.engine.endpoints import host_of
from specloom.engine.estimating import estimate_run
from specloom.engine.health import Retries, Signs, health_of
from specloom.engine.lanes import Lane
from specloom.engine.problem_board import ProblemBoard
from specloom.workspace.shielding import to_the_end


class Watching(Protocol):
    """Who follows files."""

    @property
    def trouble(self) -> str:
        """What is wrong and what to do, for people; empty: nothing."""
        ...


class ProjectDesk:
    """The part of `api.Runtime` that no worker is needed for."""

    def __init__(self, engine: EngineContext) -> None:
        self._engine = engine
        self.on_key: Callable[[KeyOrder], Awaitable[KeyAnswer | Rejected]] = _keyless
        """Called with a key that somebody sets; carries out the order."""
        self.on_close: Callable[[], None] = _left
        """Called when the runtime begins to close."""
        self._board = ProblemBoard(engine.library)
        self._retries = Retries()
        self._watching: tuple[Watching, ...] = ()
        self._listening = ExitStack()
        """As long as the ledger lives."""
        self._listening.enter_context(engine.ledger.listen(self._retries.hear))
        self._listening.enter_context(engine.ledger.listen(engine.output.hear))

    @property
    def engine(self) -> EngineContext:
        """The parts, for whoever hosts the runtime."""
        return self._engine

    @property
    def state(self) -> ProjectState:
        """The projection as of now."""
        return self._engine.state

    @property
    def problems(self) -> Mapping[str, tuple[Problem, ...]]:
        """All problems by path."""
        return self._board.problems(self.state)

    def requirements_at(self, path: str) -> RequirementsDocument | None:
        """The requirements document at `path` as last parsed."""
        return self._engine.library.shelf.requirements.get(path)

    def spec_at(self, path: str) -> SpecDefinition | None:
        """The spec at `path` as last parsed."""
        return self._engine.library.shelf.specs.get(path)

    def attach(self, client: Client) -> AbstractContextManager[None]:
        """Registers a client for questions and messages."""
        return self._engine.desk.attached(client)

    def listen(self, listener: EventListener) -> AbstractContextManager[int]:
        """Live events after the yielded sequence number."""
        return self._engine.ledger.listen(listener)

    def watch_output(self, listener: OutputListener) -> AbstractContextManager[None]:
        """The lossy stream."""
        return self._engine.output.watch(listener)

    def watch_problems(self, listener: Callable[[], None]) -> AbstractContextManager[None]:
        """Of settings and documents."""
        return self._board.watch(listener)

    def said_so_far(self) -> tuple[OutputChunk, ...]:
        """What the open blocks have said."""
        return self._engine.output.open.so_far()

    async def events(self, since: int, limit: int) -> tuple[Published, ...]:
        """Committed events after `since`."""
        return await self._engine.ledger.read(since, limit)

    async def answer(
        self, approval: ApprovalId, choice: str, by: Origin, command_id: str | None = None
    ) -> Accepted | Rejected:
        """Answers an open question."""
        known = await self._engine.mailbox.repeated(command_id)
        return known or await self._engine.desk.answer(approval, choice, by, command_id)

    async def grants(self) -> tuple[Grant, ...]:
        """What is granted here for longer than once."""
        return await self._engine.permits.book.refresh()

    async def revoke(self, grant: str, by: Origin, command_id: str | None = None) -> Accepted | Rejected:
        """Takes a grant back; what runs on it already is not stopped."""
        known = await self._engine.mailbox.repeated(command_id)
        if known is not None:
            return known
        found = await self._engine.permits.book.revoke(grant)
        if found is None:
            return Rejected("unknown-grant", f"There is no grant {grant!r}; `specloom approve` lists them")
        revoked = agents.GrantRevoked(found.id, found.kind.value, found.text, found.scope)
        await self._engine.mailbox.start(revoked, by, command_id)
        return Accepted(self.state.seq, grant)

    @property
    def queues(self) -> Mapping[str, int]:
        """What waits for its turn: orders of people, the engine's own facts, readings of the log."""
        orders, readings = self._engine.mailbox.lanes, self._engine.ledger.lanes
        return {
            "orders": orders.waiting(Lane.INTERACTIVE),
            "work": orders.waiting(Lane.WORK),
            "readings": readings.waiting(Lane.WORK),
        }

    def health(self, lag_s: float) -> Health:
        """How it does."""
        engine = self._engine
        refusal = engine.options.refusal
        signs = Signs(
            fault=engine.ledger.fault,
            refusal="" if refusal is None else refusal.message,
            retrying=self._retries.told,
            stuck_s=engine.mailbox.lanes.stuck_s(),
            unwatched=next((item.trouble for item in self._watching if item.trouble), ""),
            lag_s=lag_s,
        )
        return health_of(self.state, signs, self.queues)

    async def diff(self, task: TaskId) -> str:
        """The unified diffs of a task's attempts, oldest first."""
        return await diff_of(self._engine, task)

    def evidence(self, task: TaskId) -> tuple[Evidence, ...]:
        """What proves the task."""
        return self.state.record(task).evidence

    def host_of(self, role: str) -> str:
        """Where a role's model is asked; empty for a role that does not exist."""
        return host_of(self._engine.options, role)

    async def set_key(self, order: KeyOrder, by: Origin, command_id: str | None = None) -> KeyAnswer | Rejected:
        """Takes a key; who set one, and for which endpoint, stands in the log."""
        known = await self._engine.mailbox.repeated(command_id)
        if isinstance(known, Rejected):
            return known
        answer = await self.on_key(order if known is None else replace(order, key=None))
        if isinstance(answer, Rejected):
            return answer
        if known is None:
            fact = SettingsChanged((f"key for {answer.endpoint}",))
            known = await to_the_end(self._engine.mailbox.start(fact, by, command_id))
        return replace(answer, seq=self.state.seq, repeated=known is not None)

    def estimate(self, scope: Scope) -> Estimate | Rejected:
        """What a run of the scope will probably take."""
        return estimate_run(self._engine.options, self.state, scope)

    async def prompt(self, agent: AgentId, text: str, by: Origin, command_id: str | None = None) -> Accepted | Rejected:
        """Says something to an agent, verbatim, at its next turn boundary."""
        return await self._engine.inbox.put(agent, self._engine.options.redact(text), by, command_id)

    async def withdraw_prompt(self, prompt: PromptId, by: Origin, command_id: str | None = None) -> Accepted | Rejected:
        """Takes back what was not delivered yet."""
        return await self._engine.inbox.withdraw(prompt, by, command_id)

    @property
    def today(self) -> Account:
        """The limits of a day, and what this one has used of them."""
        return self._engine.accounts.today(self.state)


async def _keyless(_: KeyOrder) -> KeyAnswer | Rejected:
    """Nobody holds keys."""
    return Rejected("no-credentials", "This process takes no keys; set ANTHROPIC_API_KEY in its environment")


def _left() -> None:
    """Nobody follows."""
