"""Bytes to text and back, byte for byte.

Refuses to guess beyond BOM, UTF-8 and 8-bit text: anything with NUL bytes is binary.
"""

import codecs
from dataclasses import dataclass

BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""UTF-32 before UTF-16: the little-endian marks of both begin alike."""


class BinaryError(ValueError):
    """The bytes are no text."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text and what is needed to write it as it was."""

    text: str
    encoding: str = "utf-8"
    bom: bool = False


def decode(data: bytes) -> Decoded:
    """The text of a file; `encode` of the result gives the same bytes. Raises `BinaryError`."""
    for mark, encoding in BOMS:
        if data.startswith(mark):
            return Decoded(_strict(data[len(mark) :], encoding), encoding, bom=True)
    if b"\0" in data:
        raise BinaryError("it holds NUL bytes")
    try:
        return Decoded(data.decode("utf-8"))
    except UnicodeDecodeError:
        return Decoded(data.decode("latin-1"), "latin-1")


def encode(text: str, encoding: str, bom: bool) -> bytes:
    """The bytes of a text. Raises `UnicodeEncodeError` for characters that the encoding does not have."""
    mark = next((mark for mark, name in BOMS if name == encoding), b"") if bom else b""
    return mark + text.encode(encoding)


def _strict(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise BinaryError(f"it starts as {encoding} but does not go on as such") from error
