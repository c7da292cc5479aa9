"""`specloom/changeset/get`. Refuses to change anything."""

from specloom.domain.ids import TaskId
from specloom.domain.rejection import Rejected
from specloom.lsp import protocol as p
from specloom.lsp.features.task import unknown_task
from specloom.lsp.serving import Hosted


async def get(hosted: Hosted, params: p.ChangesetGetParams) -> p.ChangesetGetResult | Rejected:
    """`specloom/changeset/get`."""
    task = TaskId(params.task_id)
    unknown = unknown_task(hosted.state, task)
    if unknown is not None:
        return unknown
    records = hosted.state.change_sets.get(task) or ()
    paths = dict.fromkeys(path for record in records for path in record.paths)
    return p.ChangesetGetResult(task_id=task, paths=list(paths), diff=await hosted.runtime.diff(task))
