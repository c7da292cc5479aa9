"""`specloom/grant/*`: what was allowed for longer than once. Refuses to grant: that is the answer to a question."""

from specloom.domain.permissions.grants import Grant
from specloom.domain.rejection import Rejected
from specloom.lsp import protocol as p
from specloom.lsp.features.orders import order_result
from specloom.lsp.serving import Hosted


async def list_grants(hosted: Hosted, params: p.GrantListParams) -> p.GrantListResult:
    """`specloom/grant/list`."""
    del params
    return p.GrantListResult(grants=[_wire(grant) for grant in await hosted.runtime.grants()])


async def revoke(hosted: Hosted, params: p.GrantRevokeParams) -> p.OrderResult | Rejected:
    """`specloom/grant/revoke`."""
    return order_result(await hosted.runtime.revoke(params.grant_id, hosted.by, params.command_id))


def _wire(grant: Grant) -> p.Grant:
    return p.Grant(
        id=grant.id,
        kind=grant.kind.value,
        text=grant.text,
        scope="project" if grant.task is None else "task",
        task_id=grant.task,
        granted_at=grant.at,
    )
