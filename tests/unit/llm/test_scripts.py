"""Reading scripts: pleasant to write, and every mistake named with its place."""

import json
from pathlib import Path
from typing import Any

import pytest
from llm_samples import Json

from specloom.llm.messages import Usage
from specloom.llm.scripted import ScriptError
from specloom.llm.scripted.load import load_scripts
from specloom.llm.scripted.script import AnswerPart, Branch, Fault, FaultKind, ScriptedFacts

DONE: Json = {"answer": [{"text": "done"}]}


def session(*turns: Json, **more: Any) -> Json:
    return {"name": "s", "first": "hello", "turns": list(turns or (DONE,))} | more


def branch(turn: Json) -> Branch:
    (loaded,) = load_scripts([{"sessions": [session(turn)]}]).sessions
    return loaded.turns[0].branches[0]


def part(entry: Json) -> AnswerPart:
    return branch({"answer": [entry]}).answer[0]


def complaint(script: object, folder: Path) -> str:
    path = folder / "play.json"
    path.write_text(script if isinstance(script, str) else json.dumps(script), "utf-8")
    with pytest.raises(ScriptError) as caught:
        load_scripts([path])
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


def test_texts_may_be_lines_and_matchers_one_or_many() -> None:
    loaded = branch({"expect": ["a", "b"], "not_expect": "c", "answer": [{"text": ["one", "two"]}]})
    assert (loaded.expect, loaded.not_expect) == (("a", "b"), ("c",))
    assert loaded.answer[0].block == {"type": "text", "text": "one\ntwo"}


def test_long_texts_come_from_files_beside_the_script(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "01.md").write_text("# Spec\n", "utf-8")
    content = {"path": "01.md", "content": {"file": "specs/01.md"}, "deep": [{"lines": ["a", "b"]}, 1]}
    turn = {"answer": [{"text_file": "specs/01.md"}, {"tool": "write_file", "input": content}]}
    path = tmp_path / "play.json"
    path.write_text(json.dumps({"sessions": [session(turn)]}))
    first, second = load_scripts([path]).sessions[0].turns[0].branches[0].answer
    assert first.block["text"] == "# Spec\n"
    assert second.block["input"] == {"path": "01.md", "content": "# Spec\n", "deep": ["a\nb", 1]}


def test_a_turn_may_repeat() -> None:
    (loaded,) = load_scripts([{"sessions": [session(DONE | {"repeat": 100}, DONE)]}]).sessions
    assert len(loaded.turns) == 101


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"thinking": "hm"}, AnswerPart({"type": "thinking", "thinking": "hm"})),
        ({"thinking": "hm", "signature": "s"}, AnswerPart({"type": "thinking", "thinking": "hm", "signature": "s"})),
        ({"redacted_thinking": "x"}, AnswerPart({"type": "redacted_thinking", "data": "x"})),
        ({"raw": {"type": "new", "n": 1}}, AnswerPart({"type": "new", "n": 1})),
        ({"tool": "t"}, AnswerPart({"type": "tool_use", "name": "t", "input": {}})),
        (
            {"tool": "t", "id": "x", "raw_input": "{"},
            AnswerPart({"type": "tool_use", "name": "t", "input": {}, "id": "x"}, "{"),
        ),
        (
            {"tool": "t", "input": {"a": 1}, "cut": 4},
            AnswerPart({"type": "tool_use", "name": "t", "input": {"a": 1}}, '{"a"'),
        ),
    ],
)
def test_parts_of_an_answer(entry: Json, expected: AnswerPart) -> None:
    assert part(entry) == expected


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"status": 529, "times": 2, "retry_after": "1"}, Fault(FaultKind.STATUS, 529, retry_after="1", times=2)),
        ({"status": 500, "times": "always"}, Fault(FaultKind.STATUS, 500, times=0)),
        ({"cut_after_events": 7}, Fault(FaultKind.CUT_AFTER_EVENTS, 7)),
        ({"stall_s": 0.5, "after_events": 3}, Fault(FaultKind.STALL_S, 0.5, after_events=3)),
        ({"garbage": True}, Fault(FaultKind.GARBAGE)),
        ({"error_event": "overloaded_error"}, Fault(FaultKind.ERROR_EVENT, type="overloaded_error")),
    ],
)
def test_faults(entry: Json, expected: Fault) -> None:
    assert branch(DONE | {"fault": entry}).faults == (expected,)
    assert branch(DONE | {"fault": [entry, {"close": True}]}).faults == (expected, Fault(FaultKind.CLOSE))


