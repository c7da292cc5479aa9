"""Tools in a person's hands: one context for many calls, no model, no run, no log. Refuses what nobody could allow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from specloom.agent.roles import RoleName
from specloom.domain.ids import AgentId, SessionId
from specloom.domain.permissions.rules import Verdict
from specloom.engine.approvals import YES
from specloom.engine.hands import with_news
from specloom.engine.permits import Permits
from specloom.tools.ports import Decision, Reply, ToolContext, Wanted
from specloom.tools.registry import ToolBox
from specloom.tools.tool import ToolOutcome

BY_HAND = AgentId("by-hand")
NO_SESSION = SessionId("")
NOBODY = "nobody is asked here; start with --yes to allow what asks, or write a rule into your settings"


@dataclass(frozen=True, slots=True)
class RuleAsker:
    """A `tools.ports.Asker` that knows rules alone: what they leave to a person is denied, or allowed by `--yes`."""

    permits: Permits
    yes: bool = False

    async def may_call(self, wanted: Wanted) -> Decision:
        """As an executor may; a deny is never lifted, nor what no rule can be sure of."""
        judged = await self.permits.judge(wanted, RoleName.EXECUTOR)
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
        return with_news(await self.box.run(name, values, self.context), self.context)

    async def close(self) -> None:
        """Ends every command that still runs."""
        if self.context.shell is not None:
            await self.context.shell.close()
