"""Asks the Models API what a model can take, once a model. Refuses tables of its own: ids and sizes in code rot.

Endpoints without that API, or with an OpenAI-shaped list, tell less or nothing; then nothing is what is known.
"""

import asyncio
import difflib
import json
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote

from specloom.llm.connection import Connection
from specloom.llm.errors import ProviderError, ProviderFault
from specloom.llm.model import ModelFacts
from specloom.llm.wire import NO_LIMITS, RequestLimits, ThinkingTypes

_CONTEXT_KEYS = ("max_input_tokens", "max_model_len", "context_length", "context_window")
"""Anthropic's first, then what vLLM, OpenRouter and others write."""
_OUTPUT_KEYS = ("max_tokens", "max_output_tokens")
_NOTHING: Mapping[str, Any] = {}
_NOT_TOLD = frozenset({ProviderFault.NOT_FOUND, ProviderFault.INVALID, ProviderFault.TOO_LARGE})
_LARGEST = 32 * 1024 * 1024
"""Bytes that are read of a list of models."""
_PAUSE_S = 60.0
"""How long a Models API that failed is left alone by `limits`, so that it cannot slow each request."""
_FATAL = frozenset({ProviderFault.UNREACHABLE, ProviderFault.KEY, ProviderFault.NO_KEY, ProviderFault.BILLING})


class FactsBook:
    """What is known of the models of one endpoint."""

    def __init__(self, connection: Connection, deadline: float) -> None:
        """`deadline`: seconds that an answer of the Models API may take, and its body once more."""
        self._connection = connection
        self._deadline = deadline
        self._known: dict[str, tuple[ModelFacts, ThinkingTypes]] = {}
        self._ask_again: dict[str, float] = {}
        self._asking = asyncio.Lock()

    async def facts(self, model: str) -> ModelFacts:
        """Remembered, also when the endpoint does not tell. Raises `ProviderError`."""
        return (await self._look_up(model))[0]

    async def limits(self, model: str) -> RequestLimits:
        """As `facts`, but a Models API that fails for now limits nothing. Raises if no request can succeed."""
        now = asyncio.get_running_loop().time()
        if model not in self._known and now < self._ask_again.get(model, now):
            return NO_LIMITS
        try:
            facts, types = await self._look_up(model)
        except ProviderError as error:
            if error.fault in _FATAL:
                raise
            self._ask_again[model] = now + _PAUSE_S
            return NO_LIMITS
        return RequestLimits(facts.max_output_tokens, types)

    def look_again(self, model: str) -> bool:
        """Whether the limits of a model are unknown for now only; they are asked for with the next request then."""
        return model not in self._known and self._ask_again.pop(model, None) is not None

    async def near(self, model: str) -> tuple[str, ...]:
        """At most three ids that exist and look like `model`; none if the endpoint does not list its models."""
        try:
            ids = [str(entry.get("id", "")) for entry in await self._list()]
        except ProviderError:
            return ()
        return tuple(difflib.get_close_matches(model, [name for name in ids if name], n=3, cutoff=0.4))

    async def _look_up(self, model: str) -> tuple[ModelFacts, ThinkingTypes]:
        if model not in self._known:
            async with self._asking:
                if model not in self._known:
                    self._known[model] = _facts_of(model, await self._ask(model))
        return self._known[model]

    async def _ask(self, model: str) -> Mapping[str, Any]:
        try:
            return _object(await self._read(f"/v1/models/{quote(model, safe='')}"))
        except ProviderError as error:
            if not _not_told(error):
                raise
        try:
            entries = await self._list()
        except ProviderError as error:
            if not _not_told(error):
                raise
            return _NOTHING
        return next((entry for entry in entries if entry.get("id") == model), _NOTHING)

    async def _list(self) -> list[Mapping[str, Any]]:
        """All entries of the first page; `limit` is the largest that the API takes."""
        data: object = _object(await self._read("/v1/models?limit=1000")).get("data")
        return [_object(entry) for entry in cast("list[object]", data)] if isinstance(data, list) else []

    async def _read(self, path: str) -> object:
        response = await self._connection.get(path)
        try:
            return json.loads(await self._connection.whole(response, _LARGEST, self._deadline))
        except (ValueError, RecursionError):
            return _NOTHING
        finally:
            await response.aclose()


def _facts_of(model: str, entry: Mapping[str, Any]) -> tuple[ModelFacts, ThinkingTypes]:
    facts = ModelFacts(str(entry.get("id") or model), _first(entry, _CONTEXT_KEYS), _first(entry, _OUTPUT_KEYS))
    return facts, _thinking_types(entry)


def _first(entry: Mapping[str, Any], keys: tuple[str, ...]) -> int | None:
    values = (entry.get(key) for key in keys)
    return next((value for value in values if type(value) is int and value > 0), None)


def _thinking_types(entry: Mapping[str, Any]) -> ThinkingTypes:
    """`capabilities.thinking.types.<type>.supported`, if the endpoint says it."""
    types = _object(_object(_object(entry.get("capabilities")).get("thinking")).get("types"))
    if not types:
        return None
    return frozenset(name for name, value in types.items() if _object(value).get("supported") is True)


def _object(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else _NOTHING


def _not_told(error: ProviderError) -> bool:
    """No such API, or (403) not for this key, which may still be good for messages."""
    return error.fault in _NOT_TOLD or error.status == 403
