"""The turn loop: ask, run the calls, answer, until the session has an outcome. Messages in, messages and status out.

Refuses to persist and to retry a task: it records through a port, and what an outcome means is the engine's decision.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias, assert_never

from specloom.agent.ask import SILENT, AskPorts, HaltedError, ask
from specloom.agent.calls import OUTRUN, Hands, answers, carry_out, outrun, refused_write, settled
from specloom.agent.context.image_limits import not_taken, within_limits
from specloom.agent.context.keeper import ContextKeeper
from specloom.agent.ports import Gate, Halt, Inbox
from specloom.agent.progress import NO_PROGRESS, NUDGE, ProgressWatch
from specloom.agent.replay import UNKNOWN, Replayed, close
from specloom.agent.session import Conversation, SessionSetup, content_json, say
from specloom.agent.window import WindowWatch
from specloom.domain.events import agents
from specloom.domain.ids import SessionId
from specloom.llm.errors import ProviderError, ProviderFault
from specloom.llm.messages import ModelAnswer, StopReason
from specloom.tools.tool import Effect, ToolOutcome


@dataclass(frozen=True, slots=True)
class Claimed:
    """The model ended its turn without a call: it says that it is done."""

    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A tool took what the session was for."""

    text: str


@dataclass(frozen=True, slots=True)
class Blocked:
    """The agent reports that it cannot go on."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rotated:
    """The window is full, or the model hands over: another session goes on."""

    reason: str
    remaining: str = ""
    """The model's own words for it; empty where it was not asked."""


@dataclass(frozen=True, slots=True)
class TurnLimit:
    """The turns of a session, or of all sessions of an attempt, are used up."""

    turns: int


@dataclass(frozen=True, slots=True)
class Halted:
    """The gate closed: budget, or the run is being cancelled."""

    halt: Halt


@dataclass(frozen=True, slots=True)
class Refused:
    """The model will not go on, or cannot within its window or answer length."""

    reason: str


@dataclass(frozen=True, slots=True)
class Faulted:
    """The endpoint gave no answer."""

    error: ProviderError


SessionOutcome: TypeAlias = Claimed | Ended | Blocked | Rotated | TurnLimit | Halted | Refused | Faulted


class Objection(Protocol):
    """Looks at what the model claims before the session ends on it."""

    async def __call__(self, claim: str) -> str:
        """What the model is told, so that the session goes on; empty: the claim stands."""
        ...


CUT = "Your answer was cut off at the length limit of {tokens} tokens{dropped}. {step}"
UNWHOLE = "Your answer ended before a tool call in it was whole; that call was not run. {step}"
SMALLER_STEPS = "Go on in smaller steps: write long files in several edits."
FULL = "the context window is full"
CUT_LIMIT = 3
"""Answers in a row that were cut off before a call was whole: more of them lead nowhere."""


class AfterCut(Protocol):
    """Hears of an answer that was cut off."""

    def __call__(self, answer: ModelAnswer) -> str:
        """How the model is told to go on."""
        ...


class MoreTurns(Protocol):
    """Hears that the turns of a session are used up."""

    async def __call__(self, used: int) -> int | Halt:
        """How many more there are; 0: none, and the session ends. `used`: by all sessions of the attempt."""
        ...


def smaller_steps(answer: ModelAnswer) -> str:
    """For whoever works with files: nothing of the answer is lost but what was not whole."""
    del answer
    return SMALLER_STEPS


@dataclass(frozen=True, slots=True)
class LoopPorts:
    """What a session is run through."""

    asking: AskPorts
    hands: Hands
    gate: Gate
    parallel: int = 5
    objection: Objection | None = None
    after_cut: AfterCut = smaller_steps
    cut_limit: int = CUT_LIMIT
    keeper: ContextKeeper | None = None
    """`None`: what is appended stays as it is."""
    window: WindowWatch | None = None
    """`None`: a session of this role does not rotate."""
    last_turn: str = ""
    """What is said with the last request that a session may make; empty: nothing."""
    progress: ProgressWatch | None = None
    """`None`: nobody looks whether the session goes in circles. It hears what `asking.recorder` records."""
    inbox: Inbox | None = None
    """`None`: nobody speaks to this session while it works."""
    superseded: Callable[[], str] = lambda: ""
    """Why another session must go on with the work, by the settings as they are now; empty: none must."""
    more_turns: MoreTurns | None = None
    """`None`: nobody is asked for more than the session was given."""
    now: "Now" = lambda setup, ports: (setup, ports)
    """Both by the settings as they are at a turn's begin."""


