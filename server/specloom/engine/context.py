"""The parts of one hosted project, built once by the runtime and handed to what works on it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from specloom.agent.ask import AskPorts
from specloom.agent.calls import Hands
from specloom.agent.loop import LoopPorts
from specloom.agent.ports import Gate, Sleeper
from specloom.agent.roles import ROLES, RoleName, prompt
from specloom.agent.session import SessionSetup
from specloom.domain.ids import AgentId, AttemptId, SessionId, TaskId
from specloom.domain.ports import Calendar, Clock, Ids
from specloom.domain.project import ProjectState
from specloom.domain.usage import UsageTotal
from specloom.engine.accounts import Accounts
from specloom.engine.approvals import ApprovalDesk
from specloom.engine.endpoints import RoleEndpoint
from specloom.engine.head import HeadWatch
from specloom.engine.inbox import Inbox
from specloom.engine.ledger import Ledger
from specloom.engine.library import Library
from specloom.engine.mailbox import Mailbox
from specloom.engine.options import EngineOptions
from specloom.engine.output import OutputHub
from specloom.engine.permits import Permits
from specloom.engine.recorder import SessionRecorder
from specloom.engine.retry_wait import RetryWait
from specloom.engine.transcript import TranscriptWriter
from specloom.engine.verification.checks import Checker
from specloom.llm.messages import ThinkingSetting, Usage
from specloom.tools.registry import ToolBox
from specloom.workspace.orphans import Orphans
from specloom.workspace.workspace import Workspace


@dataclass(slots=True)
class EngineContext:
    """One project's parts. Only `options` changes, when the user's settings do."""

    ledger: Ledger
    mailbox: Mailbox
    workspace: Workspace
    library: Library
    desk: ApprovalDesk
    permits: Permits
    output: OutputHub
    transcripts: TranscriptWriter
    outputs: Callable[[SessionId], Path]
    """The folder for what the commands of a session print."""
    toolbox: ToolBox
    ids: Ids
    clock: Clock
    calendar: Calendar
    sleeper: Sleeper
    orphans: Orphans
    options: EngineOptions
    inbox: Inbox = field(init=False)
    head: HeadWatch = field(init=False)

    def __post_init__(self) -> None:
        self.inbox = Inbox(self.mailbox, self.ids)
        self.head = self.library.head = HeadWatch(self.workspace.root, self.mailbox)

    def total(self, model: str, usage: Usage) -> UsageTotal:
        """An `agent.ports.Pricing`, by the prices as they are now."""
        return self.options.pricing.total(model, usage)

    @property
    def state(self) -> ProjectState:
        """The newest projection."""
        return self.ledger.state

    @property
    def accounts(self) -> Accounts:
        """Which limits hold, by the settings as they are now."""
        return Accounts(lambda: self.options, self.calendar)

    def checker(self) -> Checker:
        """What runs verify commands, by the settings as they are now."""
        return Checker(
            self.workspace.root, self.mailbox, self.ids, self.options, self.orphans, self.permits.book.source
        )

    def asking(self, role: RoleName, agent: AgentId) -> AskPorts:
        """What a role's turns are asked through."""
        return AskPorts(
            model=RoleEndpoint(lambda: self.options, role),
            recorder=SessionRecorder(self.ledger, self.transcripts, agent),
            pricing=self,
            stream=self.output,
            sleeper=RetryWait(self.ledger, self.accounts, self.sleeper),
            retry=self.options.retry,
        )

    def loop(self, asking: AskPorts, hands: Hands, gate: Gate) -> LoopPorts:
        """What a session is run through."""
        return self.refreshed(LoopPorts(asking, hands, gate, now=self.now))

    def now(self, setup: SessionSetup, ports: LoopPorts) -> tuple[SessionSetup, LoopPorts]:
        """As `LoopPorts.now`, for a session of any role."""
        return self.limited(setup), self.refreshed(ports)

    def refreshed(self, ports: LoopPorts) -> LoopPorts:
        """`ports` by the settings as they are now."""
        asking = replace(ports.asking, retry=self.options.retry)
        return replace(ports, asking=asking, parallel=self.options.limits.parallel_tools)

    def limited(self, setup: SessionSetup) -> SessionSetup:
        """A session's limits by the settings as they are now; its model and thinking stay what they were."""
        chosen = self.options.roles[RoleName(setup.role)]
        # Where it thinks, part of an answer's length is its thinking.
        keeps = chosen.model != setup.model or setup.thinking != ThinkingSetting()
        tokens = setup.max_tokens if keeps else chosen.max_tokens
        return replace(setup, max_turns=self._most_turns(setup), max_tokens=tokens)

    def _most_turns(self, setup: SessionSetup) -> int:
        limits = self.options.limits
        if setup.role == RoleName.SUBAGENT:
            return limits.subagent_turns
        more = 0
        if setup.role == RoleName.EXECUTOR and setup.task is not None:
            more = self.state.record(self.state.renumbered(setup.task)).more_turns
        return max(limits.turns + more - setup.turns_before, 0)

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
        setup = SessionSetup(
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
        )
        return replace(setup, max_turns=self._most_turns(setup))

    def box(self, role: RoleName) -> ToolBox:
        """The tools that a role has at all, as far as they are built in."""
        return self.toolbox.only(name for name in ROLES[role].tools if name in self.toolbox.names)
