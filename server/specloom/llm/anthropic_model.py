"""A model behind the Messages API, Anthropic's or a compatible one. Refuses to retry or to know what an answer is for.

Stream events are decoded here and not by the SDK, whose iterators cost several times as much (`benchmarks/stream.py`).
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, cast

from specloom.llm.connection import Connection, Timeouts
from specloom.llm.decode import Accumulator, MalformedStreamError, StreamedError, decode_message
from specloom.llm.endpoint import Credential, Endpoint
from specloom.llm.errors import ProviderError, ProviderFault
from specloom.llm.facts import FactsBook
from specloom.llm.messages import ModelAnswer, ModelRequest
from specloom.llm.model import CutOff, DeltaSink, ModelFacts
from specloom.llm.sse import OversizedEventError, SseEvent, SseSplitter
from specloom.llm.wire import WireEncoder

if TYPE_CHECKING:
    import httpx2

_BYTES_A_TOKEN = 1024
_BYTES_BESIDE = 4 * 1024 * 1024
"""What no token accounts for: names and numbers of blocks, signatures, pings."""
_DRAIN_S = 0.25
"""How long a finished answer waits for its connection to become reusable."""
_SCAN = json.JSONDecoder().raw_decode
_NOBODY = frozenset({502, 503, 504})
"""What something in front of an endpoint answers that it does not reach."""
_END_MARK = b"[DONE]"
"""Some OpenAI-shaped endpoints add it after the last event."""


class AnthropicModel:
    """Implements `Model`. One object an endpoint and key, shared by all sessions of one event loop.

    `api_key` or `auth_token`: sent to `base_url` only (`None`: Anthropic's own), not needed where that is loopback.
    """

    def __init__(
        self,
        *,
        api_key: str | None,
        base_url: str | None,
        auth_token: str | None = None,
        timeouts: Timeouts | None = None,
        user_agent: str = "specloom",
    ) -> None:
        self._timeouts = timeouts or Timeouts()
        self._connection = Connection(
            Endpoint.of(base_url), Credential(api_key, auth_token), self._timeouts, user_agent
        )
        self._facts = FactsBook(self._connection, self._timeouts.lookup)
        self._wire = WireEncoder()

    @property
    def host(self) -> str:
        """Where it is asked: host and port, never a key."""
        return self._connection.endpoint.host

    def __repr__(self) -> str:
        return f"AnthropicModel({self.host})"

    async def facts(self, model: str) -> ModelFacts:
        """Asks once a model, then remembers. Raises `ProviderError`."""
        return await self._facts.facts(model)

    async def ask(self, request: ModelRequest, sink: DeltaSink | None = None, cut: CutOff | None = None) -> ModelAnswer:
        """One request, one answer, no retry. Raises `ProviderError`; `CancelledError` closes the connection."""
        limits = await self._facts.limits(request.model)
        response = await self._post("/v1/messages", self._wire.body(request, limits), request.model)
        try:
            return await self._read(response, sink, largest(request.max_tokens), cut)
        finally:
            await response.aclose()

    async def count_tokens(self, request: ModelRequest) -> int:
        """The size of a request in input tokens. Raises `ProviderError`."""
        limits = await self._facts.limits(request.model)
        content = self._wire.count_body(request, limits)
        response = await self._post("/v1/messages/count_tokens", content, request.model)
        try:
            body = await self._read_json(response, _BYTES_BESIDE)
        finally:
            await response.aclose()
        tokens: object = cast("dict[str, Any]", body).get("input_tokens") if isinstance(body, dict) else None
        if not isinstance(tokens, int):
            raise self._connection.faults.broken("counted tokens without saying their number")
        return tokens

    async def reachable(self) -> bool:
        """By the Models API; an error of it will do. A login page or a proxy that finds no server is nobody."""
        try:
            response = await self._connection.get("/v1/models?limit=1")
        except ProviderError as error:
            status = error.status
            return status is not None and not 300 <= status < 400 and status not in _NOBODY
        await response.aclose()
        return True

    async def close(self) -> None:
        """Closes connections; the object is of no use afterwards."""
        await self._connection.close()

    async def _post(self, path: str, content: bytes, model: str) -> "httpx2.Response":
        try:
            return await self._connection.post(path, content)
        except ProviderError as error:
            if error.fault is ProviderFault.INVALID and "max_tokens" in error.what and self._facts.look_again(model):
                # Too long an answer was asked for, because the Models API could not say what is too long.
                raise ProviderError(ProviderFault.SERVER, error.what, step=error.step, status=error.status) from None
            if error.fault is not ProviderFault.NOT_FOUND or error.status not in (400, 404):
                raise
            near = await self._facts.near(model)
            raise self._connection.faults.unknown_model(error, model, near) from None

    async def _read(
        self, response: "httpx2.Response", sink: DeltaSink | None, most: int, cut: CutOff | None
    ) -> ModelAnswer:
        """The answer of an open response, streamed or (an endpoint that cannot stream) whole."""
        accumulator = Accumulator(sink)
        try:
            return await self._decoded(response, accumulator, most)
        except ProviderError as error:
            error.usage = accumulator.usage
            raise
        except asyncio.CancelledError:
            if cut is not None and (come := accumulator.come) is not None:
                cut(come)
            raise

    async def _decoded(self, response: "httpx2.Response", accumulator: Accumulator, most: int) -> ModelAnswer:
        faults = self._connection.faults
        try:
            if response.headers.get("content-type", "").startswith("application/json"):
                return decode_message(await self._read_json(response, most))
            plain = "content-encoding" not in response.headers
            async with contextlib.aclosing(response.aiter_raw() if plain else response.aiter_bytes()) as chunks:
                await self._follow(chunks, accumulator, most)
                await _drain(chunks)
            if not accumulator.finished:
                raise faults.broken("ended its answer too early")
            return accumulator.answer()
        except StreamedError as error:
            raise faults.streamed(error.error) from None
        except (MalformedStreamError, OversizedEventError) as error:
            # `from None`: the original holds the endpoint's bytes, in which the key may be repeated
            raise faults.broken("sent what is no answer of the Messages API", str(error)) from None

    async def _follow(self, chunks: AsyncIterator[bytes], accumulator: Accumulator, most: int) -> None:
        """Feeds `accumulator` until it is finished or the stream ends.

        Raises `ProviderError` for a stall, a break, pings without end, and more than `most` bytes.
        """
        import httpx2

        loop = asyncio.get_running_loop()
        stall = self._timeouts.stall
        # The deadline moves in steps, since moving it for each chunk would cost as much as reading the chunk
        step = min(1.0, stall / 4)
        said = moved = loop.time()
        left = most
        splitter = SseSplitter(most)
        try:
            async with asyncio.timeout(stall + step) as deadline:
                async for chunk in chunks:
                    told = _feed(accumulator, splitter.feed(chunk))
                    if accumulator.finished:
                        return
                    left -= len(chunk)
                    now = loop.time()
                    said = now if told else said
                    if left < 0 or now - said > self._timeouts.answer:
                        raise self._endless(most, pings=left >= 0)
                    if now - moved > step:
                        moved = now
                        deadline.reschedule(moved + stall + step)
        except TimeoutError:
            raise self._connection.faults.broken(f"sent nothing for {stall:g} s in the middle of an answer") from None
        except httpx2.HTTPError as error:
            cause = str(error) or type(error).__name__
            raise self._connection.faults.broken("broke the connection in the middle of an answer", cause) from error

    def _endless(self, most: int, *, pings: bool) -> ProviderError:
        what = f"nothing but pings for {self._timeouts.answer:g} s" if pings else f"more than {most} bytes"
        return self._connection.faults.broken(f"sent {what} in the middle of an answer")

    async def _read_json(self, response: "httpx2.Response", most: int) -> object:
        """The whole body. Raises `ProviderError`."""
        body = await self._connection.whole(response, most, self._timeouts.answer)
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise self._connection.faults.broken("sent what is no JSON", str(error)) from error


def largest(max_tokens: int) -> int:
    """Bytes of the longest stream that an answer of so many tokens can be, each in an event of its own."""
    return _BYTES_BESIDE + max_tokens * _BYTES_A_TOKEN


def _feed(accumulator: Accumulator, events: list[SseEvent]) -> bool:
    """Whether anything but pings was among them."""
    told = False
    for name, data in events:
        told = told or name != b"ping"
        try:
            event = _decode(data.decode())
        except (ValueError, RecursionError):
            if data.strip() == _END_MARK:
                accumulator.end()
                continue
            if name == b"error":
                raise StreamedError({"message": data.decode(errors="replace")}) from None
            raise MalformedStreamError(f"an event is not JSON: {data[:80]!r}") from None
        accumulator.feed(event, name)
        if accumulator.finished:
            break
    return told


def _decode(text: str) -> object:
    """As `json.loads`, without its look for white space, which no event has; one that has takes the long way."""
    try:
        value, end = _SCAN(text)
    except ValueError:
        return json.loads(text)
    return value if end == len(text) else json.loads(text)


async def _drain(chunks: AsyncIterator[bytes]) -> None:
    """Reads to the end of a finished answer, so that its connection serves the next one; not at any price."""
    import httpx2

    with contextlib.suppress(TimeoutError, httpx2.HTTPError):
        async with asyncio.timeout(_DRAIN_S):
            async for _ in chunks:
                pass
