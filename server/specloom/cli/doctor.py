"""`specloom doctor`: checks what Specloom needs, each with how to mend it. Refuses to change anything."""

import argparse
import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from specloom.cli.checks.check import Check, Level
from specloom.cli.checks.machine import check_editors, check_git, check_python, check_ripgrep
from specloom.cli.checks.models import model_checks
from specloom.cli.checks.project import project_checks
from specloom.cli.failures import Exit
from specloom.cli.output import Output
from specloom.cli.ports import Place
from specloom.cli.views.formats import count, visible
from specloom.cli.views.marks import MARKS
from specloom.domain.states import TaskState
from specloom.lsp.ordered import overrides_of

if TYPE_CHECKING:
    from rich.console import RenderableType


async def run(arguments: argparse.Namespace, place: Place, output: Output) -> Exit:
    """Returns 1 if a check failed."""
    counts = dict.fromkeys(Level, 0)
    async for check in _checks(arguments, place):
        counts[check.level] += 1
        if output.as_json:
            output.json({"type": "check", "name": check.name, "level": check.level.value} | _words(check))
        else:
            output.show(_row(check, plain=output.is_plain))
    if not output.as_json:
        output.line(_verdict(counts))
    return Exit.INCOMPLETE if counts[Level.FAIL] else Exit.OK


async def _checks(arguments: argparse.Namespace, place: Place) -> AsyncGenerator[Check]:
    yield check_python()
    for check in await asyncio.gather(check_git(), check_ripgrep(), check_editors()):
        yield check
    overrides = overrides_of(arguments.model, arguments.base_url)
    inspection = await place.composition.inspect(place.root, place.environment, overrides)
    for check in await asyncio.to_thread(lambda: list(project_checks(place.root, inspection))):
        yield check
    unkeyed = any(not endpoint.key for endpoint in inspection.endpoints)
    held = await place.composition.daemon_keys(place.environment) if unkeyed else None
    async for check in model_checks(inspection, held or (), offline=arguments.offline):
        yield check


def _words(check: Check) -> dict[str, object]:
    return {"message": check.message, "mend": "" if check.level is Level.OK else check.mend}


_LOOKS = {Level.OK: TaskState.DONE, Level.WARN: TaskState.BLOCKED, Level.FAIL: TaskState.FAILED}


def _row(check: Check, *, plain: bool) -> "RenderableType":
    from rich.table import Table
    from rich.text import Text

    mark = MARKS[_LOOKS[check.level]]
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=1, style=mark.style)
    grid.add_column(width=4, style=mark.style)
    grid.add_column(width=12)
    grid.add_column(overflow="fold")
    grid.add_row(mark.plain if plain else mark.symbol, check.level.value, check.name, Text(visible(check.message)))
    if check.mend and check.level is not Level.OK:
        grid.add_row("", "", "", Text(check.mend, style="bold"))
    return grid


def _verdict(counts: dict[Level, int]) -> str:
    if counts[Level.FAIL]:
        return f"{count(counts[Level.FAIL], 'check')} failed"
    warned = f", {count(counts[Level.WARN], 'warning')}" if counts[Level.WARN] else ""
    return f"ready to run{warned}"
