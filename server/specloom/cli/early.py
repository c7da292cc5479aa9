"""Refuses an order before anything is opened, so that nothing is written for it. Refuses to change anything."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from specloom.cli.failures import CommandError, begun_small
from specloom.cli.ports import Place, Preview
from specloom.cli.requirements import first_error, why_nothing
from specloom.cli.views.endings import problem_line
from specloom.cli.work import Order
from specloom.domain.problem import Severity, in_order

SETTINGS = ("specloom.toml", ".env")
"""What is wrong with them is told by itself."""


async def refuse_early(place: Place, order: Order, check: Callable[[Preview], None]) -> None:
    """Raises `CommandError` for what hosting the root would refuse, too; `check` only where there is no log yet."""
    seen = await place.composition.preview(
        place.root, place.environment, order.overrides, grant_proposals=order.unattended
    )
    if seen.keyless and order.joins and await place.composition.is_hosted(place.root, place.environment):
        # The daemon may hold a key that nobody else knows of, and refuses where it has none.
        seen = replace(seen, keyless="")
    try:
        if not seen.has_log:
            check(seen)
    except CommandError as error:
        raise CommandError(_told(_reasons(seen, str(error)))) from error
    if seen.refusals or seen.keyless:
        raise CommandError(_told(_reasons(seen)))


def _reasons(seen: Preview, check: str = "") -> list[str]:
    """Everything at once, so that nobody mends one thing to hear of the next; a missing key comes last."""
    if not seen.refusals and not seen.keyless:
        return [check]
    wrong = [item for item in in_order(seen.problems) if item.severity is Severity.ERROR and item.path not in SETTINGS]
    told = any(problem.message in check for problem in wrong)
    reasons = [*seen.refusals, *map(problem_line, wrong), "" if told else check, seen.keyless]
    return [begun_small(reason) for reason in reasons if reason]


def _told(reasons: list[str]) -> str:
    if len(reasons) == 1:
        return reasons[0]
    listed = "\n".join(f"  {number}. {reason}" for number, reason in enumerate(reasons, start=1))
    return f"{len(reasons)} things are in the way:\n{listed}"


def check_plannable(seen: Preview, stated: str | None, root: Path) -> None:
    """Raises `CommandError` where there is nothing to plan from, with what is wrong with the document."""
    path = stated or next(iter(seen.requirements), None)
    if path is None:
        raise CommandError(why_nothing(seen.problems, root))
    if path not in seen.requirements or not seen.state.requirements.get(path):
        problem = first_error(seen.problems.get(path, ()))
        raise CommandError(problem or f"{path} holds no requirements; write what is wanted, one item a line")
