"""`specloom/evidence/get`. Refuses claims: only recorded evidence is shown."""

from specloom.domain.evidence import is_proven
from specloom.domain.ids import TaskId
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.lsp import protocol as p
from specloom.lsp.features.task import unknown_task
from specloom.lsp.serving import Serving
from specloom.lsp.wire_events import wire_evidence


async def get(serving: Serving, params: p.EvidenceGetParams) -> p.EvidenceGetResult | Rejected:
    """`specloom/evidence/get`."""
    state, task = await serving.refreshed() or ProjectState(), TaskId(params.task_id)
    unknown = unknown_task(state, task)
    if unknown is not None:
        return unknown
    record = state.record(task)
    return p.EvidenceGetResult(
        task_id=task,
        proven=is_proven(record.evidence) and not record.stale,
        stale=list(record.stale),
        outdated=list(record.outdated),
        evidence=[wire_evidence(item) for item in record.evidence],
    )
