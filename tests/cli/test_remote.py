"""Orders to a daemon that does not answer."""

import asyncio
import io
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from specloom.cli.failures import CommandError
from specloom.cli.link import Notified
from specloom.cli.output import Output
from specloom.cli.ports import Composition, Place
from specloom.cli.remote import RemoteRuntime
from specloom.cli.views.activity import Activity
from specloom.cli.views.attached import AttachedJsonView
from specloom.domain.origin import Origin


class Standing:
    """A daemon that took the subscription and then stands still."""

    def __init__(self, answer: Mapping[str, Any] | None = None) -> None:
        self.ended = asyncio.Event()
        self._answer = answer

    def hear(self, listener: Notified) -> None:
        """Told by the test."""
        self.listener = listener

    async def ask(self, method: str, params: Mapping[str, Any]) -> Any:
        """As `DaemonClient.request` after its deadline."""
        if method == "specloom/events/subscribe":
            self.subscribed = params
            return {}
        if self._answer is not None:
            return self._answer
        raise TimeoutError("the daemon has not answered")

    @asynccontextmanager
    async def connect_daemon(
        self, root: Path, environment: Mapping[str, str], *, start: bool
    ) -> AsyncGenerator["Standing"]:
        """The one link."""
        del root, environment, start
        yield self


async def test_an_order_that_is_not_answered_is_one_line_and_no_bug(tmp_path: Path) -> None:
    runtime = RemoteRuntime(Place(tmp_path, {}, cast("Composition", Standing())), {})
    await runtime.connect(start=False)
    try:
        # Else whoever serves typed lines or questions would end, and nothing typed or asked later be heard.
        with pytest.raises(CommandError, match="has not answered"):
            await runtime.pause(Origin("user"))
    finally:
        await runtime.close()


async def test_an_order_whose_event_never_comes_to_the_log_here_ends_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("specloom.cli.remote.LOG_DEADLINE", 0.1)
    runtime = RemoteRuntime(Place(tmp_path, {}, cast("Composition", Standing({"seq": 7}))), {})
    await runtime.connect(start=False)
    try:
        with pytest.raises(CommandError, match=r"event 7.*ends at event 0"):
            await runtime.pause(Origin("user"))
    finally:
        await runtime.close()


async def test_what_keeps_a_project_from_going_on_is_told_once_to_who_watches(tmp_path: Path) -> None:
    daemon, told = Standing(), list[str]()
    runtime = RemoteRuntime(Place(tmp_path, {}, cast("Composition", daemon)), {})
    await runtime.connect(start=False)
    runtime.notes(told.append)
    try:
        daemon.listener("specloom/health", {"status": "warning", "message": "This machine is busy"})
        for _ in range(2):
            daemon.listener("specloom/health", {"status": "error", "message": "The disk takes no more; make room"})
        daemon.listener("specloom/health", {"status": "ok", "message": ""})
    finally:
        await runtime.close()
    assert told == ["the disk takes no more; make room"]
    assert daemon.subscribed["health"], "else none of it is sent"


async def test_what_was_dropped_of_the_stream_is_told_in_json(tmp_path: Path) -> None:
    daemon, printed = Standing(), io.StringIO()
    runtime = RemoteRuntime(Place(tmp_path, {}, cast("Composition", daemon)), {})
    await runtime.connect(start=False)
    try:
        with runtime.watch_output(AttachedJsonView(Output(printed, io.StringIO(), as_json=True)).hear_output):
            piece = {"sessionId": "s", "block": "1.0", "kind": "text", "text": "end", "name": "", "dropped": 12}
            daemon.listener("specloom/output", piece)
    finally:
        await runtime.close()
    told = json.loads(printed.getvalue())
    assert (told["type"], told["text"], told["dropped"]) == ("output", "end", 12)


async def test_what_was_being_said_when_one_came_is_told_once_to_who_watches_first(tmp_path: Path) -> None:
    daemon, told = Standing(), Activity()
    runtime = RemoteRuntime(Place(tmp_path, {}, cast("Composition", daemon)), {})
    await runtime.connect(start=False)

    def say(text: str, *, from_start: bool = False) -> None:
        piece = {"sessionId": "s", "block": "1.0", "kind": "text", "text": text, "name": "", "dropped": 0}
        daemon.listener("specloom/output", piece | {"fromStart": from_start})

    try:
        say("I look", from_start=True)
        say(" at")
        with runtime.watch_output(told.hear_output):
            say(" it")
            assert (told.step, told.words) == ("writing", "I look at it")
            # The connection broke, and the daemon tells all of it again.
            say("I look at it, and", from_start=True)
            assert told.words == "I look at it, and"
        later = Activity()
        with runtime.watch_output(later.hear_output):
            assert later.words == ""
    finally:
        await runtime.close()
