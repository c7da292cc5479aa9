"""What goes over the wire: parameters, results and the shapes that they share. The only source of all client types.

Refuses domain objects: `wire_project` and `wire_events` translate. Loaded late, never before `initialize` is answered.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic.alias_generators import to_camel
from pydantic.json_schema import models_json_schema


class Wire(BaseModel):
    """Base of everything that we send. Names are camelCase on the wire; clients ignore what they do not know."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        frozen=True,
        defer_build=True,
    )


class Closed(Wire):
    """Base of what clients send. A name that does not exist is refused."""

    model_config = ConfigDict(extra="forbid")


class Params(Closed):
    """Base of the parameters of all requests."""

    root: str | None = None
    """The URI of a root, or the id of its project; only a client with several needs it."""


MOST_COUNT = 2**53 - 1
"""What every client's numbers hold: RFC 8259, section 6."""
Count: TypeAlias = Annotated[int, Field(ge=0, le=MOST_COUNT)]
Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]
Key: TypeAlias = Annotated[SecretStr, Field(max_length=4096)]
"""A secret: neither its `repr` nor an error shows it."""
Actor: TypeAlias = Literal["user", "agent", "engine", "watcher"]
Severity: TypeAlias = Literal["error", "warning", "information"]


class Usage(Wire):
    """Billed tokens and money."""

    input: int
    output: int
    cache_read: int
    cache_write: int
    cost_usd: float | None
    """`null` when the price of a part is not known."""


class ProjectScope(Closed):
    """Everything."""

    kind: Literal["project"]


class SpecScope(Closed):
    """One spec."""

    kind: Literal["spec"]
    id: str


class TaskScope(Closed):
    """One task, or a parent with its tasks."""

    kind: Literal["task"]
    id: str


Scope: TypeAlias = Annotated[ProjectScope | SpecScope | TaskScope, Field(discriminator="kind")]


class Budget(Closed):
    """Limits of a run; what is left out or `null` is no limit."""

    usd: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    tokens: Annotated[int, Field(gt=0, le=MOST_COUNT)] | None = None
    turns: Annotated[int, Field(gt=0, le=MOST_COUNT)] | None = None
    minutes: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None


PauseCause: TypeAlias = Literal["other", "budget", "interrupted", "offline", "provider", "key"]


class Spent(Wire):
    """What was used, as budgets count it."""

    usd: float
    """Of the tokens whose price is known."""
    unpriced: int
    """Tokens whose price is not known: where there are any, `usd` is the least that was spent."""
    tokens: int
    turns: int
    minutes: float
    """Of work, without pauses."""


class Problem(Wire):
    """Something wrong in a document."""

    code: str
    message: str
    path: str
    severity: Severity
    line: int
    """0-based."""
    suggestions: list[str]


class Evidence(Wire):
    """What proves a task."""

    kind: Literal["command", "reviewer", "user", "imported"]
    at: str
    attempt_id: str | None
    command: str
    exit_code: int | None
    summary: str
    paths: list[str]
    """Files behind the proof."""
    discriminating: bool | None
    """`false`: the command passed before the attempt too; `null`: not known."""
    touched_tests: list[str]


class Approval(Wire):
    """A question that waits for an answer."""

    id: str
    kind: Literal["command", "proposal", "question", "budget"]
    subject: str
    """The exact command, text or file list that a yes allows."""
    purpose: str
    agent_id: str | None
    task_id: str | None
    asked_at: str
    choices: list[str]


class EventsListParams(Params):
    """Committed events after `since`."""

    since: Count = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 200


class EventsSubscribeParams(Params):
    """Events after `since` (by default: from now on), then live ones; a second subscription replaces the first."""

    since: Count | None = None
    output: bool = False
    """Also `specloom/output`; behind the replay, first what each block that is still open said so far."""
    health: bool = False
    """Also `specloom/health`: when it changes, at most once a second, and as a heartbeat."""
    heartbeat_s: Annotated[float, Field(ge=1, le=3600)] = 15.0


class EventsSubscribeResult(Wire):
    """Where live events start; those between `since` and `seq` are replayed first."""

    seq: int
    project_id: str
    """Another one than before: the log is a new one, and what the client keeps belongs to none."""


class EventsUnsubscribeParams(Params):
    """No more events."""


class EventsUnsubscribeResult(Wire):
    """Done; `subscribed` tells whether there was a subscription."""

    subscribed: bool


class Order(Params):
    """Base of orders."""

    command_id: str | None = Field(default=None, max_length=200)
    """The same id twice is one effect."""


class OrderResult(Wire):
    """The order was taken."""

    seq: int
    """The last event that it caused so far."""
    repeated: bool
    """The same `commandId` was carried out before; nothing happened twice."""


