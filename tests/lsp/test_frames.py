"""Frames come in whole, bounded, and whatever case their headers have."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.lsp.frames import MOST_BODY, MOST_HEADER, BadFrame, EndOfInput, Frame, Outbox, drained, read_frame


async def frames_of(data: bytes, *, chunk: int = 1 << 20) -> list[Frame]:
    """All frames of a stream up to the one that ends it."""
    reader = asyncio.StreamReader(limit=MOST_HEADER)
    for start in range(0, len(data), chunk):
        reader.feed_data(data[start : start + chunk])
    reader.feed_eof()
    found: list[Frame] = []
    while not found or isinstance(found[-1], bytes):
        found.append(await read_frame(reader))
    return found


@pytest.mark.parametrize("name", ["Content-Length: ", "content-length:", "CONTENT-LENGTH :\t"])
async def test_header_names_come_in_any_case(name: str) -> None:
    assert await frames_of(name.encode() + b"2\r\n\r\n{}") == [b"{}", EndOfInput()]


async def test_other_headers_and_rubbish_before_a_header_are_passed_over() -> None:
    data = b"garbage\n\r\nContent-Type: x\r\nContent-Length: 2\r\nX: 1\r\n\r\n{}"
    assert await frames_of(data) == [b"{}", EndOfInput()]


@pytest.mark.parametrize("data", [b"", b"Content-Le", b"Content-Length: 5\r\n", b"Content-Length: 5\r\n\r\n{}"])
async def test_an_end_within_a_frame_is_an_end(data: bytes) -> None:
    assert await frames_of(data) == [EndOfInput()]


@pytest.mark.parametrize(
    "data",
    [
        b"Content-Length: %d\r\n\r\n" % (MOST_BODY + 1),
        b"x" * (MOST_HEADER * 3),
        b"x\n" * MOST_HEADER,
        b"a: b\r\n" * MOST_HEADER,
    ],
)
async def test_what_is_too_long_ends_the_connection(data: bytes) -> None:
    (frame,) = await frames_of(data)
    assert isinstance(frame, BadFrame)


@pytest.mark.parametrize("value", [b"-5", b"x", b"", b"1e3", b"9" * 16])
async def test_a_length_that_is_none_ends_the_connection_and_says_so(value: bytes) -> None:
    (frame,) = await frames_of(b"Content-Length: " + value + b"\r\n\r\n{}")
    assert isinstance(frame, BadFrame)
    assert "is no length" in frame.message


@given(st.lists(st.binary(max_size=30), max_size=5), st.integers(1, 40))
def test_any_chunking_gives_the_same_frames(bodies: list[bytes], chunk: int) -> None:
    data = b"".join(b"Content-Length: %d\r\n\r\n%s" % (len(body), body) for body in bodies)
    assert asyncio.run(frames_of(data, chunk=chunk)) == [*bodies, EndOfInput()]


@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(data: bytes) -> None:
    asyncio.run(frames_of(data))


async def test_an_outbox_sends_in_order_and_flushes_at_the_end() -> None:
    sent: list[bytes] = []

    async def send(data: bytes) -> None:
        await asyncio.sleep(0)
        sent.append(data)

    outbox = Outbox(send)
    sender = asyncio.create_task(outbox.run())
    for number in range(20):
        outbox.write(b"%d," % number)
    await drained(outbox, sender, 5)
    assert b"".join(sent) == b"".join(b"%d," % number for number in range(20))
    assert outbox.waiting == 0


async def test_a_reader_that_does_not_read_breaks_the_connection_at_the_bound() -> None:
    never = asyncio.Event()

    async def send(data: bytes) -> None:
        await never.wait()

    outbox = Outbox(send, most=100)
    sender = asyncio.create_task(outbox.run())
    outbox.write(b"x" * 90)
    assert not outbox.broken.is_set()
    outbox.write(b"x" * 20)
    assert outbox.broken.is_set()
    await drained(outbox, sender, 0.01)


async def test_a_broken_pipe_breaks_the_connection() -> None:
    async def send(data: bytes) -> None:
        raise BrokenPipeError

    outbox = Outbox(send)
    sender = asyncio.create_task(outbox.run())
    outbox.write(b"x")
    await asyncio.wait_for(outbox.broken.wait(), 5)
    await drained(outbox, sender, 5)
