"""`specloom/task/*`. Refuses to wait for an agent: what comes of an order is heard of through events."""

from difflib import get_close_matches

from lsprotocol import types

from specloom.domain.commands import ResetTask, RetryTask, SkipTask, UnblockTask, UserTaskCommand
from specloom.domain.ids import SpecId, TaskId
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.lsp import protocol as p
from specloom.lsp.features.orders import order_result, plan_result
from specloom.lsp.serving import Hosted, Serving
from specloom.lsp.task_view import description_of


async def extract(hosted: Hosted, params: p.TaskExtractParams) -> p.PlanResult | Rejected:
    """`specloom/task/extract`."""
    spec = SpecId(params.spec_id)
    return plan_result(await hosted.runtime.extract_tasks(spec, params.feedback, hosted.by, params.command_id))


async def retry(hosted: Hosted, params: p.TaskParams) -> p.OrderResult | Rejected:
    """`specloom/task/retry`."""
    return await _change(hosted, RetryTask(TaskId(params.task_id)), params)


async def skip(hosted: Hosted, params: p.TaskSkipParams) -> p.OrderResult | Rejected:
    """`specloom/task/skip`."""
    return await _change(hosted, SkipTask(TaskId(params.task_id), params.reason), params)


async def unblock(hosted: Hosted, params: p.TaskParams) -> p.OrderResult | Rejected:
    """`specloom/task/unblock`."""
    return await _change(hosted, UnblockTask(TaskId(params.task_id)), params)


async def reset(hosted: Hosted, params: p.TaskParams) -> p.OrderResult | Rejected:
    """`specloom/task/reset`."""
    return await _change(hosted, ResetTask(TaskId(params.task_id)), params)


async def describe(serving: Serving, params: p.TaskDescribeParams) -> p.TaskDescribeResult | Rejected:
    """`specloom/task/describe`."""
    state, task = await serving.refreshed(), TaskId(params.task_id)
    unknown = unknown_task(state, task)
    if state is None or unknown is not None:
        return unknown or Rejected("nothing-to-read", "There is no log of this root yet")
    text = description_of(state, task)
    serving.connection.outgoing.show(types.MessageType.Info, text.replace("**", "").replace("`", ""))
    return p.TaskDescribeResult(markdown=text)


def unknown_task(state: ProjectState | None, task: TaskId) -> Rejected | None:
    """The refusal for an id that names no task, with ids that are near."""
    if state is None or task in state.graph.tasks or task in state.tasks:
        return None
    near = tuple(get_close_matches(task, list(state.graph.tasks), n=3, cutoff=0.4))
    return Rejected("unknown-task", f"There is no task {task!r}", near)


async def _change(hosted: Hosted, command: UserTaskCommand, params: p.TaskParams) -> p.OrderResult | Rejected:
    return order_result(await hosted.runtime.change_task(command, hosted.by, params.command_id))
