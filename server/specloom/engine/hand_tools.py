"""Tools in a person's hands: one context for many calls, no model, no run, no log. Refuses what nobody could allow."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, assert_never

from specloom.agent.roles import RoleName
from specloom.domain.ids import AgentId, CallId, SessionId
from specloom.domain.permissions.policy import Judgement
from specloom.domain.permissions.rules import Verdict
from specloom.engine.permits import Permits
from specloom.tools.ports import Decision, Reply, ToolContext, Wanted
from specloom.tools.registry import ToolBox
from specloom.tools.tool import ToolOutcome

BY_HAND = AgentId("by-hand")
NO_SESSION = SessionId("")
NO_CALL = CallId("")
NOBODY = "nobody is asked here; start with --yes to allow what asks, or write a rule into your settings"
YES = "--yes"


@dataclass(frozen=True, slots=True)
class RuleAsker:
    """A `tools.ports.Asker` that knows rules alone: what they leave to a person is denied, or allowed by `--yes`."""

    permits: Permits
    yes: bool = False

    async def may_call(self, wanted: Wanted) -> Decision:
        """As an executor may; a deny is never lifted, nor what no rule can be sure of."""
        judged = await self._judged(wanted)
        match judged.verdict:
            case Verdict.ALLOW:
                return Decision(True, rule=judged.rule)
            case Verdict.DENY:
                return Decision(False, f"denied: {judged.reason}", judged.rule)
            case Verdict.ASK if self.yes and not judged.suspect:
                return Decision(True, rule=YES)
            case Verdict.ASK:
                return Decision(False, f"{judged.reason}; {NOBODY}", judged.rule)
            case _:
                assert_never(judged.verdict)

    async def _judged(self, wanted: Wanted) -> Judgement:
        policy = self.permits.policy(RoleName.EXECUTOR, None, "")
        if wanted.command is None:
            return await self.permits.judge_path(wanted, policy, ())
        return await self.permits.judge_command(wanted.command, policy, (), wanted.folder)

    async def ask(self, question: str, choices: tuple[str, ...]) -> Reply:
        """Nobody answers."""
        del question, choices
        return Reply(NOBODY, answered=False)


class Silent:
    """A `tools.ports.Output` that nobody watches: the result tells all of it."""

    def chunk(self, text: str) -> None:
        """Passes."""
        del text


@dataclass(frozen=True, slots=True)
class HandTools:
    """A box and the one context that all calls share: what was read stays read."""

    box: ToolBox
    context: ToolContext

    async def run(self, name: str, values: Mapping[str, Any]) -> ToolOutcome:
        """One call, as a turn of its own. Raises nothing but `CancelledError`."""
        outcome = await self.box.run(name, values, self.context)
        shell = self.context.shell
        news = shell.notices() if shell is not None else ()
        return outcome if not news else _with_news(outcome, news)

    async def close(self) -> None:
        """Ends every command that still runs."""
        if self.context.shell is not None:
            await self.context.shell.close()


def _with_news(outcome: ToolOutcome, news: tuple[str, ...]) -> ToolOutcome:
    return replace(outcome, text="\n".join((outcome.text.rstrip("\n"), *(f"({item})" for item in news))))
