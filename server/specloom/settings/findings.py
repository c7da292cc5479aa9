"""Words for what is wrong with a setting: key, value, what is allowed, what is nearest. Refuses to find it."""

import difflib
import json
from collections.abc import Collection
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from specloom.settings.addresses import shown
from specloom.settings.schema import allowed, choices, field_at, fields_at

_LONGEST = 80
"""Characters of a wrong key or value that a message repeats."""


def key_problem(path: tuple[str, ...], source: str) -> tuple[str, tuple[str, ...]]:
    """Message and nearest keys for a key that no table has."""
    *table, name = path
    known = tuple(fields_at(tuple(table)))
    nearest = _nearest(name, known)
    where = f"`[{_cut('.'.join(table))}]`" if table else source
    hint = f" (did you mean `{nearest[0]}`?)" if nearest else ""
    allowed_keys = f"allowed keys: {', '.join(known)}" if known else "it has no keys"
    return f"`{_cut(name)}` is no setting of {where}{hint}; {allowed_keys}", nearest


def value_problem(path: tuple[str, ...], value: Any, error: ErrorDetails) -> tuple[str, tuple[str, ...]]:
    """Message and nearest values, as TOML, for a value that its key does not take."""
    name = _cut(".".join(path))
    if error["type"] == "missing":
        *_, key = error["loc"]
        return f"`{name}` lacks the key `{key}`; add it", ()
    field = field_at(path)
    nearest = _nearest(value, choices(field)) if field and isinstance(value, str) else ()
    hint = f" (did you mean `{nearest[0]}`?)" if nearest else ""
    message = f"`{name}` is `{_cut(shown(json.dumps(value, ensure_ascii=False)))}`, allowed is {_may_be(field)}{hint}"
    return message, tuple(json.dumps(text) for text in nearest)


def date_problem(path: tuple[str, ...], date: str) -> str:
    """For one of TOML's dates and times, which no setting takes."""
    return f"`{_cut('.'.join(path))}` is the date or time `{date}`, allowed is {_may_be(field_at(path))}"


def _may_be(field: FieldInfo | None) -> str:
    return allowed(field) if field else "a text"


def _nearest(word: str, known: Collection[str]) -> tuple[str, ...]:
    return tuple(difflib.get_close_matches(word, known, n=3, cutoff=0.6)) if len(word) <= _LONGEST else ()


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
