"""What people say to agents while they work: queued, delivered word for word at a turn boundary, or withdrawn before.

Refuses to lose a word, and to deliver one twice or after it was taken back.
"""

from dataclasses import dataclass, field

from specloom.agent.ports import Recorder
from specloom.agent.session import SessionSetup, content_json, say
from specloom.domain import commands as c
from specloom.domain.events import agents
from specloom.domain.ids import AgentId, PromptId
from specloom.domain.origin import Origin
from specloom.domain.ports import Ids
from specloom.domain.rejection import Rejected
from specloom.engine.api import Accepted
from specloom.engine.mailbox import Mailbox
from specloom.llm.messages import UserMessage

EXECUTOR = AgentId("agent-1")


@dataclass(slots=True)
class Inbox:
    """An `agent.ports.Inbox` for the agents of a project."""

    mailbox: Mailbox
    ids: Ids
    _delivered: set[PromptId] = field(default_factory=set[PromptId], init=False)
    """At this moment, and so are those that are `_withdrawn`: of both, the one that began first happens."""
    _withdrawn: set[PromptId] = field(default_factory=set[PromptId], init=False)

    async def put(self, agent: AgentId, text: str, by: Origin, command_id: str | None = None) -> Accepted | Rejected:
        """Queues a prompt; `Accepted.id` is its `PromptId`."""
        known = {EXECUTOR, *(item.agent for item in self.mailbox.state.sessions.values() if item.role == "executor")}
        if agent not in known:
            return Rejected("unknown-agent", f"There is no agent {agent!r} to talk to; there is: {', '.join(known)}")
        prompt = PromptId(self.ids.new("prompt"))
        answer = await self.mailbox.submit(c.QueuePrompt(prompt, agent, text), by, command_id)
        if isinstance(answer, Rejected) or answer.repeated:
            return answer
        return Accepted(answer.seq, prompt)

    async def withdraw(self, prompt: PromptId, by: Origin, command_id: str | None = None) -> Accepted | Rejected:
        """Takes a prompt back that nobody has heard."""
        if prompt in self._delivered:
            return Rejected("unknown-prompt", f"The prompt {prompt!r} is being delivered")
        first = prompt not in self._withdrawn
        self._withdrawn.add(prompt)
        try:
            return await self.mailbox.submit(c.WithdrawPrompt(prompt), by, command_id)
        finally:
            if first:
                self._withdrawn.discard(prompt)

    async def take(self, setup: SessionSetup, recorder: Recorder) -> tuple[UserMessage, ...]:
        """What waits for the agent of a session, oldest first; in the log as delivered when this returns."""
        prompts = self.mailbox.state.prompts.values()
        leaving = self._delivered | self._withdrawn
        waiting = [item for item in prompts if item.agent == setup.agent and item.id not in leaving]
        if not waiting:
            return ()
        waiting.sort(key=lambda item: (item.queued_at, item.id))
        self._delivered.update(item.id for item in waiting)
        try:
            messages = tuple(say(item.text) for item in waiting)
            events: list[agents.AgentEvent] = []
            for item, message in zip(waiting, messages, strict=True):
                events.append(agents.MessageAdded(setup.id, content_json(message)))
                events.append(agents.PromptDelivered(item.id, setup.id, item.text))
            await recorder.commit(*events)
        finally:
            self._delivered.difference_update(item.id for item in waiting)
        return messages
