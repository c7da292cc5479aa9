"""`specloom/approval/*`: the queue of questions. Refuses to decide anything."""

from specloom.domain.ids import ApprovalId
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.lsp import protocol as p
from specloom.lsp.features.orders import order_result
from specloom.lsp.serving import Hosted, Serving
from specloom.lsp.wire_project import wire_approvals


async def list_approvals(serving: Serving, params: p.ApprovalListParams) -> p.ApprovalListResult:
    """`specloom/approval/list`."""
    del params
    return p.ApprovalListResult(approvals=wire_approvals(await serving.refreshed() or ProjectState()))


async def answer(hosted: Hosted, params: p.ApprovalAnswerParams) -> p.OrderResult | Rejected:
    """`specloom/approval/answer`."""
    approval = ApprovalId(params.approval_id)
    return order_result(await hosted.runtime.answer(approval, params.choice, hosted.by, params.command_id))
