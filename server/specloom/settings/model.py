"""What a user may set: the keys of `specloom.toml` and of the editor settings are the fields below.

Refuses values that would need guessing (strict types, closed key sets) and anything that is not a setting.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from specloom.domain.permissions.rules import Verdict, parse_rule
from specloom.domain.prices import Price
from specloom.settings.addresses import origin_of


def _inside_the_root(path: str) -> str:
    if ".." in path.split("/"):
        raise ValueError("leaves the root")
    return path


def _reachable(url: str) -> str:
    if origin_of(url) is None:
        raise ValueError("names no host, or a port that there is not")
    return url


Role: TypeAlias = Literal["planner", "executor", "reviewer", "safety", "summariser", "subagent"]
ROLES: tuple[Role, ...] = ("planner", "executor", "reviewer", "safety", "summariser", "subagent")

DEFAULT_MODEL = "claude-opus-5-5"
"""What the endpoint's maker recommends for most work (https://platform.claude.com/docs/en/models, November 2026)."""
DEFAULT_MAX_TOKENS = 32_768


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a value may be, in the words of messages and documentation."""

    text: str


Count: TypeAlias = Annotated[int, Field(ge=1, le=1_000_000_000), Allowed("a whole number from 1")]
CountOrNone: TypeAlias = Annotated[int, Field(ge=0, le=100), Allowed("a whole number from 0 to 100")]
Seconds: TypeAlias = Annotated[
    float, Field(gt=0, le=86_400, allow_inf_nan=False), Allowed("a number of seconds above 0, at most 86400")
]
Share: TypeAlias = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False), Allowed("a number above 0, at most 1")]
# With ends, so that no sum of them is without one: JSON has no word for that.
Amount: TypeAlias = Annotated[
    float, Field(gt=0, le=1_000_000_000, allow_inf_nan=False), Allowed("a number above 0, at most 1000000000")
]
UsdPerMillion: TypeAlias = Annotated[
    float, Field(ge=0, le=1_000_000, allow_inf_nan=False), Allowed("a number from 0 to 1000000")
]
Line: TypeAlias = Annotated[
    str, Field(pattern=r"\A[^\r\n\x00]*[^\s\x00][^\r\n\x00]*\z"), Allowed("a text of one line, not empty")
]
HttpUrl: TypeAlias = Annotated[
    str,
    Field(pattern=r"\Ahttps?://[^\s/?#@]+(/[^\s?#]*)?\z"),
    AfterValidator(_reachable),
    Allowed("an address with http:// or https://, a host and at most a port from 1 to 65535; no user name, no query"),
]
RelativePath: TypeAlias = Annotated[
    str,
    Field(pattern=r"\A[^/\\\x00-\x1f]([^\\\x00-\x1f]*[^/\\\x00-\x1f])?\z"),
    AfterValidator(_inside_the_root),
    Allowed("a path inside the root, with forward slashes"),
]
Thinking: TypeAlias = (
    Literal["off", "on"] | Annotated[int, Field(ge=1024, le=1_000_000), Allowed("a number of tokens from 1024")]
)
"""1,024 tokens are the smallest budget that the Messages API takes."""


class Section(BaseModel):
    """A table of settings: frozen, with a closed set of keys, no value converted into another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


class RoleSettings(Section):
    """`[models.<role>]`: one role's model. What a role leaves out comes from `[models.default]`."""

    model: Line | None = Field(default=None, description="Model id, as the endpoint names it.")
    base_url: HttpUrl | None = Field(
        default=None, description="Endpoint that speaks the Messages API; unset: Anthropic's, or `ANTHROPIC_BASE_URL`."
    )
    thinking: Thinking | None = Field(
        default=None, description='`"off"`, `"on"` (the endpoint decides how much) or a budget in tokens.'
    )
    max_tokens: Count | None = Field(
        default=None, description="Most tokens of one answer; capped by the model's own limit."
    )


class RoleModel(BaseModel):
    """A role's settings with every gap filled; `base_url` `None` is the endpoint of the environment."""

    model_config = ConfigDict(frozen=True)

    model: str
    base_url: str | None
    thinking: Literal["off", "on"] | int
    max_tokens: int


