"""Files on disk are replaced whole or left alone: encodings, modes, races, a full disk."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.domain.ids import digest_of
from specloom.workspace.disk import DiskEdits
from specloom.workspace.encoding import BinaryError, decode, encode
from specloom.workspace.jail import Jail
from specloom.workspace.ports import (
    Applied,
    EditResult,
    FileChange,
    MissingFileError,
    NotApplied,
    NotTextError,
    OutsideRootError,
    Refusal,
)


@pytest.fixture
def disk(tmp_path: Path) -> DiskEdits:
    return DiskEdits(Jail(tmp_path))


def change(disk: DiskEdits, path: str, text: str) -> EditResult:
    return disk.apply_now(FileChange(path, text, disk.read(path)))


def names(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


def refusal(result: EditResult) -> Refusal:
    assert isinstance(result, NotApplied)
    return result.refusal


@given(st.binary(max_size=60))
def test_every_text_is_written_back_byte_for_byte(data: bytes) -> None:
    try:
        decoded = decode(data)
    except BinaryError:
        return
    assert encode(decoded.text, decoded.encoding, decoded.bom) == data


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1"])
@pytest.mark.parametrize("eol", ["\n", "\r\n", "\r"])
def test_encoding_mark_and_line_ends_are_kept(tmp_path: Path, disk: DiskEdits, encoding: str, eol: str) -> None:
    (tmp_path / "a.txt").write_bytes(f"grün{eol}zwei".encode(encoding))
    assert disk.read("a.txt").text == f"grün{eol}zwei"
    result = change(disk, "a.txt", f"früh{eol}drei")
    assert isinstance(result, Applied)
    assert (tmp_path / "a.txt").read_bytes() == f"früh{eol}drei".encode(encoding)
    assert result.snapshot == disk.read("a.txt")
    assert result.snapshot.digest == digest_of((tmp_path / "a.txt").read_bytes())


def test_character_that_the_encoding_lacks_is_refused(tmp_path: Path, disk: DiskEdits) -> None:
    (tmp_path / "a.txt").write_bytes("grün".encode("latin-1"))
    result = change(disk, "a.txt", "5 €")
    assert refusal(result) is Refusal.NOT_WRITABLE
    assert (tmp_path / "a.txt").read_bytes() == "grün".encode("latin-1")


@pytest.mark.parametrize("data", [b"\x00\x01", b"\x89PNG\r\n\x1a\n\0", b"\xff\xfea"])
def test_binary_file_is_no_text(tmp_path: Path, disk: DiskEdits, data: bytes) -> None:
    (tmp_path / "a.bin").write_bytes(data)
    with pytest.raises(NotTextError, match="binary"):
        disk.read("a.bin")
    assert disk.read_bytes("a.bin", 1) == data[:1]


def test_mode_and_owner_are_kept(tmp_path: Path, disk: DiskEdits) -> None:
    file = tmp_path / "run.sh"
    file.write_text("old")
    file.chmod(0o754)
    assert isinstance(change(disk, "run.sh", "new"), Applied)
    assert stat.S_IMODE(file.stat().st_mode) == 0o754
    assert file.stat().st_uid == os.getuid()


def test_new_file_gets_the_usual_mode_and_its_folders(tmp_path: Path, disk: DiskEdits) -> None:
    assert isinstance(disk.apply_now(FileChange("a/b/c.txt", "new", None)), Applied)
    (tmp_path / "usual").touch()
    assert (tmp_path / "a/b/c.txt").stat().st_mode == (tmp_path / "usual").stat().st_mode
    assert (tmp_path / "a/b/c.txt").read_text() == "new"


def test_nothing_but_the_file_is_left_in_its_folder(tmp_path: Path, disk: DiskEdits) -> None:
    assert isinstance(disk.apply_now(FileChange("a.txt", "one", None)), Applied)
    assert isinstance(change(disk, "a.txt", "two"), Applied)
    assert refusal(disk.apply_now(FileChange("a.txt", "three", None))) is Refusal.CHANGED_MEANWHILE
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").stat().st_nlink == 1


def test_link_inside_the_root_stays_a_link(tmp_path: Path, disk: DiskEdits) -> None:
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    assert isinstance(change(disk, "link.txt", "new"), Applied)
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"


def test_file_changed_meanwhile_is_left_alone(tmp_path: Path, disk: DiskEdits) -> None:
    (tmp_path / "a.txt").write_text("base")
    base = disk.read("a.txt")
    (tmp_path / "a.txt").write_text("theirs")
    result = disk.apply_now(FileChange("a.txt", "ours", base))
    assert refusal(result) is Refusal.CHANGED_MEANWHILE
    assert isinstance(result, NotApplied)
    assert result.present is not None
    assert result.present.text == (tmp_path / "a.txt").read_text() == "theirs"


def test_file_gone_meanwhile_is_not_made_again(tmp_path: Path, disk: DiskEdits) -> None:
    (tmp_path / "a.txt").write_text("base")
    base = disk.read("a.txt")
    (tmp_path / "a.txt").unlink()
    assert refusal(disk.apply_now(FileChange("a.txt", "ours", base))) is Refusal.CHANGED_MEANWHILE
    assert names(tmp_path) == []


def test_read_only_file_is_refused(tmp_path: Path, disk: DiskEdits) -> None:
    (tmp_path / "a.txt").write_text("old")
    (tmp_path / "a.txt").chmod(0o444)
    result = change(disk, "a.txt", "new")
    assert refusal(result) is Refusal.NOT_WRITABLE
    assert (tmp_path / "a.txt").read_text() == "old"


def test_file_below_a_file_is_refused(tmp_path: Path, disk: DiskEdits) -> None:
    (tmp_path / "a").write_text("file")
    assert refusal(disk.apply_now(FileChange("a/b.txt", "new", None))) is Refusal.NOT_WRITABLE


@pytest.mark.parametrize("path", ["../a.txt", ".env", ".git/config", "/etc/hostname"])
def test_forbidden_file_is_never_written(disk: DiskEdits, path: str) -> None:
    with pytest.raises(OutsideRootError):
        disk.apply_now(FileChange(path, "new", None))


def test_missing_file_is_told_as_missing(disk: DiskEdits) -> None:
    with pytest.raises(MissingFileError, match=r"'absent\.txt' does not exist"):
        disk.read("absent.txt")


def test_file_whose_name_fills_the_limit_is_written(tmp_path: Path, disk: DiskEdits) -> None:
    name = "名" * 84 + "n" + ".b"
    assert isinstance(disk.apply_now(FileChange(name, "new", None)), Applied)
    assert (tmp_path / name).read_text() == "new"
    assert refusal(disk.apply_now(FileChange(name + "x", "new", None))) is Refusal.NOT_WRITABLE


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from specloom.workspace.disk import DiskEdits
from specloom.workspace.jail import Jail
from specloom.workspace.ports import FileChange
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
disk = DiskEdits(Jail(Path(sys.argv[1])))
result = disk.apply_now(FileChange("a.txt", "x" * 5000, disk.read("a.txt")))
print(result.refusal)
"""


def test_full_disk_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """The limit on file sizes stands in for a full disk: the same write fails in the same way."""
    (tmp_path / "a.txt").write_text("old")
    done = subprocess.run([sys.executable, "-c", FULL_DISK, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout == "no-space\n"
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"