Now: TypeAlias = Callable[[SessionSetup, LoopPorts], tuple[SessionSetup, LoopPorts]]


async def run_session(setup: SessionSetup, conversation: Conversation, ports: LoopPorts) -> SessionOutcome:
    """Runs turns until there is an outcome, which is recorded. The conversation must end with a user message."""
    return await _end(setup, await _turns(setup, conversation, ports), ports)


def stays_open(outcome: SessionOutcome) -> bool:
    """Whether the session goes on where it stands once its budget is raised."""
    return isinstance(outcome, Halted) and outcome.halt.kind == "budget"


async def _end(setup: SessionSetup, outcome: SessionOutcome, ports: LoopPorts) -> SessionOutcome:
    if stays_open(outcome):
        await ports.asking.recorder.commit()
        return outcome
    label, reason = describe(outcome)
    remaining = outcome.remaining if isinstance(outcome, Rotated) else ""
    await ports.asking.recorder.commit(agents.SessionEnded(setup.id, label, reason, remaining))
    return outcome


async def resume_session(setup: SessionSetup, replayed: Replayed, ports: LoopPorts) -> SessionOutcome:
    """Goes on where the log ends: calls that never started are run, those whose outcome is unknown are told so."""
    recorder = ports.asking.recorder
    # A read that was cut off has done nothing to anybody.
    replayed.requested -= {call.id for call in replayed.unknown if ports.hands.effect(call.name) is Effect.READ}
    for call in replayed.unknown:
        recorder.note(settled(setup.id, call, *replayed.answer(call, UNKNOWN)))
    for call in outrun(replayed.calls, replayed.results, ports.hands):
        recorder.note(settled(setup.id, call, *replayed.answer(call, OUTRUN)))
    ending: list[ToolOutcome] = []
    if replayed.unstarted:
        refused = refused_write(replayed.calls, replayed.results, ports.hands)
        done = await carry_out(setup.id, replayed.unstarted, ports.hands, recorder, ports.parallel, refused=refused)
        for result, told in done:
            if told.corrected is not None:
                replayed.conversation.correct(result.call, told.corrected)
        replayed.results.update({result.call: result for result, _ in done})
        ending = [outcome for _, outcome in done]
    close(replayed)
    if replayed.cut is not None:
        _add_text(setup, replayed.conversation, ports, _cut_off(replayed.cut, setup, ports.after_cut))
    outcome = _ending(ending)
    if outcome is None:
        return await run_session(setup, replayed.conversation, ports)
    return await _end(setup, outcome, ports)


async def _turns(setup: SessionSetup, conversation: Conversation, ports: LoopPorts) -> SessionOutcome:
    cut, told_last = 0, False
    while True:
        setup, ports = ports.now(setup, ports)
        # Who is told of its last turn is told so also where the limit is below what it has used by now.
        if conversation.turns >= setup.max_turns and (told_last or not ports.last_turn):
            more = await _more(setup, conversation, ports)
            if not isinstance(more, int):
                return more
            setup = replace(setup, max_turns=setup.max_turns + more)
            continue
        answer = await _next(setup, conversation, ports)
        if isinstance(answer, Faulted) and await ports.gate.stranded(setup.id, answer.error):
            # What people said or set meanwhile counts for the request that follows.
            continue
        if not isinstance(answer, ModelAnswer):
            return answer
        told_last = conversation.turns >= setup.max_turns
        cut = cut + 1 if answer.was_cut and not answer.message.tool_uses else 0
        outcome = _cut_too_often(cut, answer, setup, ports) or await _after(answer, setup, conversation, ports)
        if outcome is not None:
            return outcome


