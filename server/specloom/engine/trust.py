"""Which commands of the repository may run: what it says is a proposal until a person granted that exact text.

Refuses grants from the log: it lies in the workspace, and a hostile repository could bring one along.
"""

from collections.abc import Iterable

from specloom.engine.approvals import ApprovalDesk, Ask

LATE = "it appeared while the run was going on, which --yes does not cover; start the run again to allow it"


class Trust:
    """Grants of this process. Asks once for a set, and not again for what was denied."""

    def __init__(self, desk: ApprovalDesk) -> None:
        self._desk = desk
        self._granted: set[str] = set()
        self._denied: dict[str, str] = {}

    async def ask_for(self, commands: Iterable[str], *, at_start: bool = False) -> None:
        """Asks for all commands that nobody decided on, as one question.

        `--yes` covers what stands in the specs `at_start` of an order, and not what appears while agents work: an
        agent's command could have written it.
        """
        new = tuple(dict.fromkeys(item for item in commands if item not in self._granted and item not in self._denied))
        if not new:
            return
        purpose = (
            f"{len(new)} verify command{'s' if len(new) > 1 else ''} from this repository would run on your machine"
        )
        decision = await self._desk.allowed(Ask("proposal", "\n".join(new), purpose, covered=at_start))
        if decision.allowed:
            self._granted.update(new)
        else:
            reason = LATE if self._desk.unattended and not at_start else decision.reason
            self._denied.update(dict.fromkeys(new, reason))

    def missing(self, commands: Iterable[str]) -> tuple[tuple[str, str], ...]:
        """Commands without a grant, each with the reason why it was denied."""
        return tuple(
            (item, self._denied.get(item, "nobody was asked")) for item in commands if item not in self._granted
        )

    def forget_denials(self) -> None:
        """A new order of the user: what was denied may be asked again."""
        self._denied.clear()
