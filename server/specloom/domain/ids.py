"""Names of things, and digests of texts. Refuses to make an id: new ids come from the `Ids` port."""

import hashlib
from typing import NewType

SpecId = NewType("SpecId", str)
"""`"01"` in our layout, the folder name in Kiro's and Spec Kit's."""
TaskId = NewType("TaskId", str)
"""`<spec id>/<number>`, for example `"01/2.1"`."""
RequirementId = NewType("RequirementId", str)
ProjectId = NewType("ProjectId", str)
RunId = NewType("RunId", str)
AgentId = NewType("AgentId", str)
AttemptId = NewType("AttemptId", str)
SessionId = NewType("SessionId", str)
CallId = NewType("CallId", str)
"""The id that the model gave a tool call."""
CheckId = NewType("CheckId", str)
"""One execution of a verification command."""
EditId = NewType("EditId", str)
ApprovalId = NewType("ApprovalId", str)
PlanId = NewType("PlanId", str)
PromptId = NewType("PromptId", str)
CommandId = NewType("CommandId", str)
Digest = NewType("Digest", str)
"""64 lower-case hex digits of SHA-256."""
NO_DIGEST = Digest("")
"""Of what has not been digested; equals no digest."""


def digest_of(content: str | bytes) -> Digest:
    """SHA-256 of the bytes, or of the text in UTF-8 (lone surrogates are kept by `surrogatepass`)."""
    data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    return Digest(hashlib.sha256(data).hexdigest())


def task_id(spec: SpecId, number: str) -> TaskId:
    """The id of the task `number` of `spec`."""
    return TaskId(f"{spec}/{number}")


def spec_of(task: TaskId) -> SpecId:
    """The spec that a task id names: everything before the last slash."""
    return SpecId(task.rpartition("/")[0])
