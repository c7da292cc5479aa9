"""Holds one session with the planner: faults of an answer go back to it in the same session, within bounds.

Refuses to write files: it returns the answer that was taken, or says why there is none.
"""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Literal, Protocol, assert_never

from specloom.agent import loop
from specloom.agent.ports import Stream
from specloom.agent.replay import Replayed
from specloom.agent.roles import RoleName, prompt
from specloom.agent.session import Conversation, SessionSetup, content_json, say
from specloom.domain.events import agents
from specloom.domain.events.planning import PlanRefused
from specloom.domain.ids import PlanId, SessionId
from specloom.domain.problem import Problem
from specloom.llm.messages import ModelAnswer
from specloom.planning.checks import errors_in
from specloom.planning.history import text_so_far
from specloom.planning.joining import go_on, joined
from specloom.planning.ports import Interrupted, NotPlanned, PlanningOptions, PlanningPorts, PlanStopError, Step
from specloom.planning.resuming import resumable, session_of
from specloom.planning.size import Document, excess, refused_as_too_large, too_large
from specloom.tools.registry import ToolBox
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
    limit: Callable[[], int]
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
        if self.count >= self.limit():
            return False
        self.count += 1
        await self.ports.journal(PlanRefused(self.plan, self.count, problems))
        return True


@dataclass(frozen=True, slots=True)
class Talk:
    """One session: what it is told and what its answer must hold."""

    step: Step
    prompt: str
    """Name of the system text."""
    first: str
    what: str
    """What is asked for, in words for the user."""
    document: Document
    """What is too large when the session does not fit into the model's window."""
    shorter: str = ""
    """As `first`, without what can be spared; empty if nothing can."""
    tools: tuple[Tool, ...] = ()
    stream: Stream | None = None
    """Listens to the session's deltas instead of the ordinary stream."""


class Listener(Protocol):
    """Takes what a session comes to."""

    async def __call__(self, claim: str) -> str:
        """As `agent.loop.Objection`."""
        ...

    def after_cut(self, answer: ModelAnswer) -> str:
        """As `agent.loop.AfterCut`."""
        ...

    def recall(self, past: Interrupted) -> bool:
        """Takes what an ended session came to; `False` if that was nothing, or has errors."""
        ...

    def resume(self, past: Interrupted) -> None:
        """Takes in what came in a session that goes on."""
        ...


