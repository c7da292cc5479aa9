"""What a command says at its end. Refuses to repeat what was said before: results and next steps only."""

from collections.abc import Iterable, Mapping

from specloom.cli.views.formats import count, duration, usage, visible_line
from specloom.cli.views.summary import Counts, Spent
from specloom.domain.budgets import OF, BudgetPart
from specloom.domain.ids import TaskId
from specloom.domain.left_plans import broken_off, left_plan
from specloom.domain.problem import NOWHERE, Problem, Severity, in_order
from specloom.domain.project import ProjectState
from specloom.domain.runs import RunOutcome, RunState, Scope
from specloom.domain.scope import tasks_in
from specloom.domain.states import TaskState


def counts_line(counts: Counts) -> str:
    """`4/10 done, 1 failed`: only what is not zero besides done."""
    rest = (("failed", counts.failed), ("blocked", counts.blocked), ("skipped", counts.skipped))
    return ", ".join([f"{counts.done}/{counts.total} done", *(f"{number} {word}" for word, number in rest if number)])


def total_line(counts: Counts, spent: Spent, wall_s: float) -> str:
    """`10/10 done · 23 turns (5 of them planning) · 12.3k in, 4.5k out, $0.12 · 42 s`."""
    turns = count(spent.turns, "turn") + (f" ({spent.planning} of them planning)" if spent.planning else "")
    took = duration(wall_s) + (" since it went on" if spent.resumed else "")
    parts = (counts_line(counts), turns, usage(spent.usage), took)
    return " · ".join(parts if counts.total else parts[1:])


DOUBTS = frozenset({"requirement-changed", "proof-outdated", "proof-stale"})
"""Problems that make less of what is done."""


def problem_line(problem: Problem) -> str:
    """`specs/01-core.md:12:5: error: message`."""
    place = visible_line(problem.path)
    if problem.span != NOWHERE:
        place += f":{problem.span.start_line + 1}:{problem.span.start_column + 1}"
    return f"{place}: {problem.severity.value}: {problem.message}"


def problem_lines(problems: Mapping[str, tuple[Problem, ...]], *, errors_only: bool = False) -> list[str]:
    """Every problem with its place, in order."""
    found = in_order(problems)
    return [problem_line(item) for item in found if not errors_only or item.severity is Severity.ERROR]


def doubt_lines(problems: Mapping[str, tuple[Problem, ...]]) -> list[str]:
    """What makes less of what a run has done, though no error: a requirement or a file is another one by now."""
    return [problem_line(item) for item in in_order(problems) if item.code in DOUBTS]


def has_errors(problems: Iterable[Problem]) -> bool:
    """Whether something has to be mended before work makes sense."""
    return any(problem.severity is Severity.ERROR for problem in problems)


def next_steps(state: ProjectState, scope: Scope, *, torn: bool = False, stopped: bool = False) -> list[str]:
    """What a person may do now, most useful first.

    `torn`: the documents have errors, which were shown. `stopped`: nobody works on the run that the log says goes on.
    """
    run = state.run
    if not state.graph.tasks or _is_planning(state, stopped=stopped):
        return [_first_step(state, torn=torn, stopped=stopped)]
    steps = _left_half(state) if scope == Scope() else []
    if run is not None and run.active:
        held = stopped or run.state is RunState.PAUSED
        if state.approvals and not stopped:
            steps.append("`specloom attach` shows the run and puts what it asks, `specloom approve` answers it")
        else:
            steps.append("`specloom run` goes on where it was" if held else "`specloom attach` shows the run")
    by_state: dict[TaskState, list[TaskId]] = {}
    for task in tasks_in(state.graph, scope):
        by_state.setdefault(state.state_of(task), []).append(task)
    if failed := by_state.get(TaskState.FAILED):
        steps.append(f"`specloom run {failed[0]}` tries a failed task again; `specloom events` tells what happened")
    if blocked := [task for task in by_state.get(TaskState.BLOCKED, ()) if state.tasks[task].cause is None]:
        steps.append(_unblocking(any(state.tasks[task].ungranted for task in blocked)))
    if not steps and not by_state.keys().isdisjoint((TaskState.READY, TaskState.PENDING, TaskState.IN_PROGRESS)):
        step = f"{_from_when(state)}`specloom run` works through what is left"
        steps.append(f"mend the errors above, then {step}" if torn else step)
    if state.prompts and (run is None or not run.active):
        steps.append(f"{count(len(state.prompts), 'prompt')} not heard yet: the next agent at work hears what was said")
    return steps


def _from_when(state: ProjectState) -> str:
    """Where the last run ended for want of it, a further one has nothing of that day's budget either."""
    run = state.run
    if run is None or run.outcome is not RunOutcome.BUDGET or OF[BudgetPart.DAY] not in run.reason:
        return ""
    return "once that day is over, or with more in `[budget.day]`, "


def _left_half(state: ProjectState) -> list[str]:
    if left_plan(state) is None:
        return []
    names = ", ".join(broken_off(state))
    return [f"`specloom plan` goes on where it was, and `specloom run` does so first: {names} without tasks yet"]


def _is_planning(state: ProjectState, *, stopped: bool) -> bool:
    return state.running_plan is not None and not stopped


def _first_step(state: ProjectState, *, torn: bool, stopped: bool) -> str:
    """Where there is nothing to work through yet, or that is being written."""
    if _is_planning(state, stopped=stopped):
        return "`specloom attach` shows the plan"
    if state.plan.specs:
        return "`specloom plan` again: there are specs and no tasks yet"
    step = "`specloom plan` turns the requirements into specs and tasks"
    if not state.requirements and not torn:
        step = f"write what is wanted into requirements.md, one item a line, then {step}"
    return f"mend the errors above, then {step}" if torn else step


def _unblocking(refused: bool) -> str:
    """`refused`: a verify command was not allowed."""
    if refused:
        return "`specloom approve` allows what was not, and `specloom run` asks for it again"
    return "`specloom tasks --state blocked` tells what is missing"
