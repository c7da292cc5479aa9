"""Every custom method with its direction, shapes and meaning. Refuses handlers: those are in `handlers`."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from specloom.lsp import protocol as p
from specloom.lsp import protocol_machine as m
from specloom.lsp.protocol_credential import CredentialSetParams, CredentialSetResult
from specloom.lsp.protocol_estimate import RunEstimateParams, RunEstimateResult
from specloom.lsp.protocol_events import EventsListResult, WireEvent
from specloom.lsp.protocol_live import GapParams, HealthGetParams, OutputParams, WireHealth
from specloom.lsp.protocol_project import ProjectGetParams, ProjectGetResult


@dataclass(frozen=True, slots=True)
class Method:
    """One custom method."""

    name: str
    params: type[p.Wire] | object
    result: type[p.Wire] | None
    """`None`: a notification."""
    doc: str
    sender: Literal["client", "server"] = "client"
    changes: bool = False
    """An order: refused while another process hosts the root."""


_ALL = (
    Method("specloom/project/get", ProjectGetParams, ProjectGetResult, "The whole projection."),
    Method("specloom/project/list", m.ProjectListParams, m.ProjectListResult, "The projects that this machine knows."),
    Method("specloom/project/create", m.ProjectCreateParams, m.ProjectResult, "Makes a folder a project."),
    Method("specloom/project/rename", m.ProjectRenameParams, m.ProjectResult, "Gives one another name."),
    Method(
        "specloom/project/alias", m.ProjectAliasParams, m.ProjectResult, "Gives one a short name, or takes it away."
    ),
    Method("specloom/project/archive", m.ProjectArchiveParams, m.ProjectResult, "Puts one away, or back."),
    Method("specloom/events/list", p.EventsListParams, EventsListResult, "Committed events, also of the past."),
    Method(
        "specloom/events/subscribe",
        p.EventsSubscribeParams,
        p.EventsSubscribeResult,
        "Replays events and then sends live ones as `specloom/event`, to this client only.",
    ),
    Method("specloom/events/unsubscribe", p.EventsUnsubscribeParams, p.EventsUnsubscribeResult, "Ends it."),
    Method("specloom/health/get", HealthGetParams, WireHealth, "How the project does."),
    Method(
        "specloom/spec/generate",
        p.SpecGenerateParams,
        p.PlanResult,
        "Starts to turn requirements into specs and tasks; answers at once.",
        changes=True,
    ),
    Method(
        "specloom/spec/settle",
        p.SpecSettleParams,
        p.OrderResult,
        "Goes on with, or removes, a spec that a crash left `generating`.",
        changes=True,
    ),
    Method("specloom/spec/cancel", p.SpecCancelParams, p.OrderResult, "Stops the plan that is running.", changes=True),
    Method("specloom/spec/show", p.SpecShowParams, p.SpecShowResult, "Opens a spec through `window/showDocument`."),
    Method(
        "specloom/task/extract",
        p.TaskExtractParams,
        p.PlanResult,
        "Starts to derive the tasks of one spec; answers at once.",
        changes=True,
    ),
    Method("specloom/task/retry", p.TaskParams, p.OrderResult, "Another round of attempts.", changes=True),
    Method("specloom/task/skip", p.TaskSkipParams, p.OrderResult, "Goes without it.", changes=True),
    Method("specloom/task/unblock", p.TaskParams, p.OrderResult, "Lifts a block.", changes=True),
    Method("specloom/task/reset", p.TaskParams, p.OrderResult, "Pending again; the code stays.", changes=True),
    Method("specloom/task/describe", p.TaskDescribeParams, p.TaskDescribeResult, "Tells about one task."),
    Method(
        "specloom/run/start",
        p.RunStartParams,
        p.RunStartResult,
        "Starts to work through a scope; answers at once. One active run a project: a second start names it.",
        changes=True,
    ),
    Method("specloom/run/estimate", RunEstimateParams, RunEstimateResult, "What a run would probably take and cost."),
    Method(
        "specloom/run/pause",
        p.RunPauseParams,
        p.OrderResult,
        "Pauses now, at the next turn boundary or after the task in flight.",
        changes=True,
    ),
    Method("specloom/run/resume", p.RunResumeParams, p.OrderResult, "Goes on with a paused run.", changes=True),
    Method("specloom/run/cancel", p.RunOrderParams, p.OrderResult, "Cancels the run now.", changes=True),
    Method(
        "specloom/agent/prompt",
        p.AgentPromptParams,
        p.AgentPromptResult,
        "Says something to an agent, word for word, at its next turn boundary.",
        changes=True,
    ),
    Method(
        "specloom/prompt/withdraw", p.PromptWithdrawParams, p.OrderResult, "Takes it back before that.", changes=True
    ),
    Method("specloom/approval/list", p.ApprovalListParams, p.ApprovalListResult, "Questions that wait."),
    Method("specloom/approval/answer", p.ApprovalAnswerParams, p.OrderResult, "Answers a question.", changes=True),
    Method("specloom/grant/list", p.GrantListParams, p.GrantListResult, "What is granted for longer than once."),
    Method("specloom/grant/revoke", p.GrantRevokeParams, p.OrderResult, "Takes a grant back.", changes=True),
    Method("specloom/evidence/get", p.EvidenceGetParams, p.EvidenceGetResult, "What proves a task."),
    Method("specloom/changeset/get", p.ChangesetGetParams, p.ChangesetGetResult, "What a task changed."),
    Method(
        "specloom/credential/set",
        CredentialSetParams,
        CredentialSetResult,
        "Takes a key for one endpoint, or forgets it; a run that waits for one goes on.",
        changes=True,
    ),
    Method("specloom/event", WireEvent, None, "One committed event, to subscribers only.", "server"),
    Method("specloom/output", OutputParams, None, "A piece of the lossy stream.", "server"),
    Method(
        "specloom/gap",
        GapParams,
        None,
        "The client had fallen behind: the events that it names come late, and output is missing.",
        "server",
    ),
    Method("specloom/health", WireHealth, None, "How the project does, to subscribers that want it.", "server"),
    Method(
        "specloom/document/save",
        p.DocumentSaveParams,
        p.DocumentSaveResult,
        "Asks the client to save open documents; sent only to clients that declare "
        "`experimental.specloom.documentSave`.",
        "server",
    ),
)

METHODS: Mapping[str, Method] = MappingProxyType({method.name: method for method in _ALL})
"""By name, in the order of the documentation."""
