"""What each call passes: the schema, the registry, permission, the redactor."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.domain.redact import Redactor
from specloom.llm.messages import ToolUse
from specloom.tools.ports import Decision, ToolContext
from specloom.tools.registry import ToolBox
from specloom.tools.schema import checked
from specloom.tools.tool import Effect, Tool, ToolOutcome

KEY = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "path": {"type": "string", "minLength": 1},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "share": {"type": "number"},
        "deep": {"type": "boolean"},
        "kind": {"type": "string", "enum": ["a", "b"]},
        "names": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "string"}},
        "place": {
            "type": "object",
            "properties": {"line": {"type": "integer"}},
            "required": ["line"],
            "additionalProperties": False,
        },
    },
    "required": ["path"],
    "additionalProperties": False,
}
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 20)
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from(["3", "true", "[]"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*SCHEMA["properties"], "line"]), inner)
    ),
    max_leaves=6,
)


class Person(Protocol):
    answer: Decision
    asked: list[tuple[str, str]]


class Screen(Protocol):
    chunks: list[str]


class Hands(Protocol):
    root: Path
    context: ToolContext
    box: ToolBox
    person: Person
    screen: Screen

    async def use(self, tool: str, **values: Any) -> ToolOutcome: ...
    async def text(self, tool: str, **values: Any) -> str: ...
    async def refusal(self, tool: str, **values: Any) -> str: ...
    def changed(self, **values: Any) -> "Hands": ...
    def grow(self, tree: dict[str, str]) -> None: ...


@given(st.dictionaries(st.sampled_from([*SCHEMA["properties"], "other"]), JSON))
def test_any_input_is_either_right_or_explained(values: dict[str, Any]) -> None:
    check = checked("tool", SCHEMA, values)
    if check.refusal:
        assert check.refusal.startswith("tool was not run: ")
        return
    assert set(check.values) <= set(SCHEMA["properties"])
    assert checked("tool", SCHEMA, check.values) == check
    assert isinstance(check.values["path"], str)
    assert 1 <= check.values.get("count", 1) <= 9


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ({"count": "3"}, {"count": 3}),
        ({"count": 3.0}, {"count": 3}),
        ({"count": None}, {}),
        ({"share": "0.5"}, {"share": 0.5}),
        ({"deep": "True"}, {"deep": True}),
        ({"names": '["x"]'}, {"names": ["x"]}),
        ({"place": '{"line": "4"}'}, {"place": {"line": 4}}),
    ],
)
def test_value_that_is_plainly_meant_is_mended(values: dict[str, Any], kept: dict[str, Any]) -> None:
    assert checked("tool", SCHEMA, {"path": "x", **values}).values == {"path": "x", **kept}


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({}, "'path' is missing"),
        ({"path": ""}, "'path' must not be empty"),
        ({"path": 5}, "'path' must be a string, not an integer"),
        ({"file_path": "x"}, "'file_path' is no key, use 'path'; 'path' is missing"),
        ({"filename": "x"}, "'filename' is no key, use 'path'"),
        ({"path": "x", "cuont": 1}, "'cuont' is no key, use 'count'"),
        ({"path": "x", "count": "three"}, "'count' must be an integer, not a string"),
        ({"path": "x", "count": True}, "'count' must be an integer, not a boolean"),
        ({"path": "x", "count": 10}, "'count' may be at most 9, not 10"),
        ({"path": "x", "count": 0}, "'count' must be at least 1, not 0"),
        ({"path": "x", "kind": "c"}, "'kind' must be one of 'a', 'b', not 'c'"),
        ({"path": "x", "names": []}, "'names' must hold at least 1 item(s)"),
        ({"path": "x", "names": ["a", "b", "c"]}, "'names' may hold at most 2 items, not 3"),
        ({"path": "x", "names": [1]}, "'names[0]' must be a string, not an integer"),
        ({"path": "x", "place": {"lines": 1}}, "'place.lines' is no key, use 'line'"),
    ],
)
def test_wrong_value_is_named_with_the_keys(values: dict[str, Any], fault: str) -> None:
    refusal = checked("tool", SCHEMA, values).refusal
    assert fault in refusal
    assert "Its keys are: path (required), count (optional)" in refusal


async def test_unknown_tool_is_refused_with_the_nearest_name(hands: Hands) -> None:
    assert (await hands.refusal("readfile", path="x")).startswith(
        "there is no tool 'readfile' (did you mean 'read_file'?); you have: "
    )
    assert hands.box.effect("readfile") is Effect.READ


def test_box_of_a_role_holds_its_tools_alone(hands: Hands) -> None:
    box = hands.box.only(["read_file", "grep_search"])
    assert box.names == ("read_file", "grep_search")
    assert [schema.name for schema in box.schemas()] == ["read_file", "grep_search"]
    with pytest.raises(KeyError):
        hands.box.only(["sudo"])


def test_tools_have_the_effects_that_keep_order(hands: Hands) -> None:
    assert {name: hands.box.effect(name).value for name in hands.box.names} == {
        "read_file": "read",
        "write_file": "write",
        "edit_file": "write",
        "list_directory": "read",
        "search_files": "read",
        "grep_search": "read",
        "run_command": "command",
        "command_jobs": "control",
        "close_file": "read",
        "delete_file": "write",
        "report_blocked": "control",
    }


class Broken:
    name = "broken"
    description = ""
    input_schema: Mapping[str, Any] = {"type": "object", "properties": {}, "required": []}
    effect = Effect.READ

    async def run(self, values: Mapping[str, Any], context: ToolContext) -> ToolOutcome:
        raise ZeroDivisionError(values, context)


async def test_fault_of_a_tool_is_an_outcome_and_a_log_line(hands: Hands, caplog: pytest.LogCaptureFixture) -> None:
    tool: Tool = Broken()
    hands.box = ToolBox([tool])
    assert "broken failed by a fault of its own (ZeroDivisionError)" in await hands.refusal("broken")
    assert caplog.records[0].exc_info is not None


async def test_call_whose_input_did_not_parse_is_handed_back(hands: Hands) -> None:
    bound = hands.box.bound(hands.context)
    outcome = await bound.run(ToolUse("call-9", "read_file", {}, {}, fault="its input is no JSON"))
    assert (outcome.is_error, outcome.text) == (
        True,
        "read_file was not run: its input is no JSON; send the call again",
    )
    assert bound.effect("write_file") is Effect.WRITE


async def test_report_blocked_carries_the_reason(hands: Hands) -> None:
    outcome = await hands.use("report_blocked", reason=f" no access to {KEY} ")
    assert (outcome.blocked, outcome.is_error) == ("no access to [redacted]", False)


async def test_keys_are_redacted_in_results_and_in_the_stream(hands: Hands) -> None:
    hands.grow({"notes.txt": f"token {KEY}\nmine secret-of-the-user\n"})
    hands.box = ToolBox(
        [hands.box.tool(name) for name in ("read_file", "run_command")], Redactor(["secret-of-the-user"])
    )
    assert (
        await hands.text("read_file", path="notes.txt")
        == "notes.txt (2 lines)\n1 | token [redacted]\n2 | mine [redacted]"
    )
    assert await hands.text(
        "run_command", command="cat notes.txt; printf 'ghp_'; sleep 0.05; printf '%s' " + KEY[4:]
    ) == ("exit code 0\ntoken [redacted]\nmine [redacted]\n[redacted]")
    assert "".join(hands.screen.chunks) == "token [redacted]\nmine [redacted]\n[redacted]"


async def test_command_is_asked_for_and_told_with_its_exit_code(hands: Hands) -> None:
    (hands.root / "sub").mkdir()
    assert await hands.text("run_command", command="cd sub") == "exit code 0\n(the shell is now in sub)\n(no output)"
    assert await hands.text("run_command", command="basename $PWD; (exit 4)") == "exit code 4\nsub\n"
    assert await hands.text("run_command", command="true") == "exit code 0, no output"
    assert hands.person.asked == [
        ("cd sub", ""),
        ("basename $PWD; (exit 4)", "sub"),
        ("true", "sub"),
    ]


async def test_refused_command_does_not_run(hands: Hands) -> None:
    hands.person.answer = Decision(False, "not on a Friday")
    assert await hands.refusal("run_command", command="touch made") == "not run: not on a Friday"
    assert not (hands.root / "made").exists()


async def test_long_output_of_a_command_keeps_head_and_tail(hands: Hands) -> None:
    told = await hands.text("run_command", command="seq 1 20000")
    first, where, told = told.split("\n", 2)
    assert first == "exit code 0"
    assert where.startswith("(the whole output: `command_jobs` with action read and job 1, or ")
    assert told.startswith("1\n2\n")
    assert told.endswith("\n20000\n")
    assert " characters left out …" in told
    assert len(told) < 31_000


async def test_command_sees_the_given_environment_alone(hands: Hands) -> None:
    os.environ["SPECLOOM_TEST_LEAK"] = "leaked"
    try:
        assert "leaked" not in await hands.text("run_command", command="env")
    finally:
        del os.environ["SPECLOOM_TEST_LEAK"]


async def test_cancelled_command_is_gone(hands: Hands) -> None:
    running = asyncio.create_task(hands.use("run_command", command="sleep 296 & touch started; wait"))
    async with asyncio.timeout(10):
        while not await asyncio.to_thread((hands.root / "started").exists):
            assert not running.done()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not any("296" in " ".join(child.cmdline()) for child in psutil.Process().children(recursive=True))
