"""Asks for one turn: recorded before and after, tried again within bounds. Refuses what waiting cannot cure."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from specloom.agent.cut_off import cut_turn, estimated
from specloom.agent.ports import Halt, Pricing, Recorder, Sleeper, Stream
from specloom.agent.session import Conversation, SessionSetup, content_json
from specloom.domain.events import agents
from specloom.domain.ids import SessionId
from specloom.domain.usage import UsageTotal
from specloom.llm.errors import ProviderError, ProviderFault
from specloom.llm.messages import ModelAnswer, StopReason, Usage
from specloom.llm.model import Model


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently a broken turn is asked again."""

    tries: int = 10
    """Requests a turn, the first included."""
    first_tries: int = 3
    """The same for an endpoint that has never answered, whose address is more likely wrong, and for one that cannot be
    reached, since to look whether it can costs less than to ask."""
    first_wait: float = 1.0
    """Seconds before the second try; doubles from there."""
    longest_wait: float = 60.0
    """Cap of our own waits, and of an endpoint's `retry-after` that is not believable."""
    spread: float = 0.25
    """Share of a wait that is left to chance, so that those who failed together do not come back together."""
    chance: Callable[[], float] = lambda: 0.0
    """Between 0 and 1, anew each time."""

    def again(self, failed: int, error: ProviderError) -> bool:
        """Whether another try follows the `failed`-th failure (1-based)."""
        return error.retryable and failed < self.tries_for(error)

    def tries_for(self, error: ProviderError) -> int:
        """Requests a turn that fails like this, the first included."""
        doubtful = not error.met or error.fault is ProviderFault.UNREACHABLE
        return min(self.tries, self.first_tries) if doubtful else self.tries

    def wait(self, failed: int, error: ProviderError) -> float:
        """Seconds to wait after the `failed`-th failure (1-based)."""
        own = min(self.first_wait * 2 ** (failed - 1), self.longest_wait)
        random = own * self.spread * self.chance()
        if error.retry_after is None:
            return own - random
        # An endpoint that says "at once" each time would use up all tries within a second.
        return min(max(error.retry_after, own) + random, self.longest_wait)


@dataclass(frozen=True, slots=True)
class AskPorts:
    """What a turn is asked through."""

    model: Model
    recorder: Recorder
    pricing: Pricing
    stream: Stream
    sleeper: Sleeper
    retry: RetryPolicy = RetryPolicy()


SILENT = (StopReason.REFUSAL, StopReason.CONTEXT_WINDOW)
"""Of these an answer is whole without a word."""
Between: TypeAlias = Callable[[SessionId], Awaitable[Halt | None]]
"""As `Gate.before_turn`."""


class HaltedError(Exception):
    """No further try of the turn may be made."""

    def __init__(self, halt: Halt) -> None:
        super().__init__(halt.reason)
        self.halt = halt


async def ask(
    setup: SessionSetup, conversation: Conversation, ports: AskPorts, between: Between | None = None
) -> ModelAnswer:
    """The answer to the conversation as it stands, appended to it. Raises `ProviderError` when it stays without one.

    `between` is asked before each further try, since what broke off has cost something and waiting takes time, and may
    add to the conversation; raises `HaltedError` when it says no.
    """
    turn = conversation.turns + 1
    failed = 0
    while True:
        await ports.recorder.commit(agents.TurnRequested(setup.id, turn, failed + 1))
        try:
            answer = await _answered(setup, conversation, ports, failed + 1)
            _refuse_empty(answer)
        except ProviderError as error:
            failed += 1
            wait = ports.retry.wait(failed, error) if ports.retry.again(failed, error) else None
            error.asked = failed
            await ports.recorder.commit(_failed(setup, turn, error, wait, ports))
            if wait is None:
                raise
            await ports.sleeper.sleep(wait)
            halt = None if between is None else await between(setup.id)
            if halt is not None:
                raise HaltedError(halt) from error
            continue
        ports.recorder.note(finished(setup, turn, answer, ports.pricing))
        conversation.add_answer(answer.message, answer.usage)
        return answer


async def _answered(setup: SessionSetup, conversation: Conversation, ports: AskPorts, asked: int) -> ModelAnswer:
    """One request; one that is cancelled is charged with what it cost until then."""
    turn, come = conversation.turns + 1, list[Usage]()
    try:
        return await ports.model.ask(conversation.request(setup), ports.stream.sink(setup.id, turn), come.append)
    except asyncio.CancelledError:
        usage = next((told for told in come if told.prompt), None) or estimated(conversation.book)
        cut = cut_turn(setup, turn, asked, usage, ports.pricing)
        # What goes wrong there is told by whoever keeps the log: it must not take the place of the cancellation.
        await asyncio.gather(ports.recorder.commit(cut), return_exceptions=True)
        raise


def _refuse_empty(answer: ModelAnswer) -> None:
    # The same request may get a better answer; one that was cut off before its first block was whole is told instead,
    # and who refuses or has no room says as much as with words.
    if not (answer.message.blocks or answer.was_cut or answer.stop in SILENT):
        what = f"{answer.model} answered nothing at all ({answer.stop})"
        error = ProviderError(ProviderFault.BROKEN_STREAM, what, step="go on later, or choose another model")
        error.usage = answer.usage
        raise error


def _failed(
    setup: SessionSetup, turn: int, error: ProviderError, wait: float | None, ports: AskPorts
) -> agents.TurnFailed:
    """The event of a request without an answer; what a person may do is part of it only when no try follows."""
    spent = UsageTotal() if error.usage == Usage() else ports.pricing.total(setup.model, error.usage)
    told = str(error) if wait is None else f"{error.what}{_asks_for_more(error, wait)}"
    tries = ports.retry.tries_for(error) if wait is not None else 0
    return agents.TurnFailed(setup.id, turn, error.fault.value, told, wait, spent, error.asked, tries)


def _asks_for_more(error: ProviderError, wait: float) -> str:
    more = error.retry_after is not None and error.retry_after > wait
    return f" (it asks to wait {error.retry_after:g} s)" if more else ""


def finished(setup: SessionSetup, turn: int, answer: ModelAnswer, pricing: Pricing) -> agents.TurnFinished:
    """The event of a whole answer."""
    return agents.TurnFinished(
        session=setup.id,
        turn=turn,
        content=content_json(answer.message),
        stop=answer.stop.value,
        usage=pricing.total(setup.model, answer.usage),
        model=answer.model,
        dropped_calls=answer.dropped_calls,
    )
