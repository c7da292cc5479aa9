"""Turns settings and keys into what the engine is built from. Refuses to send a key to an endpoint it is not for."""

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, cast

from specloom.agent.ask import RetryPolicy
from specloom.agent.roles import RoleName
from specloom.compose.files import SETTINGS, RootFiles
from specloom.compose.permissions import policies
from specloom.domain.prices import Price, cost
from specloom.domain.problem import NOWHERE, Problem, Severity
from specloom.domain.redact import Redactor
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget
from specloom.domain.spec import Layout
from specloom.domain.usage import UsageTotal
from specloom.engine.options import KEY_NOT_NEEDED, EngineOptions, Limits, RoleOptions
from specloom.llm.anthropic_model import AnthropicModel
from specloom.llm.connection import Timeouts
from specloom.llm.endpoint import Endpoint
from specloom.llm.messages import ThinkingSetting, Usage
from specloom.logs.about import KEYS as KEYS_IN_RECORDS
from specloom.settings.addresses import address_of, origin_of, shown
from specloom.settings.credentials import (
    ANTHROPIC,
    ENDPOINT,
    KEYS,
    Credentials,
    credentials,
    no_key,
    secret_values,
    unsendable,
)
from specloom.settings.load import load_settings
from specloom.settings.model import BudgetPart, RoleModel, Settings
from specloom.settings.proposals import Proposal

NO_KEY = (
    "No API key: set ANTHROPIC_API_KEY in the environment or in the .env of the project, "
    "or one with `specloom credential set`, "
    "or name a local endpoint with --base-url or `base_url` under [models.default] in specloom.toml"
)
NOT_ALLOWED = (
    "No API key, and `{}` of specloom.toml does not count yet, as a repository may not set this by itself: "
    "`specloom approve` allows it, --yes for one run; or set ANTHROPIC_API_KEY in the environment or in the .env of "
    "the project, or name the endpoint with --base-url"
)
ENDPOINT_KIND = "base_url"
INVALID = "invalid-settings"
WHOLE = {"on": ThinkingSetting(enabled=True), "off": ThinkingSetting()}


@dataclass(frozen=True, slots=True)
class Loaded:
    """The options of one root, and what is wrong with its settings."""

    options: EngineOptions
    redactor: Redactor
    budget: Budget
    """Of a run that names none."""
    state_dir: str | None
    problems: tuple[Problem, ...]
    values: Mapping[str, object] = field(default_factory=dict[str, object])
    """What the settings come to, with the nested keys of `specloom.toml`."""
    endpoints: Mapping[str, str] = field(default_factory=dict[str, str])
    """Addresses of all endpoints that the roles have, with where the key of each was found; empty: there is none."""
    refusals: tuple[Rejected, ...] = ()
    """Everything that keeps the root from being worked on; a key that is missing comes last."""


@dataclass(frozen=True, slots=True)
class TablePricing:
    """An `agent.ports.Pricing` over the price table and the user's own prices."""

    overrides: Mapping[str, Price]

    def total(self, model: str, usage: Usage) -> UsageTotal:
        """What an answer cost; `None` where the price is unknown."""
        price = cost(usage, model, self.overrides)
        return UsageTotal(usage.input, usage.output, usage.cache_read, usage.cache_write, price)


def loaded_options(
    files: RootFiles,
    environment: Mapping[str, str],
    overrides: Mapping[str, Any] | None,
    editor: Mapping[str, Any] | None,
    *,
    grant_proposals: bool,
    granted: Collection[str] = (),
    own: Mapping[str, Any] | None = None,
    redactor: Redactor | None = None,
    held: Sequence[Credentials] = (),
) -> Loaded:
    """Reads all sources. What the repository proposes counts only with `grant_proposals`.

    Its verify commands are asked for when they are about to run, together with those of the specs.
    `own`: settings of the editor whose environment this is; the endpoint that these name is the one its key is for.
    `redactor`: learns the keys that are found. `held`: keys that come after those found here.
    """
    first = load_settings(files.settings, SETTINGS, editor, overrides)
    counts = {item.hash for item in first.proposals if grant_proposals or item.kind == "verify" or item.hash in granted}
    loaded = load_settings(files.settings, SETTINGS, editor, overrides, counts)
    waiting = tuple(item for item in loaded.proposals if item.hash not in counts)
    key = credentials(_with_endpoint(environment, overrides, editor if own is None else own), files.keys)
    keys = (*((key,) if key else ()), *held)
    secrets = [value for each in keys for value in (each.api_key, each.auth_token) if value]
    redactor, settings = Redactor() if redactor is None else redactor, loaded.settings
    learn_keys(redactor, (*secrets, *secret_values(environment), *files.secrets))
    problems = (*loaded.problems, *(_ignored(item) for item in waiting))
    refusals = _refusals(_keyless(settings, environment, keys, waiting), (*files.problems, *problems))
    options = replace(
        _engine_options(settings, redactor),
        roles=_roles(settings, environment, keys),
        environment=without_keys(environment, secrets),
        proposals=tuple(item.text for item in waiting if item.kind not in AT_OPEN),
        refusal=next(iter(refusals), None),
    )
    return Loaded(
        options,
        redactor,
        _budget(settings.budget),
        settings.state_dir,
        problems,
        settings.model_dump(),
        {url: its.source if (its := key_for(url, keys)) else "" for url in _urls(settings, environment)},
        refusals,
    )