def _cut_too_often(cut: int, answer: ModelAnswer, setup: SessionSetup, ports: LoopPorts) -> Refused | None:
    if cut < ports.cut_limit or answer.stop in SILENT:
        return None
    where = f"at {setup.max_tokens} tokens" if answer.stop is StopReason.MAX_TOKENS else "within a call"
    return Refused(f"{cut} answers in a row were cut off {where}")


async def _more(setup: SessionSetup, conversation: Conversation, ports: LoopPorts) -> int | SessionOutcome:
    used = setup.turns_before + conversation.turns
    await ports.asking.recorder.commit()
    more = 0 if ports.more_turns is None else await ports.more_turns(used)
    if isinstance(more, Halt):
        return Halted(more)
    return more or TurnLimit(used)


async def _next(setup: SessionSetup, conversation: Conversation, ports: LoopPorts) -> ModelAnswer | SessionOutcome:
    halt = await ports.gate.before_turn(setup.id)
    if halt is not None:
        return Halted(halt)
    if reason := ports.superseded():
        return Rotated(reason)
    await _hear(setup, conversation, ports)
    if (circles := _circles(setup, conversation, ports)) is not None:
        return circles
    if ports.keeper is not None:
        crowded = ports.window is not None and await ports.window.crowded(setup, conversation)
        await ports.keeper.before_request(setup, conversation, ports.asking.recorder, crowded=crowded)
    if ports.window is not None and (full := await ports.window.look(setup, conversation, ports.asking.recorder)):
        return Rotated(full)
    if ports.last_turn and conversation.turns + 1 >= setup.max_turns:
        _add_text(setup, conversation, ports, ports.last_turn)
    if (limited := within_limits(conversation, setup.id)) is not None:
        ports.asking.recorder.note(limited)
    return await _asked(setup, conversation, ports)


async def _asked(setup: SessionSetup, conversation: Conversation, ports: LoopPorts) -> ModelAnswer | SessionOutcome:
    async def between(session: SessionId) -> Halt | None:
        halt = await ports.gate.before_turn(session)
        if halt is None:
            await _hear(setup, conversation, ports)
        return halt

    try:
        return await ask(setup, conversation, ports.asking, between)
    except HaltedError as error:
        return Halted(error.halt)
    except ProviderError as error:
        if error.fault is ProviderFault.INVALID and (without := not_taken(conversation, setup.id, error)) is not None:
            ports.asking.recorder.note(without)
            halt = await ports.gate.before_turn(setup.id)
            return await _asked(setup, conversation, ports) if halt is None else Halted(halt)
        if ports.window is not None and error.fault is ProviderFault.TOO_LARGE:
            return Rotated(f"the conversation was too long: {error}")
        return Faulted(error)


async def _after(
    answer: ModelAnswer, setup: SessionSetup, conversation: Conversation, ports: LoopPorts
) -> SessionOutcome | None:
    if answer.stop is StopReason.REFUSAL:
        return Refused(answer.message.text or "the model refused without a word")
    if answer.message.tool_uses:
        return await _run_calls(answer, setup, conversation, ports)
    if answer.stop is StopReason.CONTEXT_WINDOW:
        return Refused(FULL) if ports.window is None else Rotated(FULL)
    if answer.was_cut:
        _add_text(setup, conversation, ports, _cut_off(answer, setup, ports.after_cut))
        return None
    if answer.stop is StopReason.PAUSE_TURN:
        return None  # The endpoint asks to be sent its own answer again.
    return await _claimed(answer.message.text, setup, conversation, ports)


async def _claimed(
    claim: str, setup: SessionSetup, conversation: Conversation, ports: LoopPorts
) -> SessionOutcome | None:
    if await _hear(setup, conversation, ports):
        return None
    objection = "" if ports.objection is None else await ports.objection(claim)
    if not objection:
        return Claimed(claim)
    _add_text(setup, conversation, ports, objection)
    return None


