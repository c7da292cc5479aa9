"""Sends bytes through the SDK's client. Refuses to retry, to follow a redirect, or to find a key by itself.

Bodies go in prepared (`AsyncAnthropic.post(content=…)`): that keeps the SDK's HTTP, headers, authentication and errors,
and leaves out the walk over all parameters and the encoding that `messages.create` repeats for the whole conversation
each turn (`benchmarks/stream.py` measures both).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from specloom.llm.endpoint import PLACEHOLDER_KEY, Credential, Endpoint
from specloom.llm.errors import ProviderError
from specloom.llm.faults import Faults

if TYPE_CHECKING:
    import anthropic
    import httpx2


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `answer`: until the first byte, long because local models read the whole prompt before it."""

    connect: float = 10.0
    answer: float = 600.0
    stall: float = 120.0
    """Without a byte in the middle of an answer; pings count as bytes."""
    lookup: float = 10.0
    """For the Models API."""


class Connection:
    """One endpoint with its key. The SDK is imported, in a thread, with the first request."""

    def __init__(self, endpoint: Endpoint, credential: Credential, timeouts: Timeouts, user_agent: str) -> None:
        self.endpoint = endpoint
        self.faults = Faults(endpoint, credential)
        self._credential = credential
        self._timeouts = timeouts
        self._user_agent = user_agent
        self._client: anthropic.AsyncAnthropic | None = None
        self._opening = asyncio.Lock()
        self._met = False

    def __repr__(self) -> str:
        return f"Connection({self.endpoint.host})"

    async def post(self, path: str, content: bytes) -> "httpx2.Response":
        """The open response of a success, unread; the caller closes it. Raises `ProviderError`."""
        return await self._send("POST", path, content, self._timeouts.answer)

    async def get(self, path: str) -> "httpx2.Response":
        """As `post`, with the shorter deadline of a look-up."""
        return await self._send("GET", path, None, self._timeouts.lookup)

    async def whole(self, response: "httpx2.Response", most: int, deadline: float) -> bytes:
        """The body of an open response. Raises `ProviderError`, also beyond `most` bytes or `deadline` seconds."""
        import httpx2

        body = bytearray()
        try:
            async with asyncio.timeout(deadline):
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > most:
                        raise self.faults.broken(f"sent an answer of more than {most} bytes")
        except TimeoutError:
            raise self.faults.broken(f"did not end its answer within {deadline:g} s") from None
        except httpx2.HTTPError as error:
            cause = str(error) or type(error).__name__
            raise self.faults.broken("broke the connection in the middle of an answer", cause) from error
        return bytes(body)

    async def close(self) -> None:
        """Closes all connections."""
        if self._client is not None:
            await self._client.close()

    async def _send(self, method: str, path: str, content: bytes | None, deadline: float) -> "httpx2.Response":
        client = await self._open()
        import anthropic
        import httpx2

        try:
            async with asyncio.timeout(deadline):
                response = await _exchange(client, method, path, content)
            self._met = True
            return await self._of_an_api(response)
        except anthropic.APIStatusError as error:
            self._met = True
            # `from None`: the original's text may repeat the key that the endpoint was sent
            raise self.faults.status(error.status_code, error.body, error.response.headers) from None
        except anthropic.APIConnectionError as error:
            raise self._no_answer(error) from error.__cause__
        except TimeoutError:
            raise self.faults.broken(f"sent no byte of an answer for {deadline:g} s") from None
        except httpx2.HTTPError as error:
            # The body of an error status broke off while the SDK read it
            raise self.faults.broken("closed the connection before its answer", str(error)) from error

    def _no_answer(self, error: "anthropic.APIConnectionError") -> ProviderError:
        import httpx2

        cause = error.__cause__
        detail = str(cause) or type(cause).__name__
        if isinstance(cause, httpx2.ReadError | httpx2.WriteError | httpx2.ReadTimeout | httpx2.RemoteProtocolError):
            return self.faults.broken("closed the connection before its answer", detail)
        unreachable = self.faults.unreachable(detail)
        unreachable.met = self._met
        return unreachable

    async def _of_an_api(self, response: "httpx2.Response") -> "httpx2.Response":
        """Refuses a web page: a login or a proxy answers for an API that is not there."""
        if not response.headers.get("content-type", "").startswith("text/html"):
            return response
        await response.aclose()
        raise self.faults.web_page()

    async def _open(self) -> "anthropic.AsyncAnthropic":
        if self._client is not None:
            return self._client
        if not self.endpoint.usable:
            raise self.faults.bad_url()
        if self._credential.missing and not self.endpoint.loopback:
            raise self.faults.no_key()
        async with self._opening:
            if self._client is None:
                self._client = await asyncio.to_thread(
                    _new_client, self.endpoint, self._credential, self._timeouts, self._user_agent
                )
        return self._client


def _new_client(
    endpoint: Endpoint, credential: Credential, timeouts: Timeouts, user_agent: str
) -> "anthropic.AsyncAnthropic":
    """Every source of keys that the SDK knows by itself is shut off by an explicit one.

    The SDK sends a key as bearer token; endpoints of other makers may know only `X-Api-Key`, so they get both. A proxy
    of the environment is not used for loopback, where it could only carry the key away.
    """
    import anthropic
    import httpx2

    token = credential.auth_token
    key = None if token else credential.api_key or PLACEHOLDER_KEY
    headers = {"User-Agent": user_agent, "Authorization": f"Bearer {token or key}"}
    if key and not endpoint.official:
        headers["X-Api-Key"] = key
    longest = max(timeouts.answer, timeouts.stall)
    timeout = httpx2.Timeout(longest, connect=timeouts.connect, pool=timeouts.connect)
    # Certificates take 20 ms to load, and plain HTTP, where redirects are refused, never looks at one
    tls = endpoint.scheme == "https"
    http_client = (
        httpx2.AsyncClient(follow_redirects=False, timeout=timeout, trust_env=False, verify=tls)
        if endpoint.loopback
        else anthropic.DefaultAsyncHttpxClient(follow_redirects=False, timeout=timeout)
    )
    return anthropic.AsyncAnthropic(
        api_key=key,
        auth_token=token,
        base_url=endpoint.url,
        timeout=timeout,
        max_retries=0,
        default_headers=headers,
        http_client=http_client,
    )


async def _exchange(
    client: "anthropic.AsyncAnthropic", method: str, path: str, content: bytes | None
) -> "httpx2.Response":
    import anthropic
    import httpx2

    # With `stream`, the SDK gives the response unread; its declared type is the stream that it would make of it
    kind = anthropic.AsyncStream[Any]
    options: Mapping[str, Any] = {"cast_to": httpx2.Response, "stream": True, "stream_cls": kind}
    sent = client.get(path, **options) if method == "GET" else client.post(path, content=content, **options)
    return cast("httpx2.Response", await sent)
