"""Keys, endpoints and models. Refuses to show a key, and to spend tokens: only the Models API is asked."""

import asyncio
from collections.abc import AsyncGenerator, Collection

from specloom.cli.checks.check import ANSWER_S, Check, Level
from specloom.cli.ports import Endpoint, Inspection
from specloom.llm.errors import ProviderError, ProviderFault
from specloom.llm.model import ModelFacts

NO_KEY = (
    "set ANTHROPIC_API_KEY, put it into .env, keep one with `specloom credential set --keep`, "
    "or name a local endpoint (--base-url, `models.*.base_url`)"
)


async def model_checks(inspection: Inspection, held: Collection[str] = (), *, offline: bool) -> AsyncGenerator[Check]:
    """For each endpoint its key, whether it answers, and whether the model exists. `held`: whose keys a daemon has."""
    for endpoint in inspection.endpoints:
        yield _key(endpoint, held)
        if not offline and endpoint.key:
            yield await _answers(endpoint)


def _key(endpoint: Endpoint, held: Collection[str]) -> Check:
    if not endpoint.key and endpoint.address in held:
        # Nobody else can ask there with it.
        return Check("key", Level.OK, f"held by the daemon until it ends, for {endpoint.host}")
    if not endpoint.key:
        return Check("key", Level.FAIL, f"no key for {endpoint.host}", NO_KEY)
    where = endpoint.key if endpoint.key == "not needed" else f"from {endpoint.key}"
    return Check("key", Level.OK, f"{where}, for {endpoint.host}")


async def _answers(endpoint: Endpoint) -> Check:
    name = f"{endpoint.model} at {endpoint.host} ({', '.join(endpoint.roles)})"
    try:
        async with asyncio.timeout(ANSWER_S):
            facts = await endpoint.ask()
    except TimeoutError:
        message = f"{endpoint.host} did not answer within {ANSWER_S:g} s"
        return Check("endpoint", Level.FAIL, message, "check the network and the base URL")
    except ProviderError as error:
        # An endpoint that is overloaded for now is no fault of the set-up.
        level = Level.WARN if error.retryable and error.fault is not ProviderFault.UNREACHABLE else Level.FAIL
        return Check("endpoint", level, str(error), "then run `specloom doctor` again")
    return Check("endpoint", Level.OK, f"{name}: {_size(facts)}")


def _size(facts: ModelFacts) -> str:
    if facts.context_tokens is None:
        return "answers; does not tell about the model"
    return f"{facts.context_tokens:,} tokens of context"