def test_usage_and_times() -> None:
    loaded = branch(DONE | {"usage": {"input": 3, "cache_read": 4}, "delay_s": 1, "stop": "max_tokens", "hold": "g"})
    assert (loaded.usage, loaded.delay_s, loaded.stop, loaded.hold) == (Usage(3, 0, 4), 1, "max_tokens", "g")


MISTAKES: list[tuple[object, str]] = [
    ("{", "is no JSON in UTF-8"),
    ("[]", "at the top: must be an object"),
    ({"sesions": []}, "at the top: unknown key 'sesions'; allowed are model, sessions"),
    ({"sessions": {}}, "at sessions: must be a list"),
    ({"sessions": [{"name": "a", "first": "b"}]}, "at sessions[0]: needs the key 'turns'"),
    ({"sessions": [session() | {"turns": []}]}, "at sessions[0].turns: needs at least one turn"),
    ({"sessions": [session({"expect": "x"})]}, "at sessions[0].turns[0]: needs the key 'answer' (or 'branches')"),
    (
        {"sessions": [session(DONE, {"answer": [{"txt": "x"}]})]},
        "at sessions[0].turns[1].answer[0]: must have one of text, text_file, thinking, redacted_thinking, ",
    ),
    (
        {"sessions": [session({"answer": [{"text": "x", "input": {}}]})]},
        "at sessions[0].turns[0].answer[0]: unknown key 'input'; allowed are text",
    ),
    (
        {"sessions": [session({"answer": [{"text": 7}]})]},
        "at sessions[0].turns[0].answer[0].text: must be a string or a list of lines",
    ),
    (
        {"sessions": [session({"branches": [DONE], "answer": []})]},
        "at sessions[0].turns[0]: has branches, so answer must stand in each of them",
    ),
    ({"sessions": [session({"branches": []})]}, "at sessions[0].turns[0].branches: needs at least one branch"),
    (
        {"sessions": [session(DONE | {"fault": {"status": 500, "close": True}})]},
        "at sessions[0].turns[0].fault: must have exactly one of status, close, ",
    ),
    (
        {"sessions": [session(DONE | {"fault": {"garbage": False}})]},
        "at sessions[0].turns[0].fault.garbage: must be true, or be left out",
    ),
    (
        {"sessions": [session(DONE | {"delay_s": -1})]},
        "at sessions[0].turns[0].delay_s: must be a number, 0 or more",
    ),
    ({"sessions": [session(DONE | {"repeat": 1.5})]}, "at sessions[0].turns[0].repeat: must be a whole number"),
    ({"sessions": [session(optional="yes")]}, "at sessions[0].optional: must be true or false"),
    (
        {"sessions": [session({"answer": [{"text_file": "none.md"}]})]},
        "at sessions[0].turns[0].answer[0].text_file: the file 'none.md' cannot be read",
    ),
    ({"model": {"id": "x", "max_tokens": True}}, "at model.max_tokens: must be a number, 0 or more"),
]


@pytest.mark.parametrize(("script", "message"), MISTAKES)
def test_mistakes_are_named_with_file_and_place(script: object, message: str, tmp_path: Path) -> None:
    assert complaint(script, tmp_path).startswith(message)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match=r"nowhere\.json: cannot be read"):
        load_scripts([tmp_path / "nowhere.json"])


def test_scripts_are_merged() -> None:
    merged = load_scripts([{"sessions": [session()]}, {"model": {"id": "m"}, "sessions": [session(name="t")]}])
    assert [loaded.name for loaded in merged.sessions] == ["s", "t"]
    assert merged.model == ScriptedFacts(id="m")
    assert load_scripts([merged]) == merged


def test_sessions_of_one_name_and_two_models_cannot_be_merged() -> None:
    with pytest.raises(ScriptError, match="occur twice: s"):
        load_scripts([{"sessions": [session()]}, {"sessions": [session()]}])
    with pytest.raises(ScriptError, match="different models"):
        load_scripts([{"model": {"id": "a"}}, {"model": {"id": "b"}}])
