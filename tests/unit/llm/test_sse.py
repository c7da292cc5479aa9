"""Splitting bytes into events, whatever the chunks."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llm_samples import pieces

from specloom.llm.sse import OversizedEventError, SseEvent, SseSplitter

STREAM = (
    b"\xef\xbb\xbfevent: message_start\ndata: {}\n\n: a comment\n\nevent:ping\r\ndata:{}\r\n\r\n"
    b"data: one\ndata: two\nid: 7\n\n\n\nevent: empty\n\nretry: 10\rdata: last\r\r"
    b"event: x\ndata: caf\xc3\xa9\n\n"
)
EVENTS = [
    (b"message_start", b"{}"),
    (b"ping", b"{}"),
    (b"", b"one\ntwo"),
    (b"", b"last"),
    (b"x", "café".encode()),
]


def split(chunks: list[bytes]) -> list[SseEvent]:
    splitter = SseSplitter()
    return [event for chunk in chunks for event in splitter.feed(chunk)]


@given(st.lists(st.integers(0, len(STREAM))))
def test_any_chunking_gives_the_same_events(places: list[int]) -> None:
    assert split(pieces(STREAM, places)) == EVENTS


def test_single_bytes_give_the_same_events() -> None:
    assert split([STREAM[place : place + 1] for place in range(len(STREAM))]) == EVENTS


def test_an_event_without_its_blank_line_is_not_given() -> None:
    assert split([b'data: {"type": "message_stop"}\n']) == []


@given(st.lists(st.text(alphabet="ab: \r\n\x00é").map(str.encode)))
def test_no_bytes_break_the_splitter(chunks: list[bytes]) -> None:
    assert split(chunks) == split([b"".join(chunks)])


def test_an_event_that_never_ends_is_refused() -> None:
    splitter = SseSplitter(limit=1000)
    splitter.feed(b"data: " + b"x" * 900)
    with pytest.raises(OversizedEventError, match="1000 bytes"):
        splitter.feed(b"x" * 200)


def test_a_long_event_in_small_chunks_takes_linear_time() -> None:
    def seconds(size: int) -> float:
        splitter = SseSplitter()
        start = time.process_time()
        for _ in range(size // 1000):
            splitter.feed(b"x" * 1000)
        return time.process_time() - start

    seconds(100_000)
    assert seconds(16_000_000) < 80 * max(seconds(1_000_000), 0.001)
