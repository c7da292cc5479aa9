"""Refuses an order before anything is opened, so that nothing is written for it. Refuses to change anything."""

from collections.abc import Callable
from pathlib import Path

from specloom.cli.failures import CommandError
from specloom.cli.ports import Place, Preview
from specloom.cli.requirements import first_error, why_nothing
from specloom.cli.work import Order


async def refuse_early(place: Place, order: Order, check: Callable[[Preview], None]) -> None:
    """Raises `CommandError` for what hosting the root would refuse, too; `check` only where there is no log yet."""
    seen = await place.composition.preview(
        place.root, place.environment, order.overrides, grant_proposals=order.unattended
    )
    if seen.refusal:
        raise CommandError(seen.refusal[:1].lower() + seen.refusal[1:])
    if not seen.has_log:
        check(seen)


def check_plannable(seen: Preview, stated: str | None, root: Path) -> None:
    """Raises `CommandError` where there is nothing to plan from, with what is wrong with the document."""
    path = stated or next(iter(seen.requirements), None)
    if path is None:
        raise CommandError(why_nothing(seen.problems, root))
    if path not in seen.requirements or not seen.state.requirements.get(path):
        problem = first_error(seen.problems.get(path, ()))
        raise CommandError(problem or f"{path} holds no requirements; write what is wanted, one item a line")
