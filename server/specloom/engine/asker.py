"""An agent's requests before a person: what rules decide is decided at once, the rest is asked, and the answer kept.

Refuses to wait for ever: the desk has a deadline.
"""

from dataclasses import dataclass, field
from typing import assert_never

from specloom.agent.roles import RoleName
from specloom.domain.ids import AgentId, TaskId, digest_of
from specloom.domain.permissions.grants import GrantKind
from specloom.domain.permissions.policy import Judgement
from specloom.domain.permissions.rules import Verdict
from specloom.engine.approvals import Answer, ApprovalDesk, Ask
from specloom.engine.permits import Permits
from specloom.tools.ports import Decision, Reply, Wanted

GRANTED = "granted verify command"
ONCE, DENY = "Allow once", "Deny"
INSTEAD = "do it another way, or report_blocked if the task cannot be done without it"


@dataclass(frozen=True, slots=True)
class DeskAsker:
    """A `tools.ports.Asker` for one agent."""

    desk: ApprovalDesk
    permits: Permits
    role: RoleName
    agent: AgentId
    task: TaskId | None
    title: str = ""
    """Of the task, which grants for it are about."""
    granted: frozenset[str] = frozenset()
    """The verify commands of the attempt, which the user has granted."""
    read_only: tuple[str, ...] = ()
    answered: dict[str, Answer] = field(default_factory=dict[str, Answer])
    """What people answered before a restart to calls that are made again, by subject; each counts once."""

    async def may_call(self, wanted: Wanted) -> Decision:
        """By rules, or by whoever answers."""
        judged = await self._judged(wanted)
        match judged.verdict:
            case Verdict.ALLOW:
                return Decision(True, rule=judged.rule)
            case Verdict.DENY:
                return Decision(False, f"denied: {judged.reason}; {INSTEAD}", judged.rule)
            case Verdict.ASK:
                return await self._asked(wanted, judged)
            case _:
                assert_never(judged.verdict)

    async def _judged(self, wanted: Wanted) -> Judgement:
        if wanted.command is not None:
            await self.permits.book.refresh()
        judged = await self.permits.judge(wanted, self.role, self.task, self.title, self.read_only)
        command = wanted.command
        if judged.verdict is Verdict.ASK and command is not None and command.strip() in self.granted:
            return Judgement(Verdict.ALLOW, GRANTED)
        return judged

    async def _asked(self, wanted: Wanted, judged: Judgement) -> Decision:
        grants = _grants(judged.suggestions)
        subject = wanted.command or f"{wanted.tool} {wanted.path or ''}".rstrip()
        ask = Ask(
            "command",
            subject,
            f"{self._who} {_doing(wanted)}: {judged.reason}",
            self.agent,
            self.task,
            (ONCE, *(grants if self.task is not None else grants[1:]), DENY),
            covered=not judged.suspect,
        )
        answer = await self._answer(ask)
        if answer.choice not in ask.choices[:-1]:
            return Decision(False, self._refusal(answer, judged), f"{answer.rule}: {DENY}")
        if answer.choice in grants:
            await self._keep(judged.suggestions, for_task=answer.choice == grants[0])
        return Decision(True, rule=f"{answer.rule}: {answer.choice}")

    async def _keep(self, patterns: tuple[str, ...], *, for_task: bool) -> None:
        rules = tuple(f"run_command({pattern})" for pattern in patterns)
        task, about = (self.task, digest_of(self.title)) if for_task else (None, None)
        await self.permits.book.allow(GrantKind.RULE, rules, task, about)

    def _refusal(self, answer: Answer, judged: Judgement) -> str:
        reason = answer.reason or "the user did not allow it"
        return f"{reason} ({judged.reason}); {INSTEAD}"

    async def ask(self, question: str, choices: tuple[str, ...]) -> Reply:
        """A question of the agent's own; `--yes` answers none."""
        answer = await self._answer(Ask("question", question, f"{self._who} asks", self.agent, self.task, choices))
        return Reply(answer.choice, True) if answer.by_person else Reply(answer.reason, False)

    async def _answer(self, ask: Ask) -> Answer:
        return self.answered.pop(ask.subject, None) or await self.desk.ask(ask)

    @property
    def _who(self) -> str:
        return f"agent {self.agent}" if self.task is None else f"task {self.task}"


def _grants(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """What else than once can be answered: the rules word for word, for this task and for the project."""
    if not patterns:
        return ()
    shown = ", ".join(f"`{pattern}`" for pattern in patterns)
    return f"Allow {shown} for this task", f"Allow {shown} in this project"


def _doing(wanted: Wanted) -> str:
    if wanted.command is None:
        return f"calls {wanted.tool}"
    return "runs a command" + (f" in {wanted.folder}" if wanted.folder else "")
