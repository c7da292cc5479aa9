"""Settings as the engine needs them, passed down by `compose`. Refuses to be read from a file here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from specloom.agent.ask import RetryPolicy
from specloom.agent.ports import Pricing
from specloom.agent.roles import RoleName
from specloom.domain.permissions.policy import Policy
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget
from specloom.domain.spec import Layout
from specloom.llm.messages import ThinkingSetting
from specloom.llm.model import Model

KEY_NOT_NEEDED = "not needed"


@dataclass(frozen=True, slots=True)
class RoleOptions:
    """Which model a role works with."""

    model: str
    endpoint: Model
    max_tokens: int = 32_768
    thinking: ThinkingSetting = ThinkingSetting()
    host: str = ""
    """Where the endpoint is, for messages."""
    address: str = ""
    """The endpoint as keys are filed under it."""
    key: str = KEY_NOT_NEEDED
    """Where its key was found, for messages; empty: it needs one, and there is none."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Counts and seconds."""

    attempts: int = 3
    turns: int = 30
    continue_turns: int = 30
    """More for an attempt that used them up, each time that it goes on."""
    plan_repairs: int = 3
    parallel_tools: int = 5
    edits_per_call: int = 3
    subagent_turns: int = 15
    subagent_answer: int = 4_000
    """Characters."""
    recommend_at: float = 0.8
    rotate_at: float = 0.9
    """Shares of the model's window."""
    repeated_turns: int = 4
    returning_edits: int = 4
    empty_turns: int = 3
    """In a row, after which an agent goes in circles."""
    fruitless_sessions: int = 3
    """In a row, after which an attempt that only hands over fails."""
    command_timeout_s: float = 120.0
    command_log_mib: int = 64
    jobs: int = 8
    """Commands that one agent lets run beside its others."""
    verify_timeout_s: float = 600.0
    save_timeout_s: float = 120.0
    ask_timeout_s: float = 600.0
    open_files: int = 5
    """Files open in a session above which model and user are warned."""
    open_characters: int = 50_000
    """The same for their text."""
    files_shown: int = 300
    """File names in an attempt's first message."""


class Redact(Protocol):
    """Takes secrets out of a text before the model and the log see it."""

    def __call__(self, text: str) -> str:
        """The text with every known or key-like secret replaced."""
        ...


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Everything that a user may have set."""

    roles: Mapping[RoleName, RoleOptions]
    pricing: Pricing
    redact: Redact
    environment: Mapping[str, str]
    """For commands; holds no key."""
    requirements: str | None = None
    """Path of the requirements document, when it is not where one looks for it."""
    layout: Layout | None = None
    verify: tuple[str, ...] = ()
    """Commands that prove every task, besides its own."""
    limits: Limits = field(default_factory=Limits)
    task_budget: Budget = Budget()
    """What one task may use, over all its attempts and runs."""
    day_budget: Budget = Budget()
    """What one day may use, over all runs and plans of the project."""
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    permissions: Mapping[RoleName, Policy] = field(default_factory=dict[RoleName, Policy])
    """By role; of one that is not named, the default holds."""
    proposals: tuple[str, ...] = ()
    """Keys of the repository with their values that nobody has granted and that may be granted now."""
    refusal: Rejected | None = None
    """Why nothing can be planned or run (no key, invalid settings), and what to do about it."""
