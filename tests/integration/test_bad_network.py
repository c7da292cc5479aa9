"""Every fault at every point of an answer: asked again, waited for or ended with its reason; no half call ever runs."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from specloom.domain.events import agents, runs
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, PauseCause, RunOutcome, Scope
from specloom.engine.options import EngineOptions
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.anthropic_model import AnthropicModel
from specloom.llm.connection import Timeouts
from specloom.llm.scripted.server import ScriptedServer
from tests.conftest import TIER
from tests.integration.bad_network import BEFORE, FAULTS, POINTS, BadNetwork, Coding, Trouble, bad_network
from tests.integration.people import Person, agrees
from tests.integration.projects import USER, opened
from tests.integration.stage import (
    Json,
    attempt,
    events_of,
    finished,
    project,
    run_of,
    says,
    script,
    task,
    turn,
    write,
)

PATIENT = Timeouts(connect=10.0, answer=10.0, stall=5.0, lookup=10.0)
IMPATIENT = Timeouts(connect=10.0, answer=0.5, stall=0.3, lookup=10.0)
SILENT = frozenset({"stall", "pings"})
"""Faults that only a deadline tells."""
CODINGS: tuple[Coding, ...] = ("events", "bytes", "gzip")
PAIRS = [(fault, CODINGS[number % len(CODINGS)]) for number, fault in enumerate(FAULTS)]
CASES = list(product(FAULTS, CODINGS)) if TIER == "soak" else PAIRS
"""Each meets every point of a stream."""


def writes(number: int) -> Json:
    """An answer with everything that a stream can break in."""
    text = {"text": f"I write file {number}, as the task says, and go on with the next one."}
    content = "".join(f"line {line} of {number}\n" for line in range(60))
    return turn(
        {"thinking": f"File {number} comes next, after the one before it."}, text, write(f"{number}.txt", content)
    )


def quick(options: EngineOptions, port: int, timeouts: Timeouts) -> EngineOptions:
    """The same, without waits between tries."""
    model = AnthropicModel(api_key=None, base_url=f"http://127.0.0.1:{port}", timeouts=timeouts)
    roles = {name: replace(role, endpoint=model, max_tokens=1024) for name, role in options.roles.items()}
    return replace(options, roles=roles, retry=replace(options.retry, first_wait=0.0, longest_wait=0.01))


@asynccontextmanager
async def behind_a_bad_network(
    root: Path, *sessions: Json, timeouts: Timeouts = PATIENT
) -> AsyncGenerator[tuple[ProjectRuntime, BadNetwork, ScriptedServer]]:
    """A runtime whose endpoint is played by these sessions, every turn of which must have been asked at the end."""
    async with ScriptedServer(script(*sessions), keep=None) as server:
        async with bad_network(int(server.base_url.rpartition(":")[2])) as network:
            runtime = await opened(root, f"http://127.0.0.1:{network.port}", limits={"turns": 500})
            runtime.engine.options = quick(runtime.engine.options, network.port, timeouts)
            try:
                yield runtime, network, server
            finally:
                await runtime.close()
        server.check()


def story(tmp_path: Path, turns: int) -> tuple[Path, Json]:
    """A task that takes so many answers with a call, and a claim."""
    root = project(tmp_path / "p", task(1, *(f"test -f {number}.txt" for number in (1, turns))))
    return root, attempt(1, *(writes(number) for number in range(1, turns + 1)), turn(says()))


async def watched(runtime: ProjectRuntime, person: Person | None = None) -> RunOutcome | None:
    """How a run ends that a person watches, with all its pauses."""
    with runtime.attach(person or Person(agrees)):
        assert not isinstance(await runtime.start_run(Scope(), Budget(), USER), Rejected)
        return await finished(runtime)


@pytest.mark.parametrize(("fault", "coding"), CASES)
async def test_an_answer_that_breaks_anywhere_is_asked_again_and_no_half_call_runs(
    tmp_path: Path, fault: str, coding: Coding
) -> None:
    points = (BEFORE, *POINTS)
    root, session = story(tmp_path, len(points))
    timeouts = IMPATIENT if fault in SILENT else PATIENT
    async with behind_a_bad_network(root, session, timeouts=timeouts) as (runtime, network, server):
        network.troubles = {number: [Trouble(fault, point)] for number, point in enumerate(points, 1)}
        network.coding = coding
        assert await watched(runtime) is RunOutcome.COMPLETED
        failed = await events_of(runtime, agents.TurnFailed)
        assert {event.turn for event in failed} >= set(network.troubles)
        assert fault in SILENT or len(failed) == len(points), "no answer that was whole was asked for again"
        assert {event.fault for event in failed} <= {"broken-stream", "overloaded", "unreachable"}
        assert len(await events_of(runtime, agents.ToolRequested)) == len(points)
        assert (server.failures, server.total) == ([], len(points) + 1 + len(failed))
        assert len(runtime.state.sessions) == 1


def http(status: str, body: str = "", *headers: str, kind: str = "application/json") -> bytes:
    """A whole response."""
    lines = (f"HTTP/1.1 {status}", f"content-type: {kind}", f"content-length: {len(body)}", "connection: close")
    return "\r\n".join((*lines, *headers, "", body)).encode()


def error(kind: str, message: str = "as it is") -> str:
    """The body of an error."""
    return json.dumps({"type": "error", "error": {"type": kind, "message": message}})


LIMITED = error("rate_limit_error")
CURED_BY_WAITING: dict[str, bytes] = {
    "429": http("429 Too Many", LIMITED),
    "429 at once": http("429 Too Many", LIMITED, "retry-after: 0"),
    "429 absurd": http("429 Too Many", LIMITED, "retry-after: 99999999999"),
    "429 negative": http("429 Too Many", LIMITED, "retry-after: -5"),
    "429 a date": http("429 Too Many", LIMITED, "retry-after: Wed, 21 Oct 2065 07:28:00 GMT"),
    "429 a word": http("429 Too Many", LIMITED, "retry-after: soon"),
    "529": http("529 Overloaded", error("overloaded_error")),
    "500": http("500 Internal", error("api_error")),
    "502 with a page": http("502 Bad Gateway", "<html><h1>Bad Gateway</h1></html>", kind="text/html"),
    "503 without a word": http("503 Unavailable"),
    "408": http("408 Timeout", error("timeout_error")),
    "no HTTP": b"SSH-2.0-OpenSSH_9.9\r\n",
    "an empty answer": http("200 OK", '{"type": "message", "content": [], "usage": {}, "stop_reason": "end_turn"}'),
    "no JSON": http("200 OK", '{"type": "mess'),
}
CURED_BY_A_PERSON: dict[str, bytes] = {
    "401": http("401 Unauthorized", error("authentication_error", "invalid x-api-key")),
    "403": http("403 Forbidden", error("permission_error")),
    "402": http("402 Payment", error("billing_error")),
    "400 billing": http("400 Bad Request", error("invalid_request_error", "Your credit balance is too low")),
    "429 billing": http("429 Too Many", error("rate_limit_error", "You exceeded your current quota, check billing")),
    "302": http("302 Found", "", "location: http://127.0.0.1:9/login"),
    "407": http("407 Proxy Authentication Required", "<html>proxy</html>", kind="text/html"),
    "a login page": http("200 OK", "<html>Log in</html>", kind="text/html"),
    "404": http("404 Not Found", error("not_found_error", "model: scripted-1")),
}


async def test_what_waiting_cures_is_asked_again(tmp_path: Path) -> None:
    replies = list(CURED_BY_WAITING.values())
    root, session = story(tmp_path, len(replies))
    async with behind_a_bad_network(root, session) as (runtime, network, server):
        network.troubles = {number: [Trouble(reply=reply)] for number, reply in enumerate(replies, 1)}
        assert await watched(runtime) is RunOutcome.COMPLETED
        failed = await events_of(runtime, agents.TurnFailed)
        assert [event.turn for event in failed] == list(range(1, len(replies) + 1))
        assert all(event.retry_in_s is not None for event in failed)
        assert not await events_of(runtime, runs.RunPaused)
        assert server.total == 2 * len(replies) + 1


async def test_what_a_person_must_cure_pauses_with_a_question_and_goes_on_in_the_session(tmp_path: Path) -> None:
    replies = list(CURED_BY_A_PERSON.values())
    root, session = story(tmp_path, len(replies))
    person = Person(agrees)
    async with behind_a_bad_network(root, session) as (runtime, network, _):
        network.troubles = {number: [Trouble(reply=reply)] for number, reply in enumerate(replies, 1)}
        assert await watched(runtime, person) is RunOutcome.COMPLETED, run_of(runtime.state).reason
        paused = await events_of(runtime, runs.RunPaused)
        assert [event.cause for event in paused] == [PauseCause.PROVIDER] * len(replies)
        asked = [question.subject for question in person.questions if "Try again" in question.choices]
        assert asked == [event.reason for event in paused]
        assert len(runtime.state.sessions) == 1


@pytest.mark.parametrize("reply", [CURED_BY_WAITING["529"], CURED_BY_A_PERSON["400 billing"]], ids=["529", "billing"])
async def test_what_never_heals_is_asked_within_bounds_and_then_asked_about(tmp_path: Path, reply: bytes) -> None:
    root, _ = story(tmp_path, 1)
    sessions = (attempt(1, writes(1)), attempt(1, writes(1), turn(says()), at=2))
    async with behind_a_bad_network(root, *sessions) as (runtime, network, _):
        network.troubles = {1: [Trouble(reply=reply)] * 500}
        answers = iter(["Try again", "Stop"])
        person = Person(lambda question: next(answers) if "Stop" in question.choices else question.choices[0])
        assert await watched(runtime, person) is RunOutcome.FAULT
        asked = 500 - len(network.troubles[1])
        assert asked <= 2 * runtime.engine.options.retry.tries
        assert len(await events_of(runtime, agents.TurnFailed)) == asked
        network.troubles = {}
        assert await watched(runtime) is RunOutcome.COMPLETED, "what follows is as if nothing had been"


ODD: dict[str, Any] = {
    "an unknown block": turn({"raw": {"type": "hologram_v2", "data": [1, None]}}, write("1.txt", "one\n")),
    "an unknown stop": turn(write("1.txt", "one\n"), stop="tea_time"),
    "a paused turn": turn({"text": "Searching."}, stop="pause_turn"),
}


@pytest.mark.parametrize("odd", ODD)
async def test_what_nobody_knows_yet_is_sent_back_as_it_is(tmp_path: Path, odd: str) -> None:
    root = project(tmp_path / "p", task(1, "test -f 2.txt"))
    sessions = attempt(1, ODD[odd], turn(write("2.txt", "two\n")), turn(says()))
    async with behind_a_bad_network(root, sessions) as (runtime, _, __):
        assert await watched(runtime) is RunOutcome.COMPLETED
