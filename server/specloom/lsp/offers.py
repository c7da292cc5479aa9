"""What a person can do at a line of a document, and what stands there in a few words: lenses and actions alike.

Refuses rendering. Every offer carries a command, so that clients without lenses have it as a code action.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from specloom.domain.project import ApprovalRecord, ProjectState
from specloom.domain.requirement import RequirementsDocument
from specloom.domain.runs import RunState, why_paused
from specloom.domain.spec import SpecDefinition, SpecStatus, TaskDefinition
from specloom.engine.api import Runtime
from specloom.lsp.task_view import label_of, progress_of, served, state_of
from specloom.lsp.uris import Places
from specloom.lsp.wire_orders import RUN_METHOD, orders_for

_FEEDBACK = re.compile(r"<!--[ \t]*feedback:(.*?)-->", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Offer:
    """One order at one line."""

    line: int
    title: str
    method: str
    params: Mapping[str, Any] = field(default_factory=dict[str, Any])
    only_action: bool = False
    """Not worth a lens of its own."""
    as_action: str = ""
    """The title in a menu of actions, for a lens that only tells something; it stands there behind the orders."""


def offers_of(runtime: Runtime, places: Places, path: str, text: str) -> list[Offer]:
    """All offers of one document, from top to bottom; none for a document that is neither requirements nor spec."""
    spec = runtime.spec_at(path)
    if spec is not None:
        return list(_spec_offers(runtime.state, spec))
    document = runtime.requirements_at(path)
    if document is not None:
        return list(_requirements_offers(runtime.state, document, places, text))
    return []


def feedback_in(text: str) -> str:
    """What stands in comments of the form `<!-- feedback: … -->`: the way to say it in an editor without our client."""
    return "\n".join(match[1].strip() for match in _FEEDBACK.finditer(text))


def _requirements_offers(
    state: ProjectState, document: RequirementsDocument, places: Places, text: str
) -> Iterator[Offer]:
    uri = places.uri_of(document.path)
    yield from _run_offers(state)
    if _is_planning(state):
        yield Offer(0, "Planning… Stop", "specloom/spec/cancel")
    else:
        yield from _plan_offers(state, uri, text)
    served_by = served(state)
    for requirement in document.requirements if served_by else ():
        specs = served_by.get(requirement.id, ())
        if specs:
            title = ", ".join(f"{spec.id} ({progress_of(state, spec)})" for spec in specs)
            yield Offer(
                requirement.span.start_line, f"served by {title}", "specloom/spec/show", {"specId": specs[0].id}
            )
        else:
            yield Offer(
                requirement.span.start_line, "not served by any spec: Generate", "specloom/spec/generate", {"uri": uri}
            )


def _plan_offers(state: ProjectState, uri: str, text: str) -> Iterator[Offer]:
    feedback = feedback_in(text)
    if not len(state.plan.specs):
        yield Offer(0, "Generate specs", "specloom/spec/generate", {"uri": uri})
    if len(state.plan.specs) or feedback:
        title = "Regenerate with feedback" if feedback else "Regenerate specs"
        yield Offer(0, title, "specloom/spec/generate", {"uri": uri, "feedback": feedback})
    if len(state.plan.specs):
        yield Offer(0, "Run all", "specloom/run/start", {"scope": {"kind": "project"}})


def _spec_offers(state: ProjectState, spec: SpecDefinition) -> Iterator[Offer]:
    yield from _run_offers(state)
    if spec.status is SpecStatus.GENERATING:
        yield from _generating_offers(state, spec)
        return
    extract = Offer(0, "Extract tasks", "specloom/task/extract", {"specId": spec.id}, only_action=bool(spec.tasks))
    if not _is_running(state) and not _is_planning(state):
        if spec.tasks:
            scope = {"kind": "spec", "id": spec.id}
            yield Offer(0, f"Run spec: {progress_of(state, spec)}", "specloom/run/start", {"scope": scope})
        yield extract
    for task in spec.tasks:
        yield from _task_offers(state, task)


def _generating_offers(state: ProjectState, spec: SpecDefinition) -> Iterator[Offer]:
    if _is_planning(state):
        yield Offer(0, "Generating… Stop", "specloom/spec/cancel")
        return
    yield Offer(0, "Continue generating", "specloom/spec/settle", {"specId": spec.id, "choice": "continue"})
    yield Offer(0, "Discard this spec", "specloom/spec/settle", {"specId": spec.id, "choice": "discard"})


def _approval_offers(state: ProjectState, line: int, task: TaskDefinition | None = None) -> Iterator[Offer]:
    """Questions that concern a task, or all of them: also who dismissed a question finds it again."""
    for record in state.approvals.values():
        if task is None or _concerns(record, task):
            for choice in record.choices:
                params = {"approvalId": record.id, "choice": choice}
                yield Offer(line, f"{choice}: {_subject_of(record)}", "specloom/approval/answer", params)


def _concerns(record: ApprovalRecord, task: TaskDefinition) -> bool:
    if record.kind == "proposal":
        return not set(task.verify).isdisjoint(record.subject.split("\n"))
    return record.task == task.id


def _subject_of(record: ApprovalRecord) -> str:
    """On one line; many commands of specs are counted, since each stands at its task."""
    lines = record.subject.split("\n")
    if record.kind == "proposal" and len(lines) > 1:
        return f"the {len(lines)} verify commands of this run"
    return " ⏎ ".join(lines)


def _run_offers(state: ProjectState) -> Iterator[Offer]:
    """The active run and what it asks, at the top of every document."""
    yield from _approval_offers(state, 0)
    run = state.run
    if run is None or not run.active:
        return
    if run.state is RunState.PAUSED:
        reason = f" ({run.reason})" if why_paused(run.reason) else ""
        yield Offer(0, f"Resume run{reason}", "specloom/run/resume")
    elif run.state is RunState.RUNNING:
        yield Offer(0, "Pause run", "specloom/run/pause")
    if run.state is not RunState.CANCELLING:
        yield Offer(0, "Cancel run", "specloom/run/cancel")


def _task_offers(state: ProjectState, task: TaskDefinition) -> Iterator[Offer]:
    named = {"taskId": task.id}
    label = label_of(state, task.id)
    yield Offer(task.line, label, "specloom/task/describe", named, as_action=f"Show details ({label})")
    yield from _approval_offers(state, task.line, task)
    idle = not _is_running(state) and not _is_planning(state)
    for order in orders_for(state_of(state, task.id), state.record(task.id), is_leaf=task.is_leaf, idle=idle):
        params = {"scope": {"kind": "task", "id": task.id}} if order.method == RUN_METHOD else named
        yield Offer(task.line, order.title, order.method, params)


def _is_running(state: ProjectState) -> bool:
    return state.run is not None and state.run.active


def _is_planning(state: ProjectState) -> bool:
    return state.running_plan is not None
