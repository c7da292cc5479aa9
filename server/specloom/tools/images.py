"""What kind of image a file holds, how large it is, and whether all of it is there. Refuses to decode a pixel.

A request with an image that the Messages API does not take is answered with 400, and so is each one after it. Limits:
https://platform.claude.com/docs/en/build-with-claude/vision. Layouts: PNG (W3C), ITU T.81, GIF89a, RFC 9649 (WebP).
"""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

LONGEST_SIDE = 8000
"""Pixels; images with a longer side are refused."""
BYTE_LIMIT = 3_700_000
"""In base64 it stays below the 5 MB that are taken."""
TAKEN = "PNG, JPEG, GIF and WebP"
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".avif", ".ico"})
CUT = "its end is missing"
OTHERS = {b"BM": "BMP", b"II*\0": "TIFF", b"MM\0*": "TIFF", b"\0\0\1\0": "ICO"}
"""Kinds that no endpoint takes, by their first bytes."""


class BrokenImageError(ValueError):
    """The bytes begin as an image and do not go on as one; the message says where it ends."""


@dataclass(frozen=True, slots=True)
class ImageSize:
    """Kind and size of an image."""

    media: str
    width: int
    height: int

    @property
    def side(self) -> int:
        """The longer one, in pixels."""
        return max(self.width, self.height)


def measured(data: bytes) -> ImageSize | None:
    """What an image is; `None`: no kind that models take. Raises `BrokenImageError`."""
    for magic, kind, measure in _KINDS:
        if data.startswith(magic) and (kind != "image/webp" or data[8:12] == b"WEBP"):
            try:
                width, height = measure(data)
            except (IndexError, struct.error) as error:
                raise BrokenImageError(CUT) from error
            if not (width and height):
                raise BrokenImageError("it says that it has no pixels")
            return ImageSize(kind, width, height)
    return None


def refusal(path: str, data: bytes) -> str:
    """Why an image cannot be shown, and what to do; empty: it can be, or it is none."""
    try:
        size = measured(data)
    except BrokenImageError as error:
        if len(data) > BYTE_LIMIT:
            return _too_many_bytes(path)
        return f"{path} is a broken image: {error}. It was not shown; make it again, or look at another one"
    if size is None:
        return _other_kind(path, data)
    if size.side > LONGEST_SIDE:
        pixels = f"{size.width:,} x {size.height:,} pixels"
        return f"{path} has {pixels}, more than {LONGEST_SIDE:,} on a side; make a smaller copy, or cut out a part"
    return _too_many_bytes(path) if len(data) > BYTE_LIMIT else ""


def _too_many_bytes(path: str) -> str:
    return f"{path} is an image of more than {BYTE_LIMIT:,} bytes; make a smaller copy of it and read that"


def _other_kind(path: str, data: bytes) -> str:
    kind = next((kind for magic, kind in OTHERS.items() if data.startswith(magic)), "")
    named = PurePosixPath(path).suffix.lower() in SUFFIXES
    if kind and named:
        return f"{path} is a {kind} image, which cannot be shown; make a copy of it as PNG and read that"
    return f"{path} is named like an image and holds none that can be shown ({TAKEN} can)" if named else ""


def _png(data: bytes) -> tuple[int, int]:
    """Every chunk with its checksum, up to the last one."""
    at, kinds, size = 8, list[bytes](), (0, 0)
    while not kinds or kinds[-1] != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, at)
        (checksum,) = struct.unpack_from(">I", data, at + 8 + length)
        if zlib.crc32(data[at + 4 : at + 8 + length]) != checksum:
            raise BrokenImageError(f"a checksum of it is wrong ({kind.decode('latin-1')} at byte {at:,})")
        if not kinds:
            size = struct.unpack_from(">II", data, at + 8)
        kinds.append(kind)
        at += 12 + length
    if kinds[0] != b"IHDR" or b"IDAT" not in kinds:
        raise BrokenImageError("it holds no picture")
    return size


_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of JPEG that tell the size."""
_SCAN, _END = 0xDA, b"\xff\xd9"


def _jpeg(data: bytes) -> tuple[int, int]:
    """Segment by segment up to the first scan; behind it only the end is looked for."""
    at, size = 2, None
    while True:
        if data[at] != 0xFF:
            raise BrokenImageError(f"it does not go on as a JPEG at byte {at:,}")
        marker = data[at + 1]
        if marker == 0xFF:  # Padding before a marker.
            at += 1
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            size = width, height
        if marker == _SCAN:
            break
        at += 2 + length
    if size is None:
        raise BrokenImageError("it does not say how large it is")
    if _END not in data[at + 2 + length :]:
        raise BrokenImageError(CUT)
    return size


_EXTENSION, _PICTURE, _TRAILER = 0x21, 0x2C, 0x3B


def _gif(data: bytes) -> tuple[int, int]:
    """Block by block up to the trailer."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at, pictures = 13 + _colours(flags), 0
    while data[at] != _TRAILER:
        if data[at] == _EXTENSION:
            at = _past_blocks(data, at + 2)
        elif data[at] == _PICTURE:
            at = _past_blocks(data, at + 11 + _colours(data[at + 9]))
            pictures += 1
        else:
            raise BrokenImageError(f"it does not go on as a GIF at byte {at:,}")
    if not pictures:
        raise BrokenImageError("it holds no picture")
    return width, height


def _colours(flags: int) -> int:
    """Bytes of a table of colours."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _past_blocks(data: bytes, at: int) -> int:
    while length := data[at]:
        at += 1 + length
    return at + 1


def _webp(data: bytes) -> tuple[int, int]:
    """Of a container all chunks must be there; the first one tells the size."""
    (length,) = struct.unpack_from("<I", data, 4)
    if len(data) < 8 + length:
        raise BrokenImageError(CUT)
    match data[12:16]:
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", data, 21)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
        case _:
            raise BrokenImageError("it holds no picture")


_KINDS: tuple[tuple[bytes, str, Callable[[bytes], tuple[int, int]]], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png", _png),
    (b"\xff\xd8", "image/jpeg", _jpeg),
    (b"GIF87a", "image/gif", _gif),
    (b"GIF89a", "image/gif", _gif),
    (b"RIFF", "image/webp", _webp),
)