async def _run_calls(
    answer: ModelAnswer, setup: SessionSetup, conversation: Conversation, ports: LoopPorts
) -> SessionOutcome | None:
    results = await carry_out(
        setup.id, answer.message.tool_uses, ports.hands, ports.asking.recorder, parallel=ports.parallel
    )
    for result, outcome in results:
        if outcome.corrected is not None:
            conversation.correct(result.call, outcome.corrected)
    conversation.add_user(answers(results))
    if answer.was_cut:
        _add_text(setup, conversation, ports, _cut_off(answer, setup, ports.after_cut))
    ending = _ending([outcome for _, outcome in results])
    # Who speaks to an agent that gives up may be just what it needs.
    return None if isinstance(ending, Blocked) and await _hear(setup, conversation, ports) else ending


def _circles(setup: SessionSetup, conversation: Conversation, ports: LoopPorts) -> Rotated | Blocked | None:
    """How a session ends that goes in circles after it was told so; an agent that was not is told now."""
    seen = None if ports.progress is None else ports.progress.look()
    if seen is None:
        return None
    found, step = seen
    told = agents.NoProgressSeen(setup.id, conversation.turns, found.circle, found.turns, step)
    ports.asking.recorder.note(told)
    match step:
        case "nudge":
            _add_text(setup, conversation, ports, NUDGE.format(found=found.text))
            return None
        case "session":
            return Rotated(NO_PROGRESS + found.text)
        case "block":
            return Blocked(f"{NO_PROGRESS}{found.text}, also in a fresh session that was told so")


async def _hear(setup: SessionSetup, conversation: Conversation, ports: LoopPorts) -> bool:
    """Whether people said something, which is part of the conversation now."""
    said = () if ports.inbox is None else await ports.inbox.take(setup, ports.asking.recorder)
    for message in said:
        conversation.add_user(message)
    return bool(said)


def _ending(outcomes: list[ToolOutcome]) -> SessionOutcome | None:
    for outcome in outcomes:
        if outcome.blocked:
            return Blocked(outcome.blocked)
        if outcome.continues:
            return Rotated("the model handed over", outcome.continues)
        if outcome.ends:
            return Ended(outcome.text)
    return None


def _add_text(setup: SessionSetup, conversation: Conversation, ports: LoopPorts, text: str) -> None:
    message = say(text)
    conversation.add_user(message)
    ports.asking.recorder.note(agents.MessageAdded(setup.id, content_json(message)))


def _cut_off(answer: ModelAnswer, setup: SessionSetup, after_cut: AfterCut) -> str:
    if answer.stop is not StopReason.MAX_TOKENS:
        return UNWHOLE.format(step=after_cut(answer))
    dropped = ", and a tool call that was not whole was not run" if answer.dropped_calls else ""
    return CUT.format(tokens=setup.max_tokens, dropped=dropped, step=after_cut(answer))


def describe(outcome: SessionOutcome) -> tuple[str, str]:
    """The label and the reason under which the log keeps an outcome."""
    match outcome:
        case Claimed(text):
            return "claimed", text
        case Ended(text):
            return "ended", text
        case Blocked(reason):
            return "blocked", reason
        case Rotated(reason, _):
            return "rotated", reason
        case TurnLimit(turns):
            return "turn-limit", f"{turns} turns are used up"
        case Halted(halt):
            return halt.kind, halt.reason
        case Refused(reason):
            return "refused", reason
        case Faulted(error):
            return "fault", str(error)
        case _:
            assert_never(outcome)


def outcome_of(ended: agents.SessionEnded) -> SessionOutcome | None:
    """The outcome that the log keeps, as far as a verdict can still follow from it; `None`: ask again."""
    match ended.outcome:
        case "claimed":
            return Claimed(ended.reason)
        case "ended":
            return Ended(ended.reason)
        case "blocked":
            return Blocked(ended.reason)
        case "rotated":
            return Rotated(ended.reason, ended.remaining)
        case "refused" | "turn-limit":
            return Refused(ended.reason)
        case _:
            return None


def started(setup: SessionSetup) -> agents.SessionStarted:
    """The event that opens a session."""
    return agents.SessionStarted(
        session=setup.id,
        agent=setup.agent,
        role=setup.role,
        attempt=setup.attempt,
        task=setup.task,
        model=setup.model,
        system=setup.system,
        tools=tuple(tool.name for tool in setup.tools),
        previous=setup.previous,
        number=setup.number,
        because=setup.because,
    )
