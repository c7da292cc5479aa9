"""Addresses that are not those of a Messages API."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from specloom.agent.ask import RetryPolicy
from specloom.llm.anthropic_model import AnthropicModel
from specloom.llm.errors import ProviderError, ProviderFault
from specloom.llm.messages import ModelRequest, Text, UserMessage

REQUEST = ModelRequest("m", "", (UserMessage((Text.of("hello"),)),))


class Page(BaseHTTPRequestHandler):
    """A web page for whatever is asked."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.do_GET()

    def do_GET(self) -> None:
        body = b"<html>log in</html>"
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the overridden one
        return


@pytest.fixture
def page() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


async def test_a_web_page_is_no_messages_api_and_is_not_asked_again(page: str) -> None:
    model = AnthropicModel(api_key=None, base_url=page)
    with pytest.raises(ProviderError, match="web page") as caught:
        await model.ask(REQUEST)
    assert (caught.value.fault, caught.value.retryable) == (ProviderFault.NOT_FOUND, False)
    await model.close()


async def test_an_endpoint_that_never_answered_is_tried_a_few_times_only() -> None:
    model = AnthropicModel(api_key=None, base_url="http://127.0.0.1:9")
    with pytest.raises(ProviderError) as caught:
        await model.ask(REQUEST)
    await model.close()
    error, policy = caught.value, RetryPolicy(tries=10, first_tries=3)
    assert not error.met
    assert [policy.again(failed, error) for failed in (1, 2, 3)] == [True, True, False]
    met = ProviderError(ProviderFault.BROKEN_STREAM, "broke off")
    assert policy.again(9, met)
