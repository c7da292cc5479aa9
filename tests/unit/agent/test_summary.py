"""A summariser is shown the end of a conversation, as much as fits, and how much came before."""

import re

from hypothesis import given
from hypothesis import strategies as st

from specloom.agent.session import say
from specloom.agent.summary import LONGEST, UNKNOWN_WINDOW, fitting, tail
from specloom.llm.messages import AssistantMessage, Message, Text, ToolResult, ToolUse, UserMessage

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60).filter(str.strip)
calls = words.map(lambda text: ToolUse("c", "run_command", {"command": text}, {}))
answers = st.lists(words.map(Text.of) | calls, min_size=1, max_size=3).map(
    lambda blocks: AssistantMessage(tuple(blocks))
)
ours = st.lists(words.map(Text.of) | words.map(lambda text: ToolResult.of("c", text)), min_size=1, max_size=3).map(
    lambda blocks: UserMessage(tuple(blocks))
)
talks = st.lists(st.tuples(answers, ours), max_size=4).map(
    lambda pairs: [say("the task"), *(message for pair in pairs for message in pair)]
)
LEFT_OUT = re.compile(r"\[(\d+) earlier pieces of the conversation left out\]")


@given(talks, st.integers(0, 600))
def test_the_end_fits_and_what_is_left_out_is_counted(messages: list[Message], room: int) -> None:
    shown = tail(messages, room)
    found = LEFT_OUT.match(shown)
    left_out = 0 if found is None else int(found.group(1))
    body = shown[found.end() + 2 :] if found is not None else shown
    assert len(body.encode()) <= room
    whole = tail(messages, 1_000_000)
    assert whole.endswith(body)
    pieces = sum(len(message.blocks) for message in messages[1:])
    assert left_out <= pieces
    assert (left_out == 0) == (shown == whole) or not shown, "nothing is better than a count of what is missing"


def test_one_piece_of_any_length_is_cut_in_its_middle() -> None:
    messages = [say("the task"), AssistantMessage((ToolUse("c", "x", {"a": "b" * 9_000}, {}),)), say("y" * 90_000)]
    shown = tail(messages, 10_000)
    assert len(shown) < 10_000
    assert shown.count("characters left out") == 2


def test_text_of_files_leaves_room_for_what_the_files_do_not_show() -> None:
    def exchange(name: str, result: ToolResult) -> list[Message]:
        return [AssistantMessage((ToolUse("c" + name, name, {"path": "a.py"}, {}),)), UserMessage((result,))]

    text = "a.py (100 lines)\n" + "\n".join(f"{number} | x" for number in range(1, 101))
    refusal = "not changed: read a.py first\n1 | x"
    messages = [
        say("the task"),
        *exchange("read_file", ToolResult.of("cread_file", text)),
        *exchange("edit_file", ToolResult.of("cedit_file", refusal, is_error=True)),
        *exchange("run_command", ToolResult.of("crun_command", "exit code 1\nE   no")),
    ]
    shown = tail(messages, 10_000)
    assert "result: a.py (100 lines) [100 lines left out]\n" in shown
    assert f"result (error): {refusal}" in shown
    assert shown.endswith("result: exit code 1\nE   no")


def test_what_fits_follows_from_the_window() -> None:
    assert fitting(None) == UNKNOWN_WINDOW
    assert fitting(12_000) == 12_000
    assert fitting(1_000_000) == LONGEST


def test_japanese_fits_into_a_small_window_and_leaves_half_of_it() -> None:
    window, script = 12_500, "次の手順では、距離をメートルで表示してください。"
    said = [say("the task"), *(AssistantMessage((Text.of(f"{number} {script * 300}"),)) for number in range(9))]
    shown = tail(said, fitting(window))
    assert shown.startswith("[6 earlier pieces of the conversation left out]\n\nexecutor: 6 次の")
    assert shown.endswith(script)
    assert len(shown) < window / 2, "a character of it may be a whole token, and more"
