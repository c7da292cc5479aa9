"""Turns SCOPE into what a run works through. Refuses to guess: an unknown id gets suggestions."""

from collections.abc import Sequence
from difflib import get_close_matches

from specloom.cli.failures import CommandError
from specloom.domain.ids import SpecId, TaskId
from specloom.domain.project import ProjectState
from specloom.domain.runs import Scope


def resolve_scope(state: ProjectState, stated: str | None) -> Scope:
    """Nothing, a spec id or a task id. Raises `CommandError`."""
    if stated is None:
        return Scope()
    if SpecId(stated) in state.plan.specs:
        return Scope("spec", stated)
    if TaskId(stated) in state.graph.tasks:
        return Scope("task", stated)
    raise CommandError(f"there is no spec or task {stated!r}; {_hint(state, stated)}")


def check_spec(state: ProjectState, stated: str) -> SpecId:
    """A spec id that exists. Raises `CommandError`."""
    if SpecId(stated) not in state.plan.specs:
        near = get_close_matches(stated, list(state.plan.specs), n=3, cutoff=0.5)
        raise CommandError(f"there is no spec {stated!r}; {_meant(near)}")
    return SpecId(stated)


def _hint(state: ProjectState, stated: str) -> str:
    known = [*sorted(state.plan.specs), *state.graph.order]
    ending = [task for task in state.graph.order if task.endswith(f"/{stated}")]
    near = (ending or get_close_matches(stated, known, n=3, cutoff=0.5))[:3]
    return _meant(near)


def _meant(near: Sequence[str]) -> str:
    return f"did you mean {' or '.join(near)}?" if near else "`specloom tasks` lists what there is"