@dataclass(slots=True)
class AnswerCheck:
    """A `Listener` that checks a plain text; one that was cut off is continued, and checked when it is whole."""

    check: Callable[[str], Checked]
    repairs: Repairs
    keep: Callable[[str], None] = lambda _: None
    """Hears what is kept of an answer that was cut off; empty: the next one starts from nothing."""
    answer: str = ""
    _cut: str = ""

    async def __call__(self, claim: str) -> str:
        """What the planner is told about its answer; empty when it is taken, or when there are no repairs left."""
        self.answer = joined(self._cut, claim)
        found = self.check(self.answer)
        if not await self.repairs.refuse(found.problems):
            return ""
        self._keep("")
        return found.told

    def after_cut(self, answer: ModelAnswer) -> str:
        """How the planner is told to go on; text beside calls is no part of the answer."""
        if not answer.message.tool_uses:
            self._keep(joined(self._cut, answer.message.text))
        return go_on(self._cut)

    def recall(self, past: Interrupted) -> bool:
        """Takes the answer that ended the session, if it has no errors."""
        _, self.answer = text_so_far(past.events)
        return bool(self.answer) and not errors_in(self.check(self.answer).problems)

    def resume(self, past: Interrupted) -> None:
        """Keeps what came of an answer that was cut off."""
        self._keep(text_so_far(past.events)[0])

    def _keep(self, text: str) -> None:
        self._cut = text
        self.keep(text)


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Runs the sessions of one plan."""

    plan: PlanId
    ports: PlanningPorts
    now: Callable[[], PlanningOptions]
    """Settings as they are now."""
    interrupted: Interrupted | None = None
    """The session that an earlier plan was stopped in."""

    @property
    def options(self) -> PlanningOptions:
        """What counts now."""
        return self.now()

    def repairs(self) -> Repairs:
        """A fresh count for one session."""
        return Repairs(self.plan, self.ports, lambda: self.options.repairs)

    async def answer(
        self, talk: Talk, check: Callable[[str], Checked], keep: Callable[[str], None] = lambda _: None
    ) -> str:
        """The text that passed its check; `keep` as in `AnswerCheck`. Raises `PlanStopError`."""
        listener = AnswerCheck(check, self.repairs(), keep)
        await self.hold(talk, listener, listener.repairs)
        return listener.answer

    async def hold(self, talk: Talk, listener: Listener, repairs: Repairs) -> None:
        """Runs one session to its end. Raises `PlanStopError` unless it ended with an answer without errors."""
        box = self.ports.toolbox.with_tools(*talk.tools)
        talk = replace(talk, first=box.redact(talk.first), shorter=box.redact(talk.shorter))
        setup = await self._setup(talk, box)
        past = self.interrupted
        replayed = None if past is None or past.step != talk.step else resumable(past, setup, talk.first)
        if past is not None and replayed is not None and replayed.ended is not None:
            if listener.recall(past):
                return
            replayed = None
        if past is None or replayed is None:
            outcome = await self._opened(setup, talk, self._ports(setup, box, talk, listener))
        else:
            listener.resume(past)
            repairs.count = past.repairs
            setup = replace(setup, id=session_of(past))
            ports = await self.ports.keeping(self._ports(setup, box, talk, listener), replayed)
            outcome = await loop.resume_session(setup, replayed, ports)
        _judge(outcome, talk, repairs)

    async def _setup(self, talk: Talk, box: ToolBox) -> SessionSetup:
        return SessionSetup(
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

    async def _opened(self, setup: SessionSetup, talk: Talk, ports: loop.LoopPorts) -> loop.SessionOutcome:
        first = say(await self._fitting(setup, talk))
        ports.asking.recorder.note(loop.started(setup), agents.MessageAdded(setup.id, content_json(first)))
        conversation = Conversation([first])
        ports = await self.ports.keeping(ports, Replayed(conversation))
        return await loop.run_session(setup, conversation, ports)

    async def _fitting(self, setup: SessionSetup, talk: Talk) -> str:
        """The first message that fits into the window. Raises `PlanStopError` if none does, before it is sent."""
        model = self.ports.asking.model
        found = await excess(model, setup, talk.first)
        if found is None:
            return talk.first
        if talk.shorter and await excess(model, setup, talk.shorter) is None:
            return talk.shorter
        raise _does_not_fit(talk, too_large(talk.document, found, setup.model))

    def _ports(self, setup: SessionSetup, box: ToolBox, talk: Talk, listener: Listener) -> loop.LoopPorts:
        asking = self.ports.asking
        return loop.LoopPorts(
            asking=asking if talk.stream is None else replace(asking, stream=talk.stream),
            hands=self.ports.hands(setup, box),
            gate=self.ports.gate,
            parallel=self.options.parallel_tools,
            objection=listener,
            after_cut=listener.after_cut,
            cut_limit=self.options.continuations + 1,
        )


def _judge(outcome: loop.SessionOutcome, talk: Talk, repairs: Repairs) -> None:
    match outcome:
        case loop.Claimed() | loop.Ended():
            if repairs.left:
                reason = f"{talk.what} still has {_counted(repairs.left)} after {repairs.count} repairs"
                raise PlanStopError(NotPlanned("faulty", reason, repairs.left))
        case loop.Halted(halt):
            raise PlanStopError(NotPlanned(halt.kind, halt.reason))
        case loop.Faulted(error):
            problem = refused_as_too_large(talk.document, error)
            raise _does_not_fit(talk, problem) if problem else PlanStopError(NotPlanned("fault", str(error)))
        case loop.Blocked(reason) | loop.Refused(reason) | loop.Rotated(reason, _):
            raise _refused(talk.what, reason, repairs)
        case loop.TurnLimit(turns):
            raise _refused(talk.what, f"{turns} turns are used up", repairs)
        case _:
            assert_never(outcome)


def _does_not_fit(talk: Talk, problem: Problem) -> PlanStopError:
    reason = f"{talk.what} was not asked for: {talk.document.path} is too large for the model"
    return PlanStopError(NotPlanned("faulty", reason, (problem,)))


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
