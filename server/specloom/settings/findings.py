"""Words for what is wrong with a setting: key, value, what is allowed, what is nearest. Refuses to find it."""

import difflib
import json
from collections.abc import Collection
from typing import Any

from pydantic_core import ErrorDetails

from specloom.settings.schema import allowed, choices, field_at, fields_at

_LONGEST = 80
"""Characters of a wrong value that a message repeats."""


def key_problem(path: tuple[str, ...], source: str) -> tuple[str, tuple[str, ...]]:
    """Message and nearest keys for a key that no table has."""
    *table, name = path
    known = tuple(fields_at(tuple(table)))
    nearest = _nearest(name, known)
    where = f"`[{'.'.join(table)}]`" if table else source
    hint = f" (did you mean `{nearest[0]}`?)" if nearest else ""
    return f"`{name}` is no setting of {where}{hint}; allowed keys: {', '.join(known)}", nearest


def value_problem(path: tuple[str, ...], value: Any, error: ErrorDetails) -> tuple[str, tuple[str, ...]]:
    """Message and nearest values, as TOML, for a value that its key does not take."""
    name = ".".join(path)
    if error["type"] == "missing":
        *_, key = error["loc"]
        return f"`{name}` lacks the key `{key}`; add it", ()
    field = field_at(path)
    may_be = allowed(field) if field else "a text"
    nearest = _nearest(value, choices(field)) if field and isinstance(value, str) else ()
    hint = f" (did you mean `{nearest[0]}`?)" if nearest else ""
    return f"`{name}` is {_shown(value)}, allowed is {may_be}{hint}", tuple(json.dumps(text) for text in nearest)


def _nearest(word: str, known: Collection[str]) -> tuple[str, ...]:
    return tuple(difflib.get_close_matches(word, known, n=3, cutoff=0.6))


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return f"`{text if len(text) <= _LONGEST else text[: _LONGEST - 1] + '…'}`"
