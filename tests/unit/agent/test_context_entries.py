"""What a result counts as, and the line that stands for it once it is collapsed."""

from typing import Any

import pytest

from specloom.agent.context.entry import CLOSED, Kind, elided, result_entry, superseded
from specloom.agent.session import Conversation, say
from specloom.llm.messages import AssistantMessage, Text, ToolResult, ToolUse, Usage, UserMessage
from specloom.tools.read_file import IN_PARTS

CUT = "… lines 2 to 9 left out; go on with start_line=2"


def call(name: str, **values: Any) -> ToolUse:
    return ToolUse("t1", name, values, {"type": "tool_use", "id": "t1", "name": name, "input": values})


@pytest.mark.parametrize(
    ("made", "text", "kind", "whole", "vague"),
    [
        (call("read_file", path="./a.py"), "a.py (1 line)\n1 | x", Kind.VIEW, True, False),
        (call("read_file", path="a.py", start_line=3), "a.py (9 lines)\n3 | x", Kind.VIEW, False, True),
        (call("read_file", path="a.py"), "a.py (9 lines)\n1 | x\n… lines 2 to 9 left out", Kind.VIEW, False, True),
        (
            call("read_file", path="a.py"),
            f"a.py (9 lines)\n1 | x\n{CUT}\n(job 1 ended: exit code 0)",
            Kind.VIEW,
            False,
            True,
        ),
        (call("read_file", path="a.log"), f"a.log (40 bytes{IN_PARTS}\n1 | x", Kind.OUTPUT, False, False),
        (call("edit_file", path="a.py", edits=[]), "a.py: 1 edit made\n1 | x", Kind.VIEW, False, False),
        (call("run_command", command="make"), "exit code 0", Kind.OUTPUT, False, False),
        (call("ask_user", question="Which one?"), "the second", Kind.KEPT, False, False),
    ],
)
def test_what_a_result_is_follows_from_its_call(made: ToolUse, text: str, kind: Kind, whole: bool, vague: bool) -> None:
    entry = result_entry(made, ToolResult.of("t1", text), 1)
    assert (entry.kind, entry.whole, entry.vague) == (kind, whole, vague)
    assert entry.path == ("a.py" if kind is Kind.VIEW else "")


def test_a_refused_read_is_no_view_and_a_refused_edit_is_a_vague_one() -> None:
    read = result_entry(call("read_file", path="a.py"), ToolResult.of("t1", "no such file", is_error=True), 1)
    edit = result_entry(call("edit_file", path="a.py"), ToolResult.of("t1", "refused", is_error=True), 1)
    assert read.kind is Kind.OUTPUT
    assert (edit.kind, edit.vague) == (Kind.VIEW, True)


def test_a_result_in_parts_is_kept() -> None:
    raw = {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "a.png"}]}
    assert result_entry(call("read_file", path="a.png"), ToolResult("t1", "a.png", False, raw), 1).kind is Kind.KEPT


def test_the_line_of_an_output_says_what_it_was_and_how_to_get_it_back() -> None:
    text = "exit code 1\n" + "\n".join("x" * 10 for _ in range(213))
    entry = result_entry(call("run_command", command="python -m\n pytest -q"), ToolResult.of("t1", text), 1)
    line = elided(17, entry, text)
    assert line == (
        "[run_command python -m pytest -q: exit code 1, 214 lines, 2,354 characters; "
        'read_output {"output": 17} shows it]'
    )


def test_the_line_of_a_view_says_where_the_file_is_shown_now() -> None:
    entry = result_entry(call("read_file", path="src/a.py", start_line=1, end_line=80), ToolResult.of("t1", "x"), 1)
    assert superseded(entry) == "[read_file src/a.py 1-80: superseded, see the file below]"
    assert superseded(entry, CLOSED) == "[read_file src/a.py 1-80: closed]"


def test_the_size_of_a_conversation_is_what_was_billed_last_and_an_estimate_of_the_rest() -> None:
    conversation = Conversation([say("x" * 400)])
    assert (conversation.book.measured, conversation.book.tokens) == (False, 100)
    conversation.add_answer(
        AssistantMessage((Text.of("y" * 40), call("run_command", command="make"))), Usage(10, 5, 70)
    )
    assert (conversation.book.measured, conversation.book.tokens) == (True, 85)
    conversation.add_user(UserMessage((ToolResult.of("t1", "z" * 4000),)))
    assert conversation.book.tokens == 1085
    conversation.collapse([(2, "[gone]" + "." * 34)])
    assert conversation.book.tokens == 95
    assert conversation.elided == {2: "z" * 4000}
    result = conversation.messages[-1].blocks[0]
    assert isinstance(result, ToolResult)
    assert (result.call, result.raw["tool_use_id"]) == ("t1", "t1")
