"""Small images of all kinds, made by hand: no library that could hide a wrong byte."""

import struct
import zlib


def png(width: int = 2, height: int = 2) -> bytes:
    """One grey picture."""
    rows = zlib.compress(b"".join(b"\0" + b"\x80" * width for _ in range(height)))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def jpeg(width: int = 2, height: int = 2) -> bytes:
    """As far as a reader of headers is concerned: a thumbnail with an end of its own, a frame, a scan, an end."""
    thumbnail = b"Exif\0\0\xff\xd8\xff\xd9"
    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\0"
    scan = b"\x01\x01\0\0\x3f\0"
    parts = ((0xE1, thumbnail), (0xC4, b"\0" * 17), (0xC2, frame), (0xDA, scan))
    segments = b"".join(b"\xff" + bytes([kind]) + struct.pack(">H", len(data) + 2) + data for kind, data in parts)
    return b"\xff\xd8" + segments + b"\x12\xff\x00\x34" + b"\xff\xd9"


def gif(width: int = 2, height: int = 2) -> bytes:
    """One picture behind a comment, with a table of two colours."""
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    comment = b"\x21\xfe\x03;;;\0"
    picture = b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x44\x51\0"
    return head + comment + picture + b"\x3b"


def webp(width: int = 2, height: int = 2, kind: bytes = b"VP8X") -> bytes:
    """A container with one chunk of this kind and what tells its size."""
    body = {
        b"VP8 ": b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height),
        b"VP8L": b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + b"\0",
        b"VP8X": b"\0\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little"),
    }[kind]
    chunk = b"WEBP" + kind + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(chunk)) + chunk
