"""`specloom run`: works through a scope, and plans first where there is nothing to work through."""

import argparse

from specloom.cli.early import check_plannable, refuse_early
from specloom.cli.failures import Exit
from specloom.cli.options import order_of
from specloom.cli.output import Output
from specloom.cli.ports import Place, Preview
from specloom.cli.scopes import resolve_scope
from specloom.cli.views.endings import doubt_lines, has_errors, next_steps, problem_lines, total_line
from specloom.cli.views.event_lines import run_end
from specloom.cli.views.summary import count_tasks, exit_of_run, summary_json
from specloom.cli.work import Work, perform
from specloom.domain.commands import PauseRun
from specloom.domain.left_plans import left_plan
from specloom.domain.runs import Budget, Scope


async def run(arguments: argparse.Namespace, place: Place, output: Output) -> Exit:
    """Returns the exit status. Raises `CommandError`."""
    if arguments.estimate:
        from specloom.cli import estimate

        return await estimate.run(arguments, place, output)
    if arguments.detach or arguments.pause or arguments.cancel:
        from specloom.cli import orders

        return await orders.run(arguments, place, output)
    order = order_of(arguments, place)
    await refuse_early(place, order, lambda seen: check_runnable(seen, arguments.scope, place))

    async def job(work: Work) -> None:
        await plan_and_run(work, arguments.scope, Budget(usd=arguments.budget_usd))

    work = await perform(place, output, order, job)
    return conclude(work)


def check_runnable(seen: Preview, stated: str | None, place: Place) -> None:
    """Raises `CommandError` where a run would find nothing to plan from or to work through."""
    if not seen.state.plan.specs:
        check_plannable(seen, None, place.root)
    else:
        resolve_scope(seen.state, stated)


async def plan_and_run(work: Work, stated: str | None, budget: Budget) -> None:
    """Plans where no specs exist, or goes on with a plan that was left half, then works through the scope."""
    left = left_plan(work.state) if stated is None else None
    if (left is not None or not work.state.plan.specs) and not work.stopped:
        await work.plan(None if left is None else left.path, "")
        left = left_plan(work.state)
    if work.stopped or left is not None or not work.state.graph.tasks:
        return
    scope = resolve_scope(work.state, stated)
    await work.run(scope, budget, stated=stated is not None)


def conclude(work: Work) -> Exit:
    """Says what came of it; the exit status by design's order."""
    counts = count_tasks(work.state, work.scope)
    if work.detached and not work.output.as_json:
        return Exit.INTERRUPTED
    if work.output.as_json:
        work.output.json(summary_json(counts, work.spent, work.wall_s))
    else:
        _tell(work)
    if work.stopped:
        return Exit.INTERRUPTED
    status = exit_of_run(work.state, counts)
    half = work.scope == Scope() and left_plan(work.state) is not None
    return Exit.INCOMPLETE if half and status is Exit.OK else status


def _tell(work: Work) -> None:
    from specloom.cli.views.rows import spec_rows
    from specloom.cli.views.tree import Pen, draw

    output, state = work.output, work.state
    if output.is_terminal and state.graph.tasks:
        output.show(*draw(spec_rows(state, work.scope), Pen(output.width, output.is_plain)))
    for line in (*problem_lines(work.problems, errors_only=True), *doubt_lines(work.problems)):
        output.line(line)
    output.line(total_line(count_tasks(state, work.scope), work.spent, work.wall_s))
    for reason in _reasons(work) if output.is_terminal else ():
        output.line(reason)
    torn = has_errors(problem for found in work.problems.values() for problem in found)
    for step in next_steps(state, work.scope, torn=torn, stopped=not work.elsewhere):
        output.line(f"next: {step}")


def _reasons(work: Work) -> list[str]:
    """Why it ended where it did: the picture is gone, and the lines of a log have said so."""
    run = work.state.run
    if run is None or not work.state.graph.tasks:
        return []  # A plan that failed has been told above the picture.
    if run.active:
        return [f"paused: {run.reason}" if run.reason and run.reason != PauseRun().reason else "paused"]
    return [run_end(run.outcome, run.reason)] if run.outcome else []
