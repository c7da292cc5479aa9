"""Refuses an order before anything is opened, so that nothing is written for it. Refuses to change anything."""

from collections.abc import Callable
from pathlib import Path

from specloom.cli.failures import CommandError
from specloom.cli.ports import Place, Preview
from specloom.cli.work import Order
from specloom.domain.problem import Problem, Severity

DOCUMENTS = ("requirements.md", "docs/requirements.md")
"""Where requirements are looked for; a folder of that name is no document."""


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
        raise CommandError(_nothing(seen, root))
    if path not in seen.requirements or not seen.state.requirements.get(path):
        problem = _first_error(seen.problems.get(path, ()))
        raise CommandError(problem or f"{path} holds no requirements; write what is wanted, one item a line")


def _nothing(seen: Preview, root: Path) -> str:
    for path in DOCUMENTS:
        if (root / path).is_dir():
            return f"{path} is a folder; put the requirements into a file of that name"
        if problem := _first_error(seen.problems.get(path, ())):
            return problem
    return f"there is no requirements.md in {root}; write what is wanted there, one item a line, and plan again"


def _first_error(problems: tuple[Problem, ...]) -> str:
    """With its file, if it does not name it."""
    message = next((problem for problem in problems if problem.severity is Severity.ERROR), None)
    if message is None:
        return ""
    return message.message if message.path in message.message else f"{message.path}: {message.message}"
