"""The one queue of questions to people. Refuses silence: without an answer in time it is no, with the reason."""

import asyncio
import logging
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from specloom.domain.events import agents
from specloom.domain.ids import AgentId, ApprovalId, TaskId
from specloom.domain.origin import Origin
from specloom.domain.ports import Ids
from specloom.domain.rejection import Rejected
from specloom.engine.api import Accepted, Client, Question
from specloom.engine.ledger import PROJECT, Ledger
from specloom.engine.mailbox import ENGINE

log = logging.getLogger(__name__)

TELL_DEADLINE = 5.0
"""Seconds that a client gets to take a message; it is told to people, and nothing waits for it."""
SETTLE_DEADLINE = 5.0
"""Seconds that an answer waits until it is in the log."""
YES = "--yes"
"""The rule under which an unattended run allows once."""


NOBODY = "no client"
PERSON = agents.PERSON


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked, and for whom."""

    kind: Literal["command", "proposal", "question", "budget"]
    subject: str
    purpose: str
    agent: AgentId | None = None
    task: TaskId | None = None
    choices: tuple[str, ...] = ("Allow once", "Deny")
    covered: bool = True
    """Whether `--yes` may answer it."""
    lasting: bool = False
    """No deadline ends it."""

    @property
    def no(self) -> str:
        """What stands where nobody answers."""
        return "" if self.kind == "question" else self.choices[-1]

    def allows(self, answer: "Answer") -> bool:
        """Whether an answer is a yes; to a question of the agent's own, whether there is one."""
        return answer.by_person if self.kind == "question" else answer.choice in self.choices[:-1]


@dataclass(frozen=True, slots=True)
class Answer:
    """A choice and the rule by which it was made."""

    choice: str
    rule: str
    by: Origin = ENGINE
    reason: str = ""
    command_id: str | None = None
    """Of the order that it came with."""

    @property
    def by_person(self) -> bool:
        """Whether somebody said so, and no rule in his place."""
        return self.rule == PERSON