class Models(Section):
    """`[models]`: which model does what."""

    default: RoleSettings = Field(default=RoleSettings(), description="For each role that does not say otherwise.")
    planner: RoleSettings = Field(
        default=RoleSettings(), description="Turns requirements into specs, specs into tasks."
    )
    executor: RoleSettings = Field(default=RoleSettings(), description="Does the tasks.")
    reviewer: RoleSettings = Field(default=RoleSettings(), description="Judges tasks that have no verify command.")
    safety: RoleSettings = Field(
        default=RoleSettings(), description="Nothing yet: its place is kept. Rules and you judge what is run."
    )
    summariser: RoleSettings = Field(
        default=RoleSettings(), description="Says what remains of a session whose window is full."
    )
    subagent: RoleSettings = Field(
        default=RoleSettings(), description="Finds things out for the executor, whose values hold where it has none."
    )

    def of(self, role: Role) -> RoleModel:
        """The role's own values, else those of `default`, else ours."""
        own: RoleSettings = getattr(self, role)
        sender = _stated(self.executor) if role == "subagent" else {}
        said = {**_stated(self.default), **sender, **_stated(own)}
        ours: dict[str, Any] = {
            "model": DEFAULT_MODEL,
            "base_url": None,
            "thinking": "off",
            "max_tokens": DEFAULT_MAX_TOKENS,
        }
        return RoleModel(**{**ours, **said})


class BudgetPart(Section):
    """What may be used before a run pauses and asks; unset is no limit."""

    usd: Amount | None = Field(default=None, description="US dollars, where the model's price is known.")
    tokens: Count | None = Field(default=None, description="Tokens, cached ones included.")
    turns: Count | None = Field(default=None, description="Requests to a model with their tool calls.")
    minutes: Amount | None = Field(default=None, description="Minutes of work, without pauses.")


class BudgetSettings(BudgetPart):
    """`[budget]`: what a run may use before it pauses and asks; unset is no limit."""

    task: BudgetPart = Field(
        default=BudgetPart(), description="What one task may use, over all its attempts, sub-agents and reviews."
    )
    day: BudgetPart = Field(
        default=BudgetPart(), description="What a day may use here, by local date: all runs and plans of the project."
    )


class Limits(Section):
    """`[limits]`: where Specloom stops by itself."""

    attempts: Count = Field(default=3, description="Attempts at one task before it is failed.")
    turns: Count = Field(default=30, description="Turns of one attempt.")
    continue_turns: Count = Field(
        default=30, description="Turns more when an attempt that makes progress is continued."
    )
    plan_repairs: CountOrNone = Field(
        default=3, description="How often a fault in a plan goes back to the planner before it comes to you."
    )
    command_timeout_s: Seconds = Field(default=120.0, description="Seconds for one command of the agent.")
    command_log_mib: Annotated[int, Field(ge=1, le=4096), Allowed("a whole number from 1 to 4096")] = Field(
        default=64, description="MiB of one command's output that its log in the state folder may hold."
    )
    jobs: Annotated[int, Field(ge=1, le=64), Allowed("a whole number from 1 to 64")] = Field(
        default=8, description="Commands that an agent may have running beside its others."
    )
    verify_timeout_s: Seconds = Field(default=600.0, description="Seconds for one verify command.")
    ask_timeout_s: Seconds = Field(
        default=600.0, description="Seconds that a question waits for an answer; then it is a no."
    )
    save_timeout_s: Seconds = Field(default=120.0, description="Seconds to wait for an open file to be saved.")
    answer_timeout_s: Seconds = Field(
        default=600.0, description="Seconds until an answer begins; local models read the whole prompt before it."
    )
    stall_timeout_s: Seconds = Field(
        default=120.0, description="Seconds without a byte before a stream counts as broken."
    )
    max_parallel_tools: Annotated[int, Field(ge=1, le=5), Allowed("a whole number from 1 to 5")] = Field(
        default=5, description="Tools that read, at the same time."
    )
    edits_per_call: Annotated[int, Field(ge=1, le=50), Allowed("a whole number from 1 to 50")] = Field(
        default=3, description="Edits that one call of `edit_file` makes; it says which ones were left out."
    )
    open_files: Count = Field(
        default=5, description="Files open in one session above which agent and user are warned: requests carry them."
    )
    open_characters: Count = Field(default=50_000, description="The same for the characters of their text.")
    subagent_turns: Count = Field(default=15, description="Turns of one sub-agent, its answer included.")
    subagent_answer: Count = Field(
        default=4_000, description="Characters of a sub-agent's answer; the rest is cut off."
    )
    recommend_at: Share = Field(
        default=0.8,
        description="Share of the model's window from which the agent is told to hand over to a new session.",
    )
    rotate_at: Share = Field(
        default=0.9, description="Share of the model's window at which a session is ended and a new one goes on."
    )
    repeated_turns: Count = Field(
        default=4, description="Turns in a row that only repeat calls with known results; then the agent is told."
    )
    returning_edits: Count = Field(
        default=4, description="Edits in a row that put a file back to a text it had before; then the agent is told."
    )
    empty_turns: Count = Field(default=3, description="Turns in a row without a call; then the agent is told.")
    fruitless_sessions: Count = Field(
        default=3,
        description="Sessions in a row that fill their window and change nothing; then the attempt fails.",
    )
    stream_retries: CountOrNone = Field(default=10, description="New tries of a broken stream.")


