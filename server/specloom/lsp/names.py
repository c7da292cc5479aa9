"""Names of the custom methods, as `initialize` announces them: a literal, so that nothing is loaded before the answer.

Refuses shapes: those are in `methods`, and a test compares the two.
"""

REQUESTS = (
    "specloom/project/get",
    "specloom/project/list",
    "specloom/project/create",
    "specloom/project/rename",
    "specloom/project/alias",
    "specloom/project/archive",
    "specloom/events/list",
    "specloom/events/subscribe",
    "specloom/events/unsubscribe",
    "specloom/health/get",
    "specloom/spec/generate",
    "specloom/spec/settle",
    "specloom/spec/cancel",
    "specloom/spec/show",
    "specloom/task/extract",
    "specloom/task/retry",
    "specloom/task/skip",
    "specloom/task/unblock",
    "specloom/task/reset",
    "specloom/task/describe",
    "specloom/run/start",
    "specloom/run/estimate",
    "specloom/run/pause",
    "specloom/run/resume",
    "specloom/run/cancel",
    "specloom/agent/prompt",
    "specloom/prompt/withdraw",
    "specloom/approval/list",
    "specloom/approval/answer",
    "specloom/grant/list",
    "specloom/grant/revoke",
    "specloom/evidence/get",
    "specloom/changeset/get",
    "specloom/credential/set",
)
NOTIFICATIONS = ("specloom/event", "specloom/output", "specloom/gap", "specloom/health")
ASKED_OF_CLIENTS = ("specloom/document/save",)


def command_of(method: str) -> str:
    """The same as a command of `workspace/executeCommand`."""
    return method.replace("/", ".")


COMMANDS = {command_of(method): method for method in REQUESTS}
"""Command → method."""
