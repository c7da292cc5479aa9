"""What a run came to: counts, usage, exit status. Refuses to look at anything but the state and what was heard."""

from dataclasses import dataclass

from specloom.cli.failures import Exit
from specloom.domain.events import agents
from specloom.domain.project import ProjectState
from specloom.domain.runs import RunOutcome, RunState, Scope
from specloom.domain.scope import tasks_in
from specloom.domain.states import TaskState
from specloom.domain.usage import UsageTotal
from specloom.engine.api import Published
from specloom.engine.gate import over_budget

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


@dataclass(slots=True)
class Spent:
    """What this command used: turns and tokens of every session it heard of, planning included."""

    turns: int = 0
    usage: UsageTotal = UsageTotal()

    def hear(self, published: Published) -> None:
        """Adds what a finished turn cost."""
        if isinstance(published.event, agents.TurnFinished):
            self.turns += 1
            self.usage += published.event.usage


def summary_json(counts: Counts, spent: Spent, wall_s: float) -> dict[str, object]:
    """The last line of `run --json` and `demo --json`."""
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


def exit_of_run(state: ProjectState, counts: Counts, wall_s: float) -> Exit:
    """The status that the last run earned, were it not interrupted."""
    run = state.run
    if run is not None:
        if run.outcome is RunOutcome.FAULT:
            return Exit.USAGE
        if run.outcome is RunOutcome.BUDGET or (run.state is RunState.PAUSED and over_budget(run, wall_s)):
            return Exit.BUDGET
        if run.state is RunState.PAUSED:
            return Exit.USAGE
    if counts.failed or counts.blocked or counts.pending or not counts.total:
        return Exit.INCOMPLETE
    return Exit.OK
