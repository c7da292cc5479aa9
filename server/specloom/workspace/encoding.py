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


_KINDS = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive, as those of Word and OpenDocument are"),
    (b"\xd0\xcf\x11\xe0", "a document of an old Office"),
    (b"\x7fELF", "a program"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"\x1f\x8b", "a gzip archive"),
)
_SEEN = 4096
"""Bytes from which UTF-16 is told."""


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
        raise BinaryError(_looks(data))
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
        raise BinaryError(f"it starts like {encoding.upper()} text and does not go on as such") from error


def _looks(data: bytes) -> str:
    """What bytes with NUL among them may be; most files tell by how they begin."""
    known = next((name for start, name in _KINDS if data.startswith(start)), None)
    if known is not None:
        return f"it looks like {known}"
    seen = data[:_SEEN]
    low, high = seen[0::2].count(0), seen[1::2].count(0)
    # In UTF-16 every other byte of Western text is NUL, and the bytes between them are not.
    if max(low, high) > len(seen) * 0.2 and min(low, high) < len(seen) * 0.05:
        return "it looks like UTF-16 text without a byte order mark"
    return "it holds NUL bytes"
