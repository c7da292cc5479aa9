"""Takes long texts out of a JSON payload and puts them back. Refuses to know where the bytes are kept.

A text goes out when its UTF-8 is longer than 4 KiB, or when UTF-8 cannot hold it (lone surrogates); `{"$blob": digest}`
stands in its place. A literal object with the one key `$blob`, `$$blob`, … gets one more `$`.
"""

import re
from collections.abc import Callable
from typing import Any, TypeAlias, cast

from specloom.domain.ids import Digest, digest_of

LIMIT = 4096
"""Bytes of UTF-8 that a text may have inside a payload."""
MARK = '$blob"'
"""Part of every payload that has a reference or an escape in it."""

LoadBlob: TypeAlias = Callable[[Digest], bytes]

_REFERENCE = "$blob"
_LIKE_A_REFERENCE = re.compile(r"\$+blob")


def fits(payload: str) -> bool:
    """Whether nothing in this JSON text has to go out or be escaped."""
    return is_utf8(payload) and len(payload.encode()) <= LIMIT and MARK not in payload


def is_utf8(text: str) -> bool:
    """Whether UTF-8 can hold the text: it has no lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def split(value: Any, blobs: dict[Digest, bytes]) -> Any:
    """The value with its long texts replaced by references; their bytes are added to `blobs`."""
    if isinstance(value, str):
        return _split_text(value, blobs)
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        parts = {key: split(member, blobs) for key, member in members.items()}
        key = _only_key(parts)
        return parts if key is None else {f"${key}": parts[key]}
    if isinstance(value, list | tuple):
        return [split(member, blobs) for member in cast("list[Any]", value)]
    return value


def join(value: Any, load_blob: LoadBlob) -> Any:
    """The inverse of `split`. Raises what `load_blob` raises."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        key = _only_key(members)
        if key is None:
            return {name: join(member, load_blob) for name, member in members.items()}
        if key == _REFERENCE:
            digest = members[key]
            if not isinstance(digest, str):
                raise ValueError(f"a reference is no text but {type(digest).__name__}")
            return load_blob(Digest(digest)).decode("utf-8", "surrogatepass")
        return {key[1:]: join(members[key], load_blob)}
    if isinstance(value, list):
        return [join(member, load_blob) for member in cast("list[Any]", value)]
    return value


def _split_text(text: str, blobs: dict[Digest, bytes]) -> Any:
    data = text.encode("utf-8", "surrogatepass")
    if len(data) <= LIMIT and is_utf8(text):
        return text
    digest = digest_of(data)
    blobs[digest] = data
    return {_REFERENCE: digest}


def _only_key(members: dict[str, Any]) -> str | None:
    """The key of an object that is a reference or could be taken for one."""
    if len(members) != 1:
        return None
    key = next(iter(members))
    return key if _LIKE_A_REFERENCE.fullmatch(key) else None
