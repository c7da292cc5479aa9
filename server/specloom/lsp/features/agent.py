"""`specloom/agent/*` and `specloom/prompt/*`. Refuses to wait until an agent hears: events tell."""

from specloom.domain.ids import AgentId, PromptId
from specloom.domain.rejection import Rejected
from specloom.lsp import protocol as p
from specloom.lsp.features.orders import order_result, started
from specloom.lsp.serving import Hosted


async def prompt(hosted: Hosted, params: p.AgentPromptParams) -> p.AgentPromptResult | Rejected:
    """`specloom/agent/prompt`."""
    accepted = await hosted.runtime.prompt(AgentId(params.agent_id), params.text, hosted.by, params.command_id)
    answer = started(accepted, "prompt")
    if isinstance(answer, Rejected):
        return answer
    return p.AgentPromptResult(seq=answer.seq, repeated=answer.repeated, prompt_id=answer.id)


async def withdraw(hosted: Hosted, params: p.PromptWithdrawParams) -> p.OrderResult | Rejected:
    """`specloom/prompt/withdraw`."""
    return order_result(await hosted.runtime.withdraw_prompt(PromptId(params.prompt_id), hosted.by, params.command_id))
