"""Before-images on disk: read as they were written, up to where the writer was cut, and only while something ran."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from specloom.engine.image_pack import ImagePack, Stamp, read_pack

ABOUT = {"attempt": "a-1"}
FIRST: dict[str, Stamp] = {"a.txt": (1, 2, 3), "b.bin": (4, 5, 6), "large": (7, 8, 9)}
IMAGES = {"a.txt": b"one\n{}\n", "b.bin": b"\0\xff\n"}


@pytest.fixture
def pack(tmp_path: Path) -> Iterator[ImagePack]:
    pack = ImagePack(tmp_path / "session" / "outputs" / "before.pack", ABOUT)
    yield pack
    pack.close()


def test_what_was_told_last_is_read_back(pack: ImagePack) -> None:
    pack.running(FIRST, IMAGES)
    pack.running({"b.bin": (4, 9, 9), "large": (7, 8, 9)}, {"b.bin": b"new"})
    packed = read_pack(pack.path)
    assert packed is not None
    assert (packed.about, packed.stamps, packed.images) == (
        ABOUT,
        {"b.bin": (4, 9, 9), "large": (7, 8, 9)},
        {"b.bin": b"new"},
    )


def test_nothing_is_told_of_a_time_at_which_nothing_ran(pack: ImagePack) -> None:
    assert read_pack(pack.path) is None
    pack.running(FIRST, IMAGES)
    pack.resting()
    assert read_pack(pack.path) is None
    pack.running(FIRST, IMAGES)
    assert read_pack(pack.path) is not None
    pack.close()
    assert not pack.path.exists()


def test_a_pack_that_was_cut_anywhere_is_read_up_to_there_or_not_at_all(pack: ImagePack) -> None:
    pack.running({"a.txt": (1, 2, 3)}, IMAGES)
    pack.running(FIRST, IMAGES)
    whole = pack.path.read_bytes()
    for size in range(len(whole)):
        pack.path.write_bytes(whole[:size])
        packed = read_pack(pack.path)
        assert packed is None or (packed.stamps.items() <= FIRST.items() and packed.images.items() <= IMAGES.items())


@pytest.mark.parametrize("line", [b'{"path": "../x", "stamp": [1, 2, 3]}\n', b"[]\n", b'{"path": "x", "stamp": 1}\n'])
def test_a_pack_that_somebody_else_wrote_into_is_not_believed(pack: ImagePack, line: bytes) -> None:
    pack.running(FIRST, IMAGES)
    with pack.path.open("ab") as file:
        file.write(line)
    assert read_pack(pack.path) is None


def test_a_disk_that_takes_nothing_stops_no_command(tmp_path: Path) -> None:
    (tmp_path / "session").write_text("a file where the folder should be")
    pack = ImagePack(tmp_path / "session" / "outputs" / "before.pack", ABOUT)
    pack.running(FIRST, IMAGES)
    pack.resting()
    pack.close()
    assert read_pack(pack.path) is None
