"""The wire is described once, and everything that is said about it elsewhere agrees."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from lsprotocol import types

from specloom.domain.events import EVENT_TYPES, Event
from specloom.domain.ids import ProjectId
from specloom.domain.origin import Origin
from specloom.engine.api import Published
from specloom.lsp import generate
from specloom.lsp.capabilities import server_capabilities
from specloom.lsp.dispatch import STANDARD
from specloom.lsp.handlers import ORDERS, READS
from specloom.lsp.handlers import STANDARD as HANDLED
from specloom.lsp.methods import METHODS
from specloom.lsp.names import ASKED_OF_CLIENTS, COMMANDS, NOTIFICATIONS, REQUESTS
from specloom.lsp.protocol import EventsListParams, InvalidParamsData, Params, RunStartParams, read_params, to_json
from specloom.lsp.protocol_event_base import EventBase
from specloom.lsp.protocol_events import MOST_TEXT, WireEvent
from specloom.lsp.wire_events import TABLE, cut, text_of, thinking_of, wire_event
from tests.lsp.samples import sample


def of(sender: str, *, notification: bool) -> tuple[str, ...]:
    """Names of methods of one kind."""
    return tuple(
        name for name, method in METHODS.items() if method.sender == sender and (method.result is None) == notification
    )


def test_names_announced_before_anything_is_loaded_are_those_of_the_methods() -> None:
    assert of("client", notification=False) == REQUESTS
    assert of("server", notification=True) == NOTIFICATIONS
    assert of("server", notification=False) == ASKED_OF_CLIENTS


def test_every_request_has_one_handler_and_orders_need_a_runtime() -> None:
    assert set(READS) | set(ORDERS) == set(REQUESTS)
    assert not set(READS) & set(ORDERS)
    assert {name for name, method in METHODS.items() if method.changes} <= set(ORDERS)
    assert set(HANDLED) == set(STANDARD)


def test_capabilities_announce_what_is_served() -> None:
    announced = server_capabilities(types.ClientCapabilities(), "utf-16")
    assert announced.execute_command_provider is not None
    assert tuple(announced.execute_command_provider.commands) == tuple(COMMANDS)
    assert announced.experimental is not None
    assert announced.experimental["specloom"]["methods"] == list(REQUESTS)
    assert announced.inlay_hint_provider is None
    assert announced.diagnostic_provider is None


def test_generated_files_are_current() -> None:
    assert generate.stale() == []
    check = subprocess.run([sys.executable, "-m", "specloom.lsp.generate", "--check"], check=False, timeout=60)
    assert check.returncode == 0


def test_every_event_of_the_log_has_a_place_on_the_wire() -> None:
    assert set(TABLE) == set(EVENT_TYPES)


@pytest.mark.parametrize("kind", EVENT_TYPES, ids=lambda kind: kind.__name__)
def test_an_event_goes_over_the_wire_with_its_name_and_its_origin(kind: type[Event]) -> None:
    published = Published(7, "2026-11-21T10:00:00.000Z", Origin("user", "nvim"), sample(kind), "c-1")
    told = to_json(wire_event(published, ProjectId("p-1")))
    assert told["type"][0].lower() + told["type"][1:] == told["type"]
    assert told["type"].lower() == kind.__name__.lower()
    assert (told["seq"], told["actor"], told["clientId"], told["projectId"]) == (7, "user", "nvim", "p-1")
    assert told["commandId"] == "c-1"
    assert all("_" not in name for name in told)


def test_the_union_of_wire_events_holds_exactly_what_is_sent() -> None:
    (union, _) = get_args(WireEvent)
    sent = {type(wire_event(Published(1, "", Origin("engine"), sample(kind)), ProjectId(""))) for kind in EVENT_TYPES}
    assert set(get_args(union)) == sent


def test_wire_events_say_what_the_domain_events_say() -> None:
    """Every member of a domain event is told, under a name of its own, or left out on purpose."""
    left_out = {
        "ProjectOpened": {"project"},
        "SessionStarted": {"system", "tools"},
        "PlanStarted": {"feedback"},
        "SpecWritten": {"text"},
        "MessageAdded": {"shown"},
        "ContextCollapsed": {"content"},
        "TurnFinished": {"dropped_calls"},
        "ToolSettled": {"blocked", "shown", "corrected", "watched"},
        "EditRequested": {"before_digest", "after_digest"},
        "EditSettled": {"digest"},
        "ChangeSetRecorded": {"diff"},
        "TaskBlocked": {"ungranted"},
        "TaskStarted": {"cited"},
        "TaskDone": {"cited"},
        "ProofRenewed": {"cited"},
    }
    for kind in EVENT_TYPES:
        wire = type(wire_event(Published(1, "", Origin("engine"), sample(kind)), ProjectId("")))
        told = set(wire.model_fields) - set(EventBase.model_fields) - {"type"}
        said = {field.name for field in dataclasses.fields(kind)} - left_out.get(kind.__name__, set())
        assert len(told) + ("agent" in said) >= len(said), (kind.__name__, said, told)


def faulty() -> Iterator[tuple[Any, str]]:
    """Parameters of `run/start`, and the member that is wrong."""
    yield {}, "scope"
    yield {"scope": {"kind": "planet"}}, "scope"
    yield {"scope": {"kind": "task"}}, "scope.task.id"
    yield {"scope": {"kind": "project"}, "budget": {"usd": -1}}, "budget.usd"
    for limit in ("usd", "minutes"):
        # JSON without an end to its digits; back on the wire it would be `Infinity`, which no other client can read.
        yield {"scope": {"kind": "project"}, "budget": {limit: json.loads("1e999")}}, f"budget.{limit}"
    yield {"scope": {"kind": "project"}, "budget": {"tokens": 10**400}}, "budget.tokens"
    yield {"scope": {"kind": "project"}, "extra": 1}, "extra"
    yield {"scope": {"kind": "project"}, "commandId": "x" * 300}, "commandId"
    yield [1, 2], ""
    yield "text", ""
    yield 3, ""


@pytest.mark.parametrize(("raw", "field"), list(faulty()))
def test_wrong_parameters_are_named(raw: Any, field: str) -> None:
    fault = read_params(RunStartParams, raw)
    assert isinstance(fault, InvalidParamsData)
    assert field in [item.field for item in fault.fields]


def test_a_number_that_no_log_holds_is_refused_as_such() -> None:
    fault = read_params(EventsListParams, {"since": 2**63})
    assert isinstance(fault, InvalidParamsData)
    assert [item.field for item in fault.fields] == ["since"]


def test_parameters_are_read_by_their_wire_names() -> None:
    params = read_params(RunStartParams, {"scope": {"kind": "task", "id": "01/1"}, "commandId": "c"})
    assert isinstance(params, RunStartParams)
    assert params.command_id == "c"


@pytest.mark.parametrize("name", list(REQUESTS))
def test_no_request_takes_a_member_it_does_not_know(name: str) -> None:
    model = METHODS[name].params
    assert isinstance(model, type)
    assert issubclass(model, Params)
    fault = read_params(model, {"noSuchMember": 1})
    assert isinstance(fault, InvalidParamsData)
    assert "noSuchMember" in [item.field for item in fault.fields]


def test_long_texts_are_cut_in_the_middle_and_say_so() -> None:
    short = cut("a" * (MOST_TEXT + 10) + "end")
    assert len(short) < MOST_TEXT + 100
    assert "13 characters left out" in short
    assert short.endswith("end")


def test_words_are_found_in_blocks_and_in_tool_results() -> None:
    content = (
        '[{"type":"thinking","thinking":"hm"},{"type":"text","text":"one"},{"type":"tool_result","content":"two"}]'
    )
    assert text_of(content) == "one\ntwo"
    assert text_of("no json") == ""
    assert thinking_of(content) == "hm"
    assert thinking_of('[{"type":"redacted_thinking","data":"x"},{"type":"thinking","thinking":null}]') == ""
    assert thinking_of("no json") == thinking_of("7") == ""
