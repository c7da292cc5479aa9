"""What a run came to: counts, usage, exit status. Refuses to look at anything but the state and what was heard."""

from dataclasses import dataclass

from specloom.cli.failures import Exit
from specloom.domain.events import planning, runs
from specloom.domain.ids import PlanId, RunId
from specloom.domain.project import ProjectState
from specloom.domain.runs import PauseCause, RunOutcome, RunState, Scope
from specloom.domain.scope import tasks_in
from specloom.domain.states import TaskState
from specloom.domain.usage import UsageTotal
from specloom.engine.api import Published

_SHOWN = (TaskState.DONE, TaskState.FAILED, TaskState.BLOCKED, TaskState.SKIPPED)


@dataclass(frozen=True, slots=True)
class Counts:
    """The leaves in scope by state; what is in progress or ready counts as pending."""

    done: int = 0
    failed: int = 0
    blocked: int = 0
    skipped: int = 0
    pending: int = 0

    @property
    def total(self) -> int:
        """The sum of all."""
        return self.done + self.failed + self.blocked + self.skipped + self.pending


def count_tasks(state: ProjectState, scope: Scope) -> Counts:
    """Counts the leaves that a run of this scope would work on."""
    numbers = dict.fromkeys((*_SHOWN, TaskState.PENDING), 0)
    for task in tasks_in(state.graph, scope):
        seen = state.record(task).state
        numbers[seen if seen in _SHOWN else TaskState.PENDING] += 1
    return Counts(**{seen.value: number for seen, number in numbers.items()})


@dataclass(frozen=True, slots=True)
class Spent:
    """What a plan and a run came to, whichever processes and roles worked on them."""

    turns: int = 0
    usage: UsageTotal = UsageTotal()
    planning: int = 0
    """Turns that were those of the plan."""
    resumed: bool = False
    """An earlier process had begun the run."""


@dataclass(slots=True)
class Worked:
    """Which plan and which run a command works on."""

    plan: PlanId | None = None
    run: RunId | None = None
    resumed: bool = False

    def hear(self, published: Published) -> None:
        """Takes in a committed event."""
        event = published.event
        if isinstance(event, planning.PlanStarted):
            self.plan = event.plan
        elif isinstance(event, runs.RunStarted):
            self.run, self.resumed = event.run, False
        elif isinstance(event, runs.RunResumed):
            self.resumed, self.run = self.resumed or self.run is None, event.run

    def join(self, state: ProjectState) -> None:
        """Takes up what goes on already."""
        plan, run = state.running_plan, state.run
        if plan is not None:
            self.plan = plan.id
        if run is not None and run.active:
            self.run, self.resumed = run.id, True

    def spent(self, state: ProjectState) -> Spent:
        """What they came to so far, as the log has it."""
        plan = state.planning if state.planning is not None and state.planning.id == self.plan else None
        run = state.run if state.run is not None and state.run.id == self.run else None
        planned = plan.turns if plan is not None else 0
        parts = [part.usage for part in (plan, run) if part is not None]
        turns = planned + (run.turns if run is not None else 0)
        return Spent(turns, sum(parts, UsageTotal()), planned if run is not None else 0, self.resumed)


def all_turns(state: ProjectState) -> int:
    """Of every plan and run of a project."""
    return sum(session.turns for session in state.sessions.values())


def summary_json(counts: Counts, spent: Spent, wall_s: float) -> dict[str, object]:
    """The last line of `run --json` and `demo --json`; `wall_s` is of this process alone."""
    usage = spent.usage
    return {
        "type": "summary",
        "tasks": counts_json(counts),
        "turns": spent.turns,
        "usage": {
            "input": usage.input,
            "output": usage.output,
            "cacheRead": usage.cache_read,
            "cacheWrite": usage.cache_write,
            "costUsd": usage.cost_usd,
        },
        "wall_s": round(wall_s, 3),
    }


def counts_json(counts: Counts) -> dict[str, int]:
    """The total first, then its parts."""
    return {
        "total": counts.total,
        "done": counts.done,
        "failed": counts.failed,
        "blocked": counts.blocked,
        "skipped": counts.skipped,
        "pending": counts.pending,
    }


def exit_of_run(state: ProjectState, counts: Counts) -> Exit:
    """The status that the last run earned, were it not interrupted."""
    run = state.run
    if run is not None:
        if run.outcome is RunOutcome.FAULT:
            return Exit.USAGE
        if run.outcome is RunOutcome.BUDGET or (run.state is RunState.PAUSED and run.cause is PauseCause.BUDGET):
            return Exit.BUDGET
        if run.state is RunState.PAUSED:
            return Exit.USAGE
    if counts.failed or counts.blocked or counts.pending or not counts.total:
        return Exit.INCOMPLETE
    return Exit.OK
