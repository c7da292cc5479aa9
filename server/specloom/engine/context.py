"""The parts of one hosted project, built once by the runtime and handed to what works on it."""

import contextlib
import logging
from dataclasses import dataclass

from specloom.agent.ask import AskPorts
from specloom.agent.calls import Hands
from specloom.agent.loop import LoopPorts
from specloom.agent.ports import Gate, Sleeper
from specloom.agent.roles import ROLES, RoleName, prompt
from specloom.agent.session import SessionSetup
from specloom.domain import commands as c
from specloom.domain.events import planning
from specloom.domain.ids import AgentId, AttemptId, SessionId, TaskId
from specloom.domain.ports import Clock, Ids
from specloom.domain.project import ProjectState
from specloom.domain.runs import RunOutcome
from specloom.engine.approvals import ApprovalDesk
from specloom.engine.ledger import Ledger
from specloom.engine.library import Library
from specloom.engine.mailbox import Mailbox
from specloom.engine.options import EngineOptions
from specloom.engine.output import OutputHub
from specloom.engine.recorder import SessionRecorder
from specloom.engine.transcript import TranscriptWriter
from specloom.store.errors import StoreError
from specloom.tools.registry import ToolBox
from specloom.workspace.workspace import Workspace

log = logging.getLogger(__name__)


@dataclass(slots=True)
class EngineContext:
    """One project's parts. Only `options` changes, when the user's settings do."""

    ledger: Ledger
    mailbox: Mailbox
    workspace: Workspace
    library: Library
    desk: ApprovalDesk
    output: OutputHub
    transcripts: TranscriptWriter
    toolbox: ToolBox
    ids: Ids
    clock: Clock
    sleeper: Sleeper
    options: EngineOptions

    @property
    def state(self) -> ProjectState:
        """The newest projection."""
        return self.ledger.state

    async def faults(self, what: str, error: Exception) -> None:
        """A bug of ours or a full disk stopped a run or a plan: recorded as far as that goes, and told."""
        log.error("%s failed", what, exc_info=error)
        reason = f"the {what} stopped by a fault of Specloom ({type(error).__name__}: {error}); see the log"
        with contextlib.suppress(StoreError):
            await self._record_fault(what, reason)
        await self.desk.tell("error", reason)

    async def _record_fault(self, what: str, reason: str) -> None:
        state = self.state
        if what == "plan" and state.planning is not None and state.planning.state == "running":
            await self.mailbox.record(planning.PlanFailed(state.planning.id, reason))
        if what == "run":
            for task, record in tuple(state.tasks.items()):
                if record.attempt is not None:
                    await self.mailbox.submit(c.ReleaseTask(task, record.attempt, reason))
            await self.mailbox.submit(c.FinishRun(RunOutcome.FAULT, reason))

    def asking(self, role: RoleName, agent: AgentId) -> AskPorts:
        """What a role's turns are asked through."""
        return AskPorts(
            model=self.options.roles[role].endpoint,
            recorder=SessionRecorder(self.ledger, self.transcripts, agent),
            pricing=self.options.pricing,
            stream=self.output,
            sleeper=self.sleeper,
            retry=self.options.retry,
        )

    def loop(self, asking: AskPorts, hands: Hands, gate: Gate) -> LoopPorts:
        """What a session is run through."""
        return LoopPorts(asking, hands, gate, self.options.limits.parallel_tools)

    def setup(
        self,
        role: RoleName,
        agent: AgentId,
        toolbox: ToolBox,
        attempt: AttemptId | None = None,
        task: TaskId | None = None,
    ) -> SessionSetup:
        """A new session of a role."""
        chosen = self.options.roles[role]
        return SessionSetup(
            id=SessionId(self.ids.new("session")),
            agent=agent,
            role=role.value,
            model=chosen.model,
            system=prompt(role.value),
            tools=toolbox.schemas(),
            attempt=attempt,
            task=task,
            max_tokens=chosen.max_tokens,
            thinking=chosen.thinking,
            max_turns=self.options.limits.turns,
        )

    def box(self, role: RoleName) -> ToolBox:
        """The tools that a role has at all, as far as they are built in."""
        return self.toolbox.only(name for name in ROLES[role].tools if name in self.toolbox.names)
