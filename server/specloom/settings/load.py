"""Makes settings from their sources: command line over editor over file over defaults.

Refuses to fail: what is wrong becomes a problem at its place and counts as not said; the caller decides whether to
go on. Refuses to apply what a repository only proposes.
"""

import json
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from specloom.domain.problem import NOWHERE, Problem, Severity, Span
from specloom.settings.findings import key_problem, value_problem
from specloom.settings.locate import locate
from specloom.settings.model import RESERVED, Settings
from specloom.settings.proposals import Proposal, proposals, without_ungranted
from specloom.settings.schema import field_at

EDITOR = "editor settings"
COMMAND_LINE = "command line"

ADDED = ("allow", "ask", "deny")
"""Lists of rules: what one source denies, another cannot allow by saying nothing of it."""
_LINE_COLUMN = re.compile(r"at line (\d+), column (\d+)")


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """What the sources come to."""

    settings: Settings
    """Without any proposal that was not granted."""
    problems: tuple[Problem, ...]
    proposals: tuple[Proposal, ...]
    """All of the file, granted or not."""


@dataclass(frozen=True, slots=True)
class Source:
    """One place where settings come from; `text` is TOML, if it is a file."""

    path: str
    text: str | None = None

    def problem(self, code: str, message: str, path: tuple[str, ...], *, key: bool, **rest: Any) -> Problem:
        """A problem at the key, or at its value."""
        spans = locate(self.text, path) if self.text is not None else (NOWHERE, NOWHERE)
        return Problem(code, message, self.path, spans[0] if key else spans[1], **rest)


def load_settings(
    toml_text: str | None,
    path: str,
    editor: Mapping[str, Any] | None = None,
    overrides: Mapping[str, Any] | None = None,
    granted: Collection[str] = (),
) -> LoadedSettings:
    """Reads every source. `toml_text`: of the repository's file `path`, `None` if there is none.

    `editor` and `overrides` (the command line) have the nested keys of the file and need no grant: they are the
    user's own. `granted` are hashes of proposals.
    """
    source = Source(path, toml_text)
    raw, problems = parse(source) if toml_text is not None else ({}, ())
    in_file, more = checked(raw, source)
    allowed = without_ungranted(in_file, granted)
    by_editor, in_editor = checked(editor or {}, Source(EDITOR))
    by_user, in_line = checked(overrides or {}, Source(COMMAND_LINE))
    settings = _settings(_merged(_merged(allowed, by_editor), by_user))
    return LoadedSettings(settings, (*problems, *more, *in_editor, *in_line), proposals(in_file))


def parse(source: Source) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """The tables of a TOML file, or none of them and one problem."""
    try:
        return tomllib.loads(source.text or ""), ()
    except tomllib.TOMLDecodeError as error:
        return {}, (_syntax_problem(str(error), source),)
    except RecursionError:
        return {}, (_syntax_problem("nested too deeply", source),)


def checked(raw: Mapping[str, Any], source: Source) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """The part of `raw` that is valid, and a problem for each part that is not."""
    try:
        values: dict[str, Any] = json.loads(_json(raw))
    except (RecursionError, ValueError) as error:
        return {}, (_syntax_problem(str(error), source),)
    problems = [_reserved_problem(name, source) for name in RESERVED if values.get(name)]
    while errors := _errors(values):
        by_place = {_existing(values, error["loc"]): error for error in reversed(errors)}
        if () in by_place:
            return {}, (*problems, _syntax_problem(by_place[()]["msg"], source))
        problems += [_problem(place, error, values, source) for place, error in by_place.items()]
        for place in sorted({_void(place) for place in by_place}, key=_by_index, reverse=True):
            _remove(values, place)
    return values, tuple(sorted(problems, key=lambda problem: (problem.span.start_line, problem.span.start_column)))


def _errors(values: Mapping[str, Any]) -> list[ErrorDetails]:
    try:
        _settings(values)
    except ValidationError as error:
        return error.errors(include_url=False, include_context=False)
    return []


def _settings(values: Mapping[str, Any]) -> Settings:
    """By way of JSON, where a list may be a tuple while no value is converted into another type."""
    return Settings.model_validate_json(_json(values))


def _json(values: Mapping[str, Any]) -> str:
    """TOML's dates fit no setting: they become tables, which no scalar setting takes."""
    return json.dumps(values, default=lambda value: {"date": str(value)})


def _merged(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """Tables are merged key by key, rules are added; any other value of `upper` replaces that of `lower`."""
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        if key in ADDED and isinstance(below, list) and isinstance(value, list):
            merged[key] = [*below, *value]
            continue
        merged[key] = _merged(cast("Mapping[str, Any]", below), cast("Mapping[str, Any]", value)) if both else value
    return merged


def _existing(values: Any, location: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """The part of an error's location that is a place in `values`; the rest names union members or missing keys."""
    place: list[int | str] = []
    for part in location:
        if isinstance(values, Mapping) and part in values:
            values = cast("Mapping[Any, Any]", values)[part]
        elif isinstance(values, list) and isinstance(part, int):
            values = cast("list[Any]", values)[part]
        else:
            break
        place.append(part)
    return tuple(place)


def _by_index(place: tuple[int | str, ...]) -> tuple[tuple[bool, int, str], ...]:
    """Orders places so that, from the end, a list loses its last items first."""
    return tuple((True, part, "") if isinstance(part, int) else (False, 0, part) for part in place)


def _void(place: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """What does not count if the value at `place` is wrong: its whole table, if that cannot be without it."""
    field = field_at(tuple(part for part in place if isinstance(part, str)))
    return place[:-1] if field and field.is_required() else place


def _remove(values: Any, place: tuple[int | str, ...]) -> None:
    for part in place[:-1]:
        values = values[part]
    del values[place[-1]]


def _value_at(values: Any, place: tuple[int | str, ...]) -> Any:
    for part in place:
        values = values[part]
    return values


def _problem(place: tuple[int | str, ...], error: ErrorDetails, values: Mapping[str, Any], source: Source) -> Problem:
    names = tuple(part for part in place if isinstance(part, str))
    if error["type"] == "extra_forbidden":
        message, nearest = key_problem(names, source.path)
        return source.problem("settings-unknown-key", message, names, key=True, suggestions=nearest)
    message, nearest = value_problem(names, _value_at(values, place), error)
    return source.problem("settings-value", message, names, key=False, suggestions=nearest)


def _reserved_problem(name: str, source: Source) -> Problem:
    message = f"`{name}` is reserved: it is kept and has no effect in this version"
    return source.problem("settings-reserved", message, (name,), key=True, severity=Severity.INFORMATION)


def _syntax_problem(message: str, source: Source) -> Problem:
    """`tomllib` tells the position in its message; the end of the document has none."""
    span = NOWHERE
    if match := _LINE_COLUMN.search(message):
        line, column = int(match[1]) - 1, int(match[2]) - 1
        span = Span(line, column, line, column + 1)
    text = f"{source.path} cannot be read: {message[:1].lower()}{message[1:]}; none of it is used until it is mended"
    return Problem("settings-syntax", text, source.path, span)
