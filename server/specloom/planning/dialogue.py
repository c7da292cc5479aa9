"""Holds one session with the planner: faults of an answer go back to it in the same session, within bounds.

Refuses to write files: it returns the answer that was taken, or says why there is none.
"""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Literal, assert_never

from specloom.agent import loop
from specloom.agent.ports import Stream
from specloom.agent.roles import RoleName, prompt
from specloom.agent.session import Conversation, SessionSetup, content_json, say
from specloom.domain.events import agents
from specloom.domain.events.planning import PlanRefused
from specloom.domain.ids import PlanId, SessionId
from specloom.domain.problem import Problem
from specloom.planning.checks import errors_in
from specloom.planning.ports import NotPlanned, PlanningOptions, PlanningPorts, PlanStopError
from specloom.tools.tool import Tool


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found in an answer, and how the planner is told."""

    problems: tuple[Problem, ...]
    told: str = ""


@dataclass(slots=True)
class Repairs:
    """Counts the faults that went back, and puts each of the lesser ones to the planner once."""

    plan: PlanId
    ports: PlanningPorts
    limit: int
    count: int = 0
    left: tuple[Problem, ...] = ()
    """Errors of the newest answer."""
    _doubted: bool = False

    async def refuse(self, problems: tuple[Problem, ...]) -> bool:
        """Whether the answer goes back. After the last repair the errors stay in `left`."""
        self.left = errors_in(problems)
        if not self.left and (self._doubted or not problems):
            return False
        self._doubted = True
        if self.count >= self.limit:
            return False
        self.count += 1
        await self.ports.journal(PlanRefused(self.plan, self.count, problems))
        return True


@dataclass(frozen=True, slots=True)
class Talk:
    """One session: what it is told and what its answer must hold."""

    prompt: str
    """Name of the system text."""
    first: str
    what: str
    """What is asked for, in words for the user."""
    tools: tuple[Tool, ...] = ()
    stream: Stream | None = None
    """Listens to the session's deltas instead of the ordinary stream."""


@dataclass(slots=True)
class AnswerCheck:
    """An `agent.loop.Objection` that checks a plain text."""

    check: Callable[[str], Checked]
    repairs: Repairs
    answer: str = field(default="")

    async def __call__(self, claim: str) -> str:
        """What the planner is told about its answer; empty when it is taken, or when there are no repairs left."""
        self.answer = claim
        found = self.check(claim)
        return found.told if await self.repairs.refuse(found.problems) else ""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Runs the sessions of one plan."""

    plan: PlanId
    ports: PlanningPorts
    options: PlanningOptions

    def repairs(self) -> Repairs:
        """A fresh count for one session."""
        return Repairs(self.plan, self.ports, self.options.repairs)

    async def answer(self, talk: Talk, check: Callable[[str], Checked]) -> str:
        """The text that passed its check. Raises `PlanStopError`."""
        objection = AnswerCheck(check, self.repairs())
        await self.hold(talk, objection, objection.repairs)
        return objection.answer

    async def hold(self, talk: Talk, objection: loop.Objection, repairs: Repairs) -> None:
        """Runs one session to its end. Raises `PlanStopError` unless it ended with an answer without errors."""
        box = self.ports.toolbox.with_tools(*talk.tools)
        setup = SessionSetup(
            id=SessionId(self.ports.ids.new("session")),
            agent=self.options.agent,
            role=RoleName.PLANNER.value,
            model=self.options.model,
            system=await asyncio.to_thread(prompt, talk.prompt),
            tools=box.schemas(),
            max_tokens=self.options.max_tokens,
            thinking=self.options.thinking,
            max_turns=self.options.max_turns,
        )
        asking = self.ports.asking
        if talk.stream is not None:
            asking = replace(asking, stream=talk.stream)
        first = say(talk.first)
        asking.recorder.note(loop.started(setup), agents.MessageAdded(setup.id, content_json(first)))
        hands = self.ports.hands(setup, box)
        ports = loop.LoopPorts(asking, hands, self.ports.gate, self.options.parallel_tools, objection)
        _judge(await loop.run_session(setup, Conversation([first]), ports), talk.what, repairs)


def _judge(outcome: loop.SessionOutcome, what: str, repairs: Repairs) -> None:
    match outcome:
        case loop.Claimed() | loop.Ended():
            if repairs.left:
                reason = f"{what} still has {_counted(repairs.left)} after {repairs.count} repairs"
                raise PlanStopError(NotPlanned("faulty", reason, repairs.left))
        case loop.Halted(halt):
            raise PlanStopError(NotPlanned(halt.kind, halt.reason))
        case loop.Faulted(error):
            raise PlanStopError(NotPlanned("fault", str(error)))
        case loop.Blocked(reason) | loop.Refused(reason):
            raise _refused(what, reason, repairs)
        case loop.TurnLimit(turns):
            raise _refused(what, f"{turns} turns are used up", repairs)
        case _:
            assert_never(outcome)


def _refused(what: str, reason: str, repairs: Repairs) -> PlanStopError:
    kind: Literal["refused"] = "refused"
    return PlanStopError(NotPlanned(kind, f"{what} did not come: {reason}", repairs.left))


def _counted(problems: tuple[Problem, ...]) -> str:
    return "1 fault" if len(problems) == 1 else f"{len(problems)} faults"


def told(problems: Collection[Problem], again: str) -> str:
    """The faults for the planner, one a line, and how to answer."""
    lines = "\n".join(f"- {problem.message}" for problem in problems)
    if errors_in(problems):
        return f"Your answer cannot be taken as it is:\n\n{lines}\n\n{again}"
    return f"Is this meant?\n\n{lines}\n\nIf it is, give the same answer again. {again}"
