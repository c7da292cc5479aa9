"""Sends sub-agents: read-only sessions beside the one that sends them, with limits of their own, charged to its task.

Refuses to hand anything on but the sender's words one way and the sub-agent's last words the other.
"""

import logging
from dataclasses import dataclass, replace

from specloom.agent import loop
from specloom.agent.ask import AskPorts
from specloom.agent.loop import LoopPorts, SessionOutcome
from specloom.agent.ports import Gate, Recorder
from specloom.agent.roles import RoleName
from specloom.agent.session import Conversation, SessionSetup, content_json, say
from specloom.domain.budgets import Spent
from specloom.domain.events import agents
from specloom.engine.accounts import at_most
from specloom.engine.context import EngineContext
from specloom.engine.gate import RunGate, SideGate
from specloom.engine.hands import NO_CALL, SessionHands
from specloom.engine.keeping import kept_ports
from specloom.engine.open_files import Recalled
from specloom.engine.state_guard import StateLostError
from specloom.llm.messages import AssistantMessage, ModelAnswer
from specloom.store.errors import StoreError
from specloom.tools.ports import Asker, Delegated, Errand, ReadMemory, ToolContext
from specloom.workspace.shielding import to_the_end

log = logging.getLogger(__name__)

LAST_TURN = (
    "This is your last turn: what further calls find will not reach you. Answer now with what you have, "
    "and say what you did not get to."
)
SAY_IT = "You ended without a word, and your last words are all that is handed back: say what you found."
SHORTER = "Only your last words are handed back: give the whole answer again, in fewer words."


@dataclass(frozen=True, slots=True)
class Delegation:
    """A `tools.ports.Delegate` for one session."""

    engine: EngineContext
    gate: RunGate
    sender: SessionSetup
    recorder: Recorder
    """Of the sender: what led to a sub-agent is in the log before it begins."""
    asker: Asker
    """The sender's: a sub-agent may look at nothing that its sender may not."""

    async def send(self, errand: Errand) -> Delegated:
        """Runs the sub-agent to its end."""
        await self.recorder.commit()
        setup = self._setup()
        asking = self.engine.asking(RoleName.SUBAGENT, setup.agent)
        first = say(self._message(errand, setup))
        started = replace(loop.started(setup), parent=self.sender.id, call=errand.call)
        asking.recorder.note(started, agents.MessageAdded(setup.id, content_json(first)))
        conversation = Conversation([first])
        gate = SideGate(self.gate, asking.recorder, lambda: self._at_most(setup, conversation))
        ports = self._ports(setup, asking, gate, conversation)
        try:
            outcome = await loop.run_session(setup, conversation, ports)
            if loop.stays_open(outcome):
                # What it was sent for goes on in another one.
                await asking.recorder.commit(agents.SessionEnded(setup.id, *loop.describe(outcome)))
        except BaseException:
            await to_the_end(self._cut_off(setup, asking.recorder))
            raise
        finally:
            gate.leave()
        return self._handed_back(outcome, conversation)

    def _setup(self) -> SessionSetup:
        engine, sender = self.engine, self.sender
        box = engine.box(RoleName.SUBAGENT)
        return engine.setup(RoleName.SUBAGENT, sender.agent, box, sender.attempt, sender.task)

    def _at_most(self, setup: SessionSetup, conversation: Conversation) -> Spent:
        return at_most(self.engine.limited(setup), conversation, self.engine.options)

    def _ports(self, setup: SessionSetup, asking: AskPorts, gate: Gate, conversation: Conversation) -> LoopPorts:
        hands = self._hands(setup)
        ports = self.engine.loop(asking, hands, gate)
        ports = kept_ports(self.engine, ports, hands, conversation, Recalled(hands.context.memory))
        return replace(ports, objection=_said_something, after_cut=_shorter, last_turn=LAST_TURN)

    def _hands(self, setup: SessionSetup) -> SessionHands:
        engine = self.engine
        context = ToolContext(
            files=engine.workspace,
            asker=self.asker,
            output=engine.output.command(setup.id, NO_CALL),
            memory=ReadMemory(),
            agent=setup.agent,
            session=setup.id,
            attempt=setup.attempt,
            task=setup.task,
            call=NO_CALL,
            environment=engine.options.environment,
        )
        return SessionHands(engine.box(RoleName.SUBAGENT), context, engine.output)

    def _message(self, errand: Errand, setup: SessionSetup) -> str:
        files = "\n".join(f"- {path}" for path in errand.files)
        turns, characters = setup.max_turns, self.engine.options.limits.subagent_answer
        limits = (
            f"You have {turns} turn{'' if turns == 1 else 's'}, the last one for your answer. "
            f"The answer may have up to {characters:,} characters; what is longer is cut off."
        )
        return "\n\n".join(filter(None, (errand.task, f"Begin with:\n{files}" if files else "", limits)))

    def _handed_back(self, outcome: SessionOutcome, conversation: Conversation) -> Delegated:
        """Redacted before it is cut: half a key is none that is recognised."""
        options = self.engine.options
        words = outcome.text if isinstance(outcome, loop.Claimed) else _last_words(conversation)
        whole = options.redact(words).strip()
        text = whole[: options.limits.subagent_answer].rstrip()
        return Delegated(text, conversation.turns, _failure(outcome), len(whole) - len(text))

    async def _cut_off(self, setup: SessionSetup, recorder: Recorder) -> None:
        """What it has cost is kept, and the session is over. Where the log takes nothing, the next start ends it."""
        try:
            record = self.engine.state.sessions.get(setup.id)
            ended = record is not None and record.outcome
            await recorder.commit(*(() if ended else (agents.SessionEnded(setup.id, "cancelled", "its sender ended"),)))
        except (StoreError, StateLostError) as error:
            log.warning("the end of sub-agent %s is not in the log: %s", setup.id, error)


async def _said_something(claim: str) -> str:
    return "" if claim.strip() else SAY_IT


def _shorter(answer: ModelAnswer) -> str:
    del answer
    return SHORTER


def _last_words(conversation: Conversation) -> str:
    answers = [message for message in conversation.messages if isinstance(message, AssistantMessage)]
    return next((answer.text for answer in reversed(answers) if answer.text.strip()), "")


def _failure(outcome: SessionOutcome) -> str:
    match outcome:
        case loop.Claimed():
            return ""
        case loop.TurnLimit(turns):
            return f"the sub-agent used up its {turns} turns; ask for less, or read by yourself"
        case loop.Halted(halt):
            return f"the sub-agent was ended: {halt.reason}"
        case loop.Refused(reason):
            return f"the model of the sub-agent did not go on: {reason}"
        case loop.Faulted(error):
            return f"the model of the sub-agent could not be asked: {error}"
        case _:
            label, reason = loop.describe(outcome)
            return f"the sub-agent ended without an answer ({label}): {reason}"
