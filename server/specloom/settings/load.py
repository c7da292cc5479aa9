"""Makes settings from their sources: command line over editor over file over defaults.

Refuses to fail: what is wrong becomes a problem at its place and counts as not said; the caller decides whether to
go on. Refuses to apply what a repository only proposes.
"""

import json
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from specloom.domain.problem import NOWHERE, Problem, Severity, Span
from specloom.settings.findings import date_problem, key_problem, value_problem
from specloom.settings.locate import dots, locate
from specloom.settings.model import RESERVED, Settings
from specloom.settings.proposals import Proposal, proposals, without_ungranted
from specloom.settings.schema import field_at

EDITOR = "editor settings"
COMMAND_LINE = "command line"

ADDED = ("allow", "ask", "deny")
"""Lists of rules: what one source denies, another cannot allow by saying nothing of it."""
LARGEST = 256 * 1024
"""Characters that are read of a file."""
MOST_DOTS = 200
"""In one line outside strings: the parser takes time with the square of a key's parts."""
MOST_PROBLEMS = 100
"""That are told of one source."""
_TOO_DEEP = "it is nested too deeply"
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
    # A byte order mark is no part of the text, for editors neither.
    source = Source(path, toml_text.removeprefix("\ufeff") if toml_text is not None else None)
    raw, problems = parse(source) if toml_text is not None else ({}, ())
    in_file, more = checked(raw, source)
    allowed = without_ungranted(in_file, granted)
    by_editor, in_editor = checked(editor or {}, Source(EDITOR))
    by_user, in_line = checked(overrides or {}, Source(COMMAND_LINE))
    settings = _settings(_merged(_merged(allowed, by_editor), by_user))
    return LoadedSettings(settings, (*problems, *more, *in_editor, *in_line), proposals(in_file))


def parse(source: Source) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """The tables of a TOML file, or none of them and one problem."""
    text = source.text or ""
    if len(text) > LARGEST:
        return {}, (_syntax_problem(f"it is larger than {LARGEST // 1024} KiB", source),)
    if dots(text) > MOST_DOTS:
        return {}, (_syntax_problem(_TOO_DEEP, source),)
    try:
        return tomllib.loads(text), ()
    except tomllib.TOMLDecodeError as error:
        return {}, (_syntax_problem(str(error), source),)
    except (RecursionError, ValueError) as error:
        return {}, (_syntax_problem(_why(error), source),)


def checked(raw: Mapping[str, Any], source: Source) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """The part of `raw` that is valid, and a problem for each part that is not, as far as they are not too many."""
    try:
        values: dict[str, Any] = json.loads(_json(raw))
        dates = tuple(_dates(raw, ()))
        problems = [_reserved_problem(name, source) for name in RESERVED if values.get(name)]
        problems += [_date_problem(place, values, source) for place in dates]
        _remove_all(values, dates)
        problems += _refused(values, source)
    except (RecursionError, ValueError) as error:
        return {}, (_syntax_problem(_why(error), source),)
    problems.sort(key=lambda problem: (problem.span.start_line, problem.span.start_column))
    left = len(problems) - MOST_PROBLEMS
    more = Problem("settings-value", f"{left} more settings are wrong; mend these first", source.path)
    return values, (*problems[:MOST_PROBLEMS], *((more,) if left > 0 else ()))


def _why(error: Exception) -> str:
    """What stops a parser of TOML or JSON, in words for whoever wrote the text."""
    said = str(error)
    if isinstance(error, RecursionError) or "recursion" in said:
        return _TOO_DEEP
    # Python refuses to read or write a whole number of more than 4300 digits.
    return "it holds a number with too many digits" if "digits" in said else said


def _refused(values: dict[str, Any], source: Source) -> list[Problem]:
    """Removes what no setting takes, and tells it."""
    problems: list[Problem] = []
    while errors := _errors(values):
        by_place = {_existing(values, error["loc"]): error for error in reversed(errors)}
        if () in by_place:
            raise ValueError(by_place[()]["msg"])
        problems += [_problem(place, error, values, source) for place, error in by_place.items()]
        _remove_all(values, {_void(place) for place in by_place})
    return problems


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
    """TOML's dates fit no setting; they become texts here and go before anything is made of them."""
    return json.dumps(values, default=str)


def _dates(value: Any, place: tuple[int | str, ...]) -> Iterator[tuple[int | str, ...]]:
    """Where TOML's dates and times stand."""
    if isinstance(value, Mapping):
        for key, item in cast("Mapping[str, Any]", value).items():
            yield from _dates(item, (*place, key))
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _dates(item, (*place, index))
    elif isinstance(value, date | time):
        yield place


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


def _remove_all(values: Any, places: Collection[tuple[int | str, ...]]) -> None:
    for place in sorted(places, key=_by_index, reverse=True):
        _remove(values, place)


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


def _date_problem(place: tuple[int | str, ...], values: Mapping[str, Any], source: Source) -> Problem:
    names = tuple(part for part in place if isinstance(part, str))
    message = date_problem(names, _value_at(values, place))
    return source.problem("settings-value", message, names, key=False)


def _reserved_problem(name: str, source: Source) -> Problem:
    message = f"`{name}` is reserved: it is kept and has no effect in this version"
    return source.problem("settings-reserved", message, (name,), key=True, severity=Severity.INFORMATION)


def _syntax_problem(message: str, source: Source) -> Problem:
    """`tomllib` tells the position in its message; the end of the document has none."""
    span = NOWHERE
    if match := _LINE_COLUMN.search(message):
        line, column = int(match[1]) - 1, int(match[2]) - 1
        span = Span(line, column, line, column + 1)
    said = f"{message[:1].lower()}{message[1:]}"
    text = f"{source.path} cannot be read: {said}; none of what it says now counts until it is mended"
    return Problem("settings-syntax", text, source.path, span)
