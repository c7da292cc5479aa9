"""Images that would be refused with everything behind them are refused before they are shown."""

import base64
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.tools.images import BYTE_LIMIT, BrokenImageError, ImageSize, measured, refusal
from tests.unit.tools.conftest import Hands
from tests.unit.tools.images import gif, jpeg, png, webp

KINDS = {
    "image/png": png,
    "image/jpeg": jpeg,
    "image/gif": gif,
    "image/webp": webp,
}
MAKERS = [*KINDS.values(), partial(webp, kind=b"VP8 "), partial(webp, kind=b"VP8L")]


@pytest.mark.parametrize(("media", "make"), KINDS.items())
@given(st.integers(1, 4000), st.integers(1, 20))
def test_kind_and_size_are_told_from_the_bytes(media: str, make: type, width: int, height: int) -> None:
    assert measured(make(width, height)) == ImageSize(media, width, height)


def test_all_three_forms_of_webp_tell_their_size() -> None:
    for kind in (b"VP8 ", b"VP8L", b"VP8X"):
        assert measured(webp(700, 3, kind)) == ImageSize("image/webp", 700, 3)


@pytest.mark.parametrize("make", MAKERS)
def test_an_image_that_is_cut_off_anywhere_is_broken_or_none(make: type) -> None:
    whole = make(30, 20)
    for length in range(len(whole)):
        try:
            found = measured(whole[:length])
        except BrokenImageError:
            continue
        assert found is None, length


def test_a_png_with_a_changed_byte_is_broken() -> None:
    whole = png(30, 20)
    for at in range(8, len(whole)):
        with pytest.raises(BrokenImageError):
            measured(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])


@given(st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"GIF89a", b"RIFF1234WEBP", b""]), st.binary())
def test_no_bytes_are_too_strange_to_be_looked_at(begin: bytes, rest: bytes) -> None:
    with suppress(BrokenImageError):
        assert measured(begin + rest) is None or begin


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.png", png(8001, 1), "a.png has 8,001 x 1 pixels, more than 8,000 on a side; make a smaller copy"),
        ("a.png", png()[:-5], "a.png is a broken image: its end is missing. It was not shown"),
        ("a.jpg", jpeg()[:-2], "a.jpg is a broken image: its end is missing"),
        ("a.gif", gif()[:20], "a.gif is a broken image"),
        ("a.webp", webp()[:-1], "a.webp is a broken image"),
        ("a.png", png() + b"\0" * BYTE_LIMIT, "a.png is an image of more than 3,700,000 bytes; make a smaller copy"),
        ("a.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 40_000_000, "a.png is an image of more than 3,700,000 bytes"),
        ("a.bmp", b"BM\0\0\0\0", "a.bmp is a BMP image, which cannot be shown; make a copy of it as PNG"),
        ("a.png", b"\0no image", "a.png is named like an image and holds none that can be shown"),
        ("a.bin", b"BM\0\0\0\0", "is a binary file"),
    ],
)
async def test_what_would_not_be_taken_is_refused_with_what_to_do(
    hands: Hands, tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(data)
    outcome = await hands.use("read_file", path=name)
    assert said in outcome.text
    assert (outcome.is_error, outcome.image) == (True, None)


async def test_the_content_tells_the_kind_and_not_the_name(hands: Hands, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(jpeg(3, 4))
    outcome = await hands.use("read_file", path="a.png")
    assert outcome.image == ("image/jpeg", base64.b64encode(jpeg(3, 4)).decode())
    assert outcome.text == f"a.png (image/jpeg, 3 x 4 pixels, {len(jpeg())} bytes)"


def test_an_image_on_the_limits_is_shown() -> None:
    assert refusal("a.png", png(8000, 1)) == ""
