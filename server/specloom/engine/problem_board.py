"""All problems of a project by path, gathered when somebody asks and something changed. Refuses to store any."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from specloom.domain.problem import Problem
from specloom.domain.project import ProjectState
from specloom.engine.library import Library
from specloom.engine.listeners import Listeners
from specloom.engine.problems import planning_problems, task_problems, torn_specs
from specloom.engine.shelf import Shelf


class ProblemBoard:
    """Remembers the last answer for as long as state and documents are the same."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._made_of: tuple[object, ...] = ()
        self._answer: Mapping[str, tuple[Problem, ...]] = {}
        self._extra: tuple[Problem, ...] = ()
        self._watching = Listeners[Callable[[], None]]()
        library.on_shelf = self._tell

    def watch(self, listener: Callable[[], None]) -> AbstractContextManager[None]:
        """Calls it while the context is open when problems may be others though no event tells of it."""
        return self._watching.present(listener)

    def add(self, problems: tuple[Problem, ...]) -> None:
        """Of files that are no documents; they take the place of those added before."""
        self._extra = problems
        self._tell()

    def _tell(self) -> None:
        for listener in self._watching:
            listener()

    def problems(self, state: ProjectState) -> Mapping[str, tuple[Problem, ...]]:
        """Problems by path, in the order of their places; each once."""
        shelf = self._library.shelf
        # Most events change none of these, and one is asked after each: what is the same object says the same.
        made_of = (
            *(state.tasks, state.plan, state.planning, state.requirements, state.out_of_scope),
            *(shelf, self._extra, self._library.ticking),
        )
        if [*map(id, self._made_of)] != [*map(id, made_of)]:
            self._made_of = made_of
            self._answer = self._gather(state, shelf)
        return self._answer

    def _gather(self, state: ProjectState, shelf: Shelf) -> Mapping[str, tuple[Problem, ...]]:
        plan = state.running_plan
        writing = frozenset(path for _, path in plan.writing) if plan is not None else ()
        found = [
            *self._extra,
            *self._library.problems(),
            *state.plan.problems,
            *planning_problems(state),
            *torn_specs(shelf, frozenset(writing)),
            *task_problems(state, shelf, self._library.ticking),
        ]
        by_path: dict[str, dict[Problem, None]] = {}
        for problem in found:
            by_path.setdefault(problem.path, {})[problem] = None
        return {path: tuple(sorted(items, key=_place)) for path, items in by_path.items()}


def _place(problem: Problem) -> tuple[int, int, str]:
    return problem.span.start_line, problem.span.start_column, problem.code
