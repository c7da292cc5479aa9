"""Symbols and colours of states. Refuses a state that colour alone tells."""

from dataclasses import dataclass

from specloom.cli.views.formats import one_line
from specloom.domain.evidence import Evidence, EvidenceKind, is_proven
from specloom.domain.project import TaskRecord
from specloom.domain.states import TaskState


@dataclass(frozen=True, slots=True)
class Mark:
    """How a state looks; `plain` is for terminals without Unicode."""

    symbol: str
    plain: str
    style: str


MARKS: dict[TaskState, Mark] = {
    TaskState.PENDING: Mark("·", ".", "dim"),
    TaskState.READY: Mark("○", "o", ""),
    TaskState.IN_PROGRESS: Mark("▶", ">", "bold cyan"),
    TaskState.DONE: Mark("✓", "x", "green"),
    TaskState.FAILED: Mark("✗", "!", "bold red"),
    TaskState.BLOCKED: Mark("■", "#", "yellow"),
    TaskState.SKIPPED: Mark("–", "-", "dim"),
}

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
PLAIN_SPINNER = "|/-\\"

_DONE_BY = {
    EvidenceKind.COMMAND: "done",
    EvidenceKind.REVIEWER: "reviewed",
    EvidenceKind.USER: "ticked by hand",
    EvidenceKind.IMPORTED: "found ticked",
}


def done_by(record: TaskRecord) -> str:
    """What stands behind a done task: `proven`, or less."""
    if record.stale:
        return "proof stale"
    if is_proven(record.evidence):
        return _proven(record.evidence)
    kinds = dict.fromkeys(_DONE_BY[item.kind] for item in record.evidence)
    return ", ".join(kinds) or "done"


def _proven(evidence: tuple[Evidence, ...]) -> str:
    weak = [item.command for item in evidence if item.discriminating is False]
    if not weak:
        return "proven"
    if len(weak) == len(evidence):
        return f"proven ({'its command' if len(weak) == 1 else 'its commands'} passed before, too)"
    return f"proven ({', '.join(f'`{one_line(command, 80)}`' for command in weak)} passed before, too)"


def remark(state: TaskState, record: TaskRecord) -> str:
    """What to say beside a task, empty for nothing."""
    if state is TaskState.DONE:
        said = done_by(record)
        return f"{said}, attempt {record.attempts}" if record.attempts > 1 else said
    if state is TaskState.IN_PROGRESS:
        return f"attempt {record.attempts}"
    if state in (TaskState.FAILED, TaskState.BLOCKED, TaskState.SKIPPED):
        return f"{state.value}: {record.reason}" if record.reason else state.value
    return f"after {record.attempts} attempts" if record.attempts > 1 else ""