@dataclass(slots=True)
class _Open:
    """A question that waits, and the clients at which nobody can answer it."""

    question: Question
    ask: Ask
    future: asyncio.Future[Answer]
    mute: list[Client] = field(default_factory=list[Client])
    prompts: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when its end is in the log."""


class ApprovalDesk:
    """Asks all attached clients at once, and who attaches while it waits; the first answer counts, wherever it is from.

    Where nobody is attached, a question of an attended run waits until its deadline; an order with `--yes` said that
    nobody will come.
    """

    def __init__(self, ledger: Ledger, ids: Ids, deadline: float) -> None:
        self._ledger = ledger
        self._ids = ids
        self.deadline = deadline
        """Seconds for the questions to come."""
        self._clients: list[Client] = []
        self._waiting: dict[ApprovalId, _Open] = {}
        self._given: dict[str, _Open] = {}
        """Questions whose answer is on its way into the log, by the id of the order that it came with."""
        self._greeted: list[asyncio.Task[None]] = []
        self.greeting = ""
        """What each client is told when it comes, as a warning; empty: nothing."""
        self.unattended = False
        """The present order said `--yes`; never taken from the log, which comes with the repository."""

    @contextmanager
    def attached(self, client: Client) -> Generator[None]:
        """Questions go to this client too while the context is open; one by two names of the root is asked once."""
        is_new = all(known.id != client.id for known in self._clients)
        self._clients.append(client)
        if is_new and self.greeting:
            self._greeted.append(asyncio.create_task(self._told(client, "warning", self.greeting)))
        for waiting in self._waiting.values():
            # Who comes to give an order of its own, as a command does, answers by that.
            if is_new and not client.final:
                waiting.prompts.append(asyncio.create_task(self._prompt(client, waiting)))
        try:
            yield
        finally:
            self._clients.remove(client)
            for waiting in self._waiting.values():
                self._give_up(waiting)

    async def tell(self, level: Literal["info", "warning", "error"], message: str) -> None:
        """Shows a message in every attached client."""
        await asyncio.gather(*(self._told(client, level, message) for client in self._each()))

    def _each(self) -> tuple[Client, ...]:
        return tuple({client.id: client for client in reversed(self._clients)}.values())

    async def _told(self, client: Client, level: Literal["info", "warning", "error"], message: str) -> None:
        try:
            async with asyncio.timeout(TELL_DEADLINE):
                await client.tell(level, message)
        except Exception:  # a client that is gone or stuck must not stop the work
            log.warning("client %s could not be told: %s", client.id, message, exc_info=True)

    async def ask(self, ask: Ask) -> Answer:
        """Records the question, waits for an answer or the deadline, records the answer."""
        approval = ApprovalId(self._ids.new("approval"))
        asked = agents.ApprovalAsked(approval, ask.kind, ask.subject, ask.purpose, ask.agent, ask.task, ask.choices)
        question = Question(approval, ask.kind, ask.subject, ask.purpose, ask.choices)
        # Before anybody hears of the question: who hears of it may answer at once.
        waiting = self._waiting[approval] = _Open(question, ask, asyncio.get_running_loop().create_future())
        try:
            return await self._asked(asked, waiting)
        finally:
            waiting.settled.set()

    async def _asked(self, asked: agents.ApprovalAsked, waiting: _Open) -> Answer:
        approval, ask = asked.approval, waiting.ask
        try:
            await self._ledger.append(PROJECT, [asked], ENGINE)
            answer = await self._decide(waiting)
        except asyncio.CancelledError:
            await self._settle(approval, ask, Answer("", "cancelled", reason="the run was cancelled"))
            raise
        finally:
            del self._waiting[approval]
        await self._settle(approval, ask, answer)
        return answer

    async def _settle(self, approval: ApprovalId, ask: Ask, answer: Answer) -> None:
        settled = agents.ApprovalAnswered(approval, ask.allows(answer), answer.rule, answer.reason or answer.choice)
        await self._ledger.append(PROJECT, [settled], answer.by, command_id=answer.command_id)

    async def _decide(self, waiting: _Open) -> Answer:
        ask, deadline = waiting.ask, self.deadline
        if self.unattended and ask.covered and ask.kind != "question":
            return Answer(ask.choices[0], YES)
        if self.unattended and not self._clients and not ask.lasting:
            return Answer(ask.no, NOBODY, reason="nobody is attached who could answer")
        waiting.prompts += [asyncio.create_task(self._prompt(client, waiting)) for client in self._each()]
        try:
            async with asyncio.timeout(None if ask.lasting else deadline):
                return await waiting.future
        except TimeoutError:
            reason = f"nobody answered within {deadline:g} seconds"
            return Answer(ask.no, "deadline", reason=reason)
        finally:
            for prompt in waiting.prompts:
                prompt.cancel()
            await asyncio.gather(*waiting.prompts, return_exceptions=True)

    async def _prompt(self, client: Client, waiting: _Open) -> None:
        choice = await client.ask(waiting.question)
        if choice is not None and not waiting.future.done():
            waiting.future.set_result(Answer(choice, PERSON, Origin("user", client.id)))
        elif choice is None and client.final:
            waiting.mute.append(client)
            self._give_up(waiting)

    def _give_up(self, waiting: _Open) -> None:
        """It is no once every client that is there has said that nobody can answer at it."""
        left = bool(self._clients) or not waiting.ask.lasting
        mute = left and bool(waiting.mute) and all(client in waiting.mute for client in self._each())
        if mute and not waiting.future.done():
            waiting.future.set_result(Answer("", NOBODY, reason=_nobody(waiting.ask)))

    async def answer(
        self, approval: ApprovalId, choice: str, by: Origin, command_id: str | None = None
    ) -> Accepted | Rejected:
        """Answers an open question; returns when that is in the log. The same `command_id` again waits for the same."""
        given = None if command_id is None else self._given.get(command_id)
        if given is not None:
            await given.settled.wait()
            return Accepted(self._ledger.state.seq, approval, repeated=True)
        waiting = self._waiting.get(approval)
        if waiting is None or waiting.future.done():
            return Rejected("unknown-approval", f"There is no open question {approval!r}; it may have been answered")
        choices = waiting.ask.choices
        if choices and choice not in choices:
            return Rejected("unknown-choice", f"{choice!r} is not one of: {', '.join(choices)}", choices)
        waiting.future.set_result(Answer(choice, PERSON, by, command_id=command_id))
        if command_id is not None:
            self._given[command_id] = waiting
        try:
            async with asyncio.timeout(SETTLE_DEADLINE):
                await waiting.settled.wait()
        except TimeoutError:
            log.warning("the answer to %s is not in the log yet", approval)
        finally:
            self._given.pop(command_id or "", None)
        return Accepted(self._ledger.state.seq, approval)


def _nobody(ask: Ask) -> str:
    if ask.kind == "question":
        return "nobody is at the terminal who could answer"
    if ask.kind == "budget":
        return "nobody is at the terminal who could raise it"
    if not ask.covered:
        return "nobody is at the terminal who could allow it, and --yes does not cover it"
    return "nobody is at the terminal who could allow it; use --yes to allow everything that asks"