def _engine_options(settings: Settings, redactor: Redactor) -> EngineOptions:
    """What follows from the settings alone."""
    return EngineOptions(
        roles={},
        pricing=TablePricing(settings.price_overrides()),
        redact=redactor,
        environment={},
        requirements=settings.requirements,
        layout=None if settings.layout is None else Layout(settings.layout),
        verify=settings.verify,
        limits=_limits(settings),
        task_budget=_budget(settings.budget.task),
        day_budget=_budget(settings.budget.day),
        retry=RetryPolicy(tries=settings.limits.stream_retries + 1, chance=random.random),
        permissions=policies(settings.permissions),
    )


def learn_keys(redactor: Redactor, secrets: Collection[str]) -> None:
    """From now on these are kept out of everything that is redacted, and out of the records of this process."""
    KEYS_IN_RECORDS.learn(secrets)
    redactor.learn(secrets)


AT_OPEN = ("state_dir",)
"""Proposals that count when the root is opened the next time: they are not asked for in a run."""


def _ignored(proposal: Proposal) -> Problem:
    message = (
        f"specloom.toml proposes {proposal.text}, which is ignored: a repository may not set this by itself; "
        "allow it with `specloom approve`, for one run with --yes, or put it into your editor settings"
    )
    return Problem("proposal-ignored", message, SETTINGS, severity=Severity.WARNING)


def _with_endpoint(
    environment: Mapping[str, str], overrides: Mapping[str, Any] | None, editor: Mapping[str, Any] | None
) -> Mapping[str, str]:
    # An endpoint that the user names himself is the one that his key is for.
    for source in (overrides, editor):
        url: Any = source
        for key in ("models", "default", "base_url"):
            url = cast("Mapping[str, Any]", url).get(key) if isinstance(url, Mapping) else None
        if url and isinstance(url, str):
            return {**environment, ENDPOINT: url}
    return environment


def key_for(url: str, keys: Sequence[Credentials]) -> Credentials | None:
    """The first of the keys that was given for this endpoint: no other is ever sent there."""
    return next((key for key in keys if key.are_for(url)), None)


def _roles(
    settings: Settings, environment: Mapping[str, str], keys: Sequence[Credentials]
) -> Mapping[RoleName, RoleOptions]:
    endpoints: dict[str, AnthropicModel] = {}
    timeouts = Timeouts(answer=settings.limits.answer_timeout_s, stall=settings.limits.stall_timeout_s)
    roles: dict[RoleName, RoleOptions] = {}
    for name in RoleName:
        chosen = settings.models.of(name.value)
        url = _url(chosen, environment)
        own = key_for(url, keys)
        if url not in endpoints:
            endpoints[url] = AnthropicModel(
                api_key=own.api_key if own else None,
                auth_token=own.auth_token if own else None,
                base_url=None if url == ANTHROPIC else url,
                timeouts=timeouts,
            )
        thinking = chosen.thinking
        setting = WHOLE[thinking] if isinstance(thinking, str) else ThinkingSetting(enabled=True, budget=thinking)
        source = own.source if own else KEY_NOT_NEEDED if is_loopback(url) else ""
        origin, asked = origin_of(url), endpoints[url]
        address = "" if origin is None else address_of(origin)
        roles[name] = RoleOptions(chosen.model, asked, chosen.max_tokens, setting, asked.host, address, source)
    return roles


def _urls(settings: Settings, environment: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted({_url(settings.models.of(name.value), environment) for name in RoleName}))


def _url(chosen: RoleModel, environment: Mapping[str, str]) -> str:
    return chosen.base_url or environment.get(ENDPOINT) or ANTHROPIC


def _budget(part: BudgetPart) -> Budget:
    return Budget(part.usd, part.tokens, part.turns, part.minutes)


def _limits(settings: Settings) -> Limits:
    limits = settings.limits
    same = {item.name: getattr(limits, item.name) for item in fields(Limits) if item.name in type(limits).model_fields}
    return Limits(**same, parallel_tools=limits.max_parallel_tools)


def _refusals(keyless: Rejected | None, problems: tuple[Problem, ...]) -> tuple[Rejected, ...]:
    errors = (problem for problem in problems if problem.severity is Severity.ERROR)
    wrong = tuple(Rejected(INVALID, f"{_place(problem)}: {problem.message}") for problem in errors)
    return wrong if keyless is None else (*wrong, keyless)


def _place(problem: Problem) -> str:
    return problem.path if problem.span == NOWHERE else f"{problem.path}:{problem.span.start_line + 1}"


def _keyless(
    settings: Settings, environment: Mapping[str, str], keys: Sequence[Credentials], waiting: Sequence[Proposal]
) -> Rejected | None:
    """`waiting`: what nobody has allowed yet; an endpoint among it may be the one that is meant."""
    keyless = [url for url in _urls(settings, environment) if not is_loopback(url) and key_for(url, keys) is None]
    if not keyless:
        return None
    proposed = next((item for item in waiting if item.kind == ENDPOINT_KIND), None)
    ways = NO_KEY if proposed is None else NOT_ALLOWED.format(proposed.text)
    if not keys:
        wrong = unsendable(environment)
        return Rejected("no-key", f"{no_key(wrong)}. {ways}" if wrong else ways)
    key = keys[0]
    message = f"The key from {key.source} is for {shown(key.endpoint)} and is not sent to {shown(keyless[0])}; {ways}"
    return Rejected("no-key", message)


def is_loopback(url: str) -> bool:
    """Whether an endpoint is on this machine, where no key is needed."""
    return Endpoint.of(url).loopback


def without_keys(environment: Mapping[str, str], secrets: list[str]) -> dict[str, str]:
    """The environment for commands: neither our keys by name, nor any variable that holds one of them."""
    return {
        name: value
        for name, value in environment.items()
        if name not in KEYS and not any(secret in value for secret in secrets)
    }