def _rule(text: str) -> str:
    found = parse_rule(text, Verdict.ASK, "")
    if isinstance(found, str):
        raise ValueError(found)  # noqa: TRY004 - what pydantic expects of a validator
    return text


RuleText: TypeAlias = Annotated[
    Line,
    AfterValidator(_rule),
    Allowed("a rule: a tool, or `tool(pattern)` such as `run_command(pytest *)` or `write(docs/**)`"),
]
ProfileName: TypeAlias = Literal["read-only", "ask", "auto-edit", "full"]


class RolePermissions(Section):
    """`[permissions.<role>]`: what one role may do unasked. The lists of `[permissions]` count besides."""

    profile: ProfileName | None = Field(default=None, description="Of this role; unset: that of `[permissions]`.")
    allow: tuple[RuleText, ...] = Field(default=(), description="Calls that need no question.")
    ask: tuple[RuleText, ...] = Field(default=(), description="Calls that are asked for whatever allows them.")
    deny: tuple[RuleText, ...] = Field(default=(), description="Calls that nobody can allow.")


class Permissions(Section):
    """`[permissions]`: what agents may do unasked. A deny beats an ask, an ask beats an allow."""

    profile: ProfileName = Field(default="ask", description="What holds where no rule says otherwise.")
    allow: tuple[RuleText, ...] = Field(default=(), description="Calls that need no question.")
    ask: tuple[RuleText, ...] = Field(default=(), description="Calls that are asked for whatever allows them.")
    deny: tuple[RuleText, ...] = Field(default=(), description="Calls that nobody can allow.")
    planner: RolePermissions = Field(default=RolePermissions(), description="Of the planner besides.")
    executor: RolePermissions = Field(default=RolePermissions(), description="Of the executor besides.")
    reviewer: RolePermissions = Field(default=RolePermissions(), description="Of the reviewer besides.")
    safety: RolePermissions = Field(default=RolePermissions(), description="Without effect: the role has no tools.")
    summariser: RolePermissions = Field(default=RolePermissions(), description="Without effect: the role has no tools.")


class PriceSettings(Section):
    """`[prices."<model id>"]`: USD per million tokens, in place of the built-in table."""

    input: UsdPerMillion = Field(description="Plain input.")
    output: UsdPerMillion = Field(description="Output.")
    cache_read: UsdPerMillion | None = Field(default=None, description="Read from the cache; unset: 0.1 × input.")
    cache_write: UsdPerMillion | None = Field(default=None, description="Written to the cache; unset: 1.25 × input.")


class Settings(Section):
    """All settings. Defaults are what runs without any file."""

    requirements: RelativePath | None = Field(
        default=None, description="The requirements document; unset: `requirements.md`, else `docs/requirements.md`."
    )
    layout: Literal["specloom", "kiro", "spec-kit"] | None = Field(
        default=None, description="Whose file format specs have; unset: recognised by the folders."
    )
    state_dir: Line | None = Field(
        default=None, description="Where the log lives; unset: `.specloom` in the root. `SPECLOOM_STATE_DIR` beats it."
    )
    verify: tuple[Line, ...] = Field(
        default=(), description="Commands that prove every task, besides its own `_Verify:_`."
    )
    models: Models = Field(default=Models(), description="Which model does what.")
    budget: BudgetSettings = Field(
        default=BudgetSettings(), description="What a run may use before it pauses and asks."
    )
    limits: Limits = Field(default=Limits(), description="Where Specloom stops by itself.")
    prices: dict[str, PriceSettings] = Field(
        default_factory=dict[str, PriceSettings], description="USD per million tokens, by model id."
    )
    permissions: Permissions = Field(default=Permissions(), description="What agents may do unasked.")
    mcp: dict[str, Any] = Field(default_factory=dict[str, Any], description="Reserved: kept, without effect.")
    env: dict[str, str] = Field(default_factory=dict[str, str], description="Reserved: kept, without effect.")

    def price_overrides(self) -> Mapping[str, Price]:
        """`prices` as the domain reads them."""
        return {model: Price(**price.model_dump()) for model, price in self.prices.items()}


RESERVED = ("mcp", "env")
"""Tables that are read and kept, and do nothing yet; saying so beats pretending."""


def every_role(**values: object) -> dict[str, Any]:
    """Settings that give each role these values, for options such as `--model` that beat whatever a file says."""
    stated = {key: value for key, value in values.items() if value is not None}
    return {"models": {name: dict(stated) for name in ("default", *ROLES)}} if stated else {}


def _stated(section: Section) -> dict[str, Any]:
    return section.model_dump(exclude_none=True)
