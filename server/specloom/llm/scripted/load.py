"""Reads script files and checks every key. Refuses to guess: an unknown key, type or file is an error with its place.

The format is described in `README.md` beside this file; long texts may stand in files beside the script.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from specloom.llm.messages import Usage
from specloom.llm.scripted.place import Place
from specloom.llm.scripted.script import (
    AnswerPart,
    Branch,
    Fault,
    FaultKind,
    Script,
    ScriptedFacts,
    ScriptError,
    Session,
    Turn,
)

ScriptSource: TypeAlias = Path | str | Mapping[str, Any] | Script
"""A file, or its content as an object (its `file` references count from the working directory), or a script."""

_BRANCH = ("expect", "not_expect", "answer", "stop", "usage", "delay_s", "hold", "hold_after_events", "fault")
_FAULT = ("type", "message", "retry_after", "location", "after_events", "times")


def load_scripts(sources: Iterable[ScriptSource]) -> Script:
    """All sources as one script. Raises `ScriptError`."""
    scripts = [source if isinstance(source, Script) else _load(source) for source in sources]
    sessions = [session for script in scripts for session in script.sessions]
    names = [session.name for session in sessions]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ScriptError(f"session names occur twice: {', '.join(twice)}; give each session a name of its own")
    models = {script.model for script in scripts if script.model != ScriptedFacts()}
    if len(models) > 1:
        raise ScriptError("the scripts describe different models; keep `model` in one of them")
    return Script(tuple(sessions), models.pop() if models else ScriptedFacts())


def _load(source: Path | str | Mapping[str, Any]) -> Script:
    if isinstance(source, Mapping):
        return _script(Place("<script>", Path(), "", source))
    path = Path(source)
    try:
        value: object = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ScriptError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise ScriptError(f"{path}: is no JSON in UTF-8 ({error})") from error
    return _script(Place(str(path), path.parent, "", value))


def _script(place: Place) -> Script:
    members = place.members("model", "sessions")
    sessions = members["sessions"].items() if "sessions" in members else []
    model = _model(members["model"]) if "model" in members else ScriptedFacts()
    return Script(tuple(_session(session) for session in sessions), model)


def _model(place: Place) -> ScriptedFacts:
    members = place.members("id", "max_input_tokens", "max_tokens")
    known = ScriptedFacts()
    return ScriptedFacts(
        members["id"].text() if "id" in members else known.id,
        members["max_input_tokens"].count() if "max_input_tokens" in members else known.max_input_tokens,
        members["max_tokens"].count() if "max_tokens" in members else known.max_tokens,
    )


def _session(place: Place) -> Session:
    members = place.members("name", "first", "not_first", "turns", "optional")
    for key in ("name", "first", "turns"):
        if key not in members:
            place.fail(f"needs the key {key!r}")
    turns = [turn for entry in members["turns"].items() for turn in _turns(entry)]
    if not turns:
        members["turns"].fail("needs at least one turn")
    return Session(
        name=members["name"].text(),
        first=members["first"].texts(),
        not_first=members["not_first"].texts() if "not_first" in members else (),
        turns=tuple(turns),
        optional="optional" in members and members["optional"].flag(),
    )


def _turns(place: Place) -> list[Turn]:
    """One entry, as many times as its `repeat` says."""
    members = place.members(*_BRANCH, "branches", "optional", "repeat")
    optional = "optional" in members and members["optional"].flag()
    repeat = members["repeat"].count() if "repeat" in members else 1
    if "branches" not in members:
        branches = [_branch(place, members)]
    elif extra := sorted(set(members) & set(_BRANCH)):
        place.fail(f"has branches, so {', '.join(extra)} must stand in each of them")
    else:
        branches = [_branch(entry, entry.members(*_BRANCH)) for entry in members["branches"].items()]
        if not branches:
            members["branches"].fail("needs at least one branch")
    return [Turn(tuple(branches), optional)] * repeat


def _branch(place: Place, members: dict[str, Place]) -> Branch:
    if "answer" not in members:
        place.fail("needs the key 'answer' (or 'branches')")
    return Branch(
        answer=tuple(_part(part) for part in members["answer"].items()),
        expect=members["expect"].texts() if "expect" in members else (),
        not_expect=members["not_expect"].texts() if "not_expect" in members else (),
        stop=members["stop"].text() if "stop" in members else None,
        usage=_usage(members["usage"]) if "usage" in members else None,
        delay_s=members["delay_s"].number() if "delay_s" in members else 0.0,
        hold=members["hold"].text() if "hold" in members else None,
        hold_after_events=members["hold_after_events"].count() if "hold_after_events" in members else 0,
        faults=_faults(members["fault"]) if "fault" in members else (),
    )


def _usage(place: Place) -> Usage:
    members = place.members("input", "output", "cache_read", "cache_write")
    return Usage(**{key: value.count() for key, value in members.items()})


def _faults(place: Place) -> tuple[Fault, ...]:
    """One fault or several, played in order."""
    return tuple(_fault(item) for item in place.items()) if isinstance(place.value, list) else (_fault(place),)


def _fault(place: Place) -> Fault:
    members = place.members(*FaultKind, *_FAULT)
    kinds = [kind for kind in FaultKind if kind in members]
    if len(kinds) != 1:
        place.fail(f"must have exactly one of {', '.join(FaultKind)}")
    kind = kinds[0]
    named = kind is FaultKind.ERROR_EVENT
    bare = kind in (FaultKind.GARBAGE, FaultKind.CLOSE)
    if bare and not members[kind].flag():
        members[kind].fail("must be true, or be left out")
    return Fault(
        kind=kind,
        amount=0 if named or bare else members[kind].number(),
        type=members[kind].text() if named else members["type"].text() if "type" in members else "",
        message=members["message"].text() if "message" in members else "",
        retry_after=members["retry_after"].text() if "retry_after" in members else None,
        location=members["location"].text() if "location" in members else None,
        after_events=members["after_events"].count() if "after_events" in members else 0,
        times=_times(members["times"]) if "times" in members else 1,
    )


def _times(place: Place) -> int:
    return 0 if place.value == "always" else place.count()


def _part(place: Place) -> AnswerPart:
    key = next((key for key in _PARTS if key in place.members()), None)
    if key is None:
        place.fail(f"must have one of {', '.join(_PARTS)}")
    build, allowed = _PARTS[key]
    return build(place.members(key, *allowed))


def _text_part(members: dict[str, Place]) -> AnswerPart:
    return AnswerPart({"type": "text", "text": members["text"].text()})


def _text_file_part(members: dict[str, Place]) -> AnswerPart:
    return AnswerPart({"type": "text", "text": members["text_file"].neighbour()})


def _thinking_part(members: dict[str, Place]) -> AnswerPart:
    block = {"type": "thinking", "thinking": members["thinking"].text()}
    return AnswerPart(block | ({"signature": members["signature"].text()} if "signature" in members else {}))


def _redacted_part(members: dict[str, Place]) -> AnswerPart:
    return AnswerPart({"type": "redacted_thinking", "data": members["redacted_thinking"].text()})


def _raw_part(members: dict[str, Place]) -> AnswerPart:
    return AnswerPart({key: value.value for key, value in members["raw"].members().items()})


def _tool_part(members: dict[str, Place]) -> AnswerPart:
    block: dict[str, Any] = {"type": "tool_use", "name": members["tool"].text(), "input": {}}
    if "id" in members:
        block["id"] = members["id"].text()
    if "input" in members:
        block["input"] = {key: _filled(value) for key, value in members["input"].members().items()}
    whole = json.dumps(block["input"])
    if "raw_input" in members:
        return AnswerPart(block, members["raw_input"].text())
    return AnswerPart(block, whole[: members["cut"].count()] if "cut" in members else None)


def _filled(place: Place) -> object:
    """A value of a tool input; `{"file": …}` and `{"lines": […]}` stand for texts."""
    if isinstance(place.value, list):
        return [_filled(item) for item in place.items()]
    if not isinstance(place.value, Mapping):
        return place.value
    members = place.members()
    if set(members) == {"file"}:
        return members["file"].neighbour()
    if set(members) == {"lines"}:
        return members["lines"].text()
    return {key: _filled(value) for key, value in members.items()}


_PARTS: dict[str, tuple[Callable[[dict[str, Place]], AnswerPart], tuple[str, ...]]] = {
    "text": (_text_part, ()),
    "text_file": (_text_file_part, ()),
    "thinking": (_thinking_part, ("signature",)),
    "redacted_thinking": (_redacted_part, ()),
    "tool": (_tool_part, ("input", "id", "raw_input", "cut")),
    "raw": (_raw_part, ()),
}