class WorkParams(Order):
    """An order that sets agents to work."""

    unattended: bool = False
    """Every question is answered with yes; what a rule denies stays denied."""
    model: str | None = Field(default=None, min_length=1)
    """Instead of those that are set, in every role, until another order."""
    base_url: str | None = Field(default=None, pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$")
    """Instead of the endpoints that are set, in every role, until another order."""


class SpecGenerateParams(WorkParams):
    """Turns requirements into specs and tasks."""

    uri: str | None = None
    """The requirements document; by default the root's own."""
    feedback: str = ""
    """What to do otherwise than before."""


class PlanResult(OrderResult):
    """A plan was started; hear of it through events."""

    plan_id: str


class SpecSettleParams(Order):
    """What becomes of a spec that a crash left `generating`."""

    spec_id: str
    choice: Literal["continue", "discard"]


class SpecCancelParams(Order):
    """Stops the plan that is running."""


class SpecShowParams(Params):
    """Shows a spec in the editor."""

    spec_id: str


class SpecShowResult(Wire):
    """Where it stands; `shown` is false when the client cannot show documents."""

    uri: str
    shown: bool


class TaskExtractParams(Order):
    """Derives the tasks of one spec."""

    spec_id: str
    feedback: str = ""


class TaskParams(Order):
    """An order about one task."""

    task_id: str


class TaskSkipParams(TaskParams):
    """Goes without a task."""

    reason: str = ""


class TaskDescribeParams(Params):
    """Tells a person about one task."""

    task_id: str


class TaskDescribeResult(Wire):
    """State, evidence, attempts and cost as markdown; also shown as a message."""

    markdown: str


class RunStartParams(WorkParams):
    """Works through a scope within a budget."""

    scope: Scope
    budget: Budget = Budget()
    profile: Literal["read-only", "ask", "auto-edit", "full"] | None = None
    """What agents may do where no rule says otherwise, for this run; by default that of the settings."""


class RunResumeParams(WorkParams):
    """Goes on with a paused run."""

    profile: Literal["read-only", "ask", "auto-edit", "full"] | None = None
    """As in `RunStartParams`; by default as before."""


class RunStartResult(OrderResult):
    """A run was started; hear of it through events."""

    run_id: str


class RunOrderParams(Order):
    """An order about the active run."""


class RunPauseParams(Order):
    """Pauses the active run."""

    when: Literal["now", "afterTurn", "afterTask"] = "afterTurn"
    """`now` cuts off what is in flight; it is asked again when the run goes on."""


class AgentPromptParams(Order):
    """Says something to an agent while it works: it hears it word for word at its next turn boundary."""

    agent_id: str
    text: str


class AgentPromptResult(OrderResult):
    """The prompt is queued; `promptDelivered` tells when it was heard."""

    prompt_id: str


class PromptWithdrawParams(Order):
    """Takes back a prompt that was not delivered yet."""

    prompt_id: str


class Prompt(Wire):
    """What a person said to an agent that has not heard it yet."""

    id: str
    agent_id: str
    text: str
    queued_at: str


class ApprovalListParams(Params):
    """All questions that wait."""


class ApprovalListResult(Wire):
    """Oldest first."""

    approvals: list[Approval]


class ApprovalAnswerParams(Order):
    """Answers a question."""

    approval_id: str
    choice: str
    """One of the question's choices, or free text where it has none."""


class GrantListParams(Params):
    """What is granted for longer than once."""


class Grant(Wire):
    """A person's consent to one exact text, kept outside the workspace."""

    id: str
    kind: Literal["rule", "proposal"]
    """A rule that allows calls, or what the repository says and would run code or widen rights."""
    text: str
    scope: Literal["task", "project"]
    task_id: str | None
    granted_at: str


class GrantListResult(Wire):
    """Oldest first."""

    grants: list[Grant]


class GrantRevokeParams(Order):
    """Takes a grant back; what runs on it already is not stopped."""

    grant_id: str


class EvidenceGetParams(Params):
    """What proves a task."""

    task_id: str


class EvidenceGetResult(Wire):
    """Empty for a task that is not done."""

    task_id: str
    proven: bool
    stale: list[str]
    outdated: list[str]
    """Requirements that it was done for and that read otherwise now."""
    evidence: list[Evidence]


class ChangesetGetParams(Params):
    """What a task changed."""

    task_id: str


class ChangesetGetResult(Wire):
    """The unified diffs of its attempts, oldest first."""

    task_id: str
    paths: list[str]
    diff: str


class DocumentSaveParams(Wire):
    """Documents that must be saved so that verification can run."""

    uris: list[str]


class DocumentSaveResult(Closed):
    """Documents that were saved."""

    saved: list[str] = []


class FieldError(Wire):
    """One wrong parameter."""

    field: str
    """Dotted path, empty for the parameters as a whole."""
    message: str


class InvalidParamsData(Wire):
    """`data` of error -32602."""

    fields: list[FieldError]


class RequestFailedData(Wire):
    """`data` of error -32803."""

    reason: str
    """Stable kebab-case name."""
    suggestions: list[str]


def wire_name(field: str) -> str:
    """A field's name as it is sent."""
    return to_camel(field)


def tagged(field: str) -> Any:
    """Annotation of a union whose members are told apart by one field."""
    return Field(discriminator=field)


def read_params(model: type[Params], raw: object) -> Params | InvalidParamsData:
    """The parameters as `model`, or what is wrong with them by field."""
    try:
        return model.model_validate({} if raw is None else raw)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        return InvalidParamsData(
            fields=[FieldError(field=".".join(map(str, fault["loc"])), message=fault["msg"]) for fault in faults]
        )


def to_json(value: Wire) -> dict[str, Any]:
    """What is sent."""
    return value.model_dump(mode="json", by_alias=True)


def schema_of(models: Sequence[type[Wire]]) -> dict[str, Any]:
    """One JSON schema with all models under `$defs`, as they look on the wire."""
    wanted = [(model, "validation" if issubclass(model, Params) else "serialization") for model in models]
    return models_json_schema(wanted, by_alias=True)[1]  # pyright: ignore[reportArgumentType] # literals are widened
