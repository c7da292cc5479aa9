"""`specloom plan`: requirements into specs and tasks, shown while they are written."""

import argparse
from dataclasses import replace
from pathlib import Path

from specloom.cli.early import check_plannable, refuse_early
from specloom.cli.failures import CommandError, Exit
from specloom.cli.options import order_of
from specloom.cli.output import Output
from specloom.cli.ports import Place
from specloom.cli.requirements import DOCUMENTS
from specloom.cli.views.endings import has_errors, next_steps, problem_lines, total_line
from specloom.cli.views.summary import Counts, count_tasks, summary_json
from specloom.cli.work import Work, perform
from specloom.domain.runs import Scope


async def run(arguments: argparse.Namespace, place: Place, output: Output) -> Exit:
    """Returns the exit status. Raises `CommandError`."""
    path = requirements_path(arguments.requirements, place.root)
    order = order_of(arguments, place)
    if path is not None:
        # One that stands where nobody looks for it is found for this plan.
        order = replace(order, overrides={**order.overrides, "requirements": path})
    await refuse_early(place, order, lambda seen: check_plannable(seen, path, place.root))

    async def job(work: Work) -> None:
        await work.plan(path, arguments.feedback)

    work = await perform(place, output, order, job)
    if work.detached and not output.as_json:
        return Exit.INTERRUPTED
    if output.as_json:
        output.json(summary_json(count_tasks(work.state, Scope()), work.spent, work.wall_s))
    else:
        _tell(work)
        if path is not None and path not in DOCUMENTS:
            output.line(f'next: `requirements = "{path}"` in specloom.toml, so that runs and editors find it, too')
    return _status(work)


def requirements_path(stated: str | None, root: Path) -> str | None:
    """Relative to the root, with forward slashes; the option is relative to the present folder, else to the root."""
    if stated is None:
        return None
    near, far = Path(stated).expanduser().resolve(), (root / stated).resolve()
    found = near if near.exists() else far
    if not found.exists():
        raise CommandError(f"--requirements {stated}: there is no such file; name one inside {root}")
    if found.is_dir():
        raise CommandError(f"--requirements {stated}: this is a folder; name a file")
    if not found.is_relative_to(root.resolve()):
        raise CommandError(f"--requirements {stated}: outside of {root}; copy it there, or name its --workspace")
    return found.relative_to(root.resolve()).as_posix()


def _status(work: Work) -> Exit:
    if work.stopped:
        return Exit.INTERRUPTED
    planning = work.state.planning
    return Exit.OK if planning is not None and planning.state == "finished" else Exit.INCOMPLETE


def _tell(work: Work) -> None:
    from specloom.cli.views.outline import left_out
    from specloom.cli.views.plan_table import plan_table

    output, state = work.output, work.state
    if state.plan.specs:
        output.show(plan_table(state))
    for name, reason in left_out(state.planning):
        output.line(f"out of scope: {name}: {reason}")
    for line in problem_lines(work.problems):
        output.line(line)
    output.line(total_line(Counts(), work.spent, work.wall_s))
    torn = has_errors(problem for found in work.problems.values() for problem in found)
    for step in next_steps(state, Scope(), torn=torn, stopped=not work.elsewhere):
        output.line(f"next: {step}")
