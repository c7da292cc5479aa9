"""`specloom/credential/set`: a key for one endpoint. Refuses to answer with one."""

from specloom.domain.rejection import Rejected
from specloom.engine.api import KeyOrder
from specloom.lsp.protocol_credential import CredentialSetParams, CredentialSetResult
from specloom.lsp.serving import Hosted


async def set_key(hosted: Hosted, params: CredentialSetParams) -> CredentialSetResult | Rejected:
    """`specloom/credential/set`."""
    order = KeyOrder(params.endpoint, params.key.get_secret_value(), params.keep)
    answer = await hosted.runtime.set_key(order, hosted.by, params.command_id)
    if isinstance(answer, Rejected):
        return answer
    return CredentialSetResult(
        seq=answer.seq,
        repeated=answer.repeated,
        endpoint=answer.endpoint,
        kept=answer.kept,
        source=answer.source,
        message=answer.message,
    )
