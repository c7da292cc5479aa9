"""The path jail: several hundred ways out of the root or into secrets, each tried by name and by opening."""

import contextlib
import os
import threading
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.workspace.deleting import files_of, look_at
from specloom.workspace.forbidden import is_forbidden
from specloom.workspace.jail import Jail, resolve
from specloom.workspace.ports import MissingFileError, OutsideRootError, WorkspaceError

SECRET = "the secret"
CLOSED = [
    ".git/config",
    ".git",
    ".git/hooks/pre-commit",
    "lib/.git/config",
    ".specloom/state.db",
    ".specloom",
    ".env",
    ".env.local",
    ".env.production",
    "lib/.env",
    "server.pem",
    "lib/cert.pem",
    "private.key",
    "id_rsa",
    "id_rsa.pub",
    "id_ed25519",
    ".ssh/config",
    ".netrc",
    "store.p12",
    ".aws/credentials",
]


def spellings(path: str) -> Iterator[str]:
    """How a lenient file system, an editor or a person may write the same name."""
    yield path
    yield path.upper()
    yield path.swapcase()
    yield path.replace("e", "E").replace("i", "I")
    yield f"./{path}"
    yield f".//{path}"
    yield f"lib/../{path}"
    yield f"{path}/."
    yield f"{path}//"
    yield f"{path}."
    yield f"{path} "
    yield f"{path}::$INDEX_ALLOCATION"
    yield path.replace("/", "\\")
    yield path.replace("i", "ⅰ")
    yield path.replace(".", "．")
    yield path.replace("g", "ｇ").replace("e", "ｅ").replace("k", "ｋ")
    yield f"\u200c{path}"
    yield path[:2] + "\u200d" + path[2:]
    yield path[:2] + "\ufeff" + path[2:]


PROCESS_ROOT = "/proc/self/root"
OUTSIDE = [
    *(f"{'../' * depth}{target}" for depth, target in product(range(1, 7), ["etc/passwd", "outside/secret.txt", ""])),
    *(f"{start}{'/..' * depth}" for start, depth in product(["a", "lib/a", "./lib"], [1, 2, 3, 9])),
    "..",
    "lib/..",
    "..\\..\\outside\\secret.txt",
    "lib\\..\\..\\outside",
    "/",
    "//",
    "/etc/passwd",
    "//etc/passwd",
    "/proc/self/environ",
    PROCESS_ROOT + "/etc/passwd",
    "/proc/self/cwd/../outside/secret.txt",
    "/proc/1/environ",
    "/dev/fd/0",
    "/dev/stdin",
    "/root",
    "/home",
    "a\0b",
    "main.py\0.txt",
    "\0",
    "git~1/config",
    "GIT~1/config",
    "link-out",
    "link-out/secret.txt",
    "link-file",
    "link-chain",
    "link-root/etc/passwd",
    "link-proc/environ",
    "link-proc-root/etc/passwd",
    "link-absolute",
    "link-dangling",
    "link-dangling/new.txt",
    "lib/link-up/../outside/secret.txt",
    "lib/link-up/outside/secret.txt",
    "link-git/config",
    "link-env",
    "link-to-link-env",
    "hard-env",
    "hard-git-config",
    "lib/hard-key",
]
ATTACKS = sorted({*OUTSIDE, *(spelling for path in CLOSED for spelling in spellings(path))})


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with everything to be protected, and links of every kind to it."""
    above = tmp_path_factory.mktemp("above")
    (above / "outside").mkdir()
    (above / "outside" / "secret.txt").write_text(SECRET)
    root = above / "root"
    for path in CLOSED:
        file = root / path
        if "/" in path or path not in {".git", ".specloom"}:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(SECRET)
    (root / "main.py").write_text("fine\n")
    (root / "lib" / "a").mkdir()
    (root / ".env.example").write_text("fine\n")
    links = {
        "link-out": above / "outside",
        "link-file": above / "outside" / "secret.txt",
        "link-chain": Path("link-file"),
        "link-root": Path("/"),
        "link-proc": Path("/proc/self"),
        "link-proc-root": Path("/proc/self/root"),
        "link-absolute": Path("/etc/passwd"),
        "link-dangling": above / "outside" / "not-yet",
        "lib/link-up": Path("../.."),
        "link-git": Path(".git"),
        "link-env": Path(".env"),
        "link-to-link-env": Path("link-env"),
        "link-main": Path("main.py"),
        "link-lib": Path("lib"),
    }
    for name, target in links.items():
        (root / name).symlink_to(target)
    os.link(root / ".env", root / "hard-env")
    os.link(root / ".git" / "config", root / "hard-git-config")
    os.link(root / "private.key", root / "lib" / "hard-key")
    return root


def opened(jail: Jail, path: str) -> str:
    """What a tool would get to see."""
    with os.fdopen(jail.open_file(jail.locate(path))) as file:
        return file.read()


def test_there_are_enough_attacks() -> None:
    assert len(ATTACKS) >= 200


@pytest.mark.parametrize("attack", ATTACKS, ids=ascii)
def test_attack_is_refused(root: Path, attack: str) -> None:
    with pytest.raises(WorkspaceError) as refusal:
        assert opened(Jail(root), attack) == "never"
    assert SECRET not in str(refusal.value)


@pytest.mark.parametrize("attack", [attack for attack in ATTACKS if "hard-" not in attack], ids=ascii)
def test_attack_is_refused_before_anything_is_created(root: Path, attack: str) -> None:
    with pytest.raises(OutsideRootError):
        resolve(root, attack)


@pytest.mark.parametrize("path", ["main.py", "./main.py", "link-main", ".env.example", "link-lib", "new/file.py"])
def test_what_is_inside_is_found(root: Path, path: str) -> None:
    assert resolve(root, path).is_relative_to(root)


def test_absolute_path_below_the_root_is_the_relative_one(root: Path) -> None:
    jail = Jail(root)
    assert jail.locate(str(root / "main.py")) == "main.py"
    assert jail.locate(str(root)) == ""
    with pytest.raises(OutsideRootError):
        jail.locate(f"{root}-other/main.py")


def test_link_inside_leads_to_the_real_name(root: Path) -> None:
    assert Jail(root).locate("link-main") == "main.py"
    assert opened(Jail(root), "link-main") == "fine\n"


def test_root_that_is_a_link_is_followed_once(root: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(root)
    jail = Jail(tmp_path / "alias")
    assert opened(jail, "main.py") == "fine\n"
    assert jail.locate(str(tmp_path / "alias" / "main.py")) == "main.py"


def test_pipes_devices_and_folders_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder", "."):
        with pytest.raises(WorkspaceError, match=r"folder|regular"):
            opened(Jail(tmp_path), name)
    with pytest.raises(MissingFileError):
        opened(Jail(tmp_path), "absent")


def test_hard_link_among_harmless_files_is_fine(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("same")
    os.link(tmp_path / "one", tmp_path / "two")
    assert opened(Jail(tmp_path), "two") == "same"


@pytest.mark.parametrize("swapped", ["file", "folder"])
def test_link_made_during_the_run_never_leads_out(tmp_path: Path, swapped: str) -> None:
    """Another process swaps a file, or the folder above it, for a link out of the root, as fast as it can."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text(SECRET)
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (root / "folder" / "file").write_text("fine")
    place = root / "folder" if swapped == "folder" else root / "folder" / "file"
    target = tmp_path / "outside" if swapped == "folder" else tmp_path / "outside" / "file"
    done = threading.Event()

    def swap() -> None:
        (root / "link").symlink_to(target)
        while not done.is_set():
            place.rename(root / "kept")
            (root / "link").rename(place)
            place.rename(root / "link")
            (root / "kept").rename(place)

    attacker = threading.Thread(target=swap)
    attacker.start()
    seen: set[str] = set()
    jail = Jail(root)
    try:
        for _ in range(3000):
            with contextlib.suppress(WorkspaceError):
                seen.add(opened(jail, "folder/file"))
    finally:
        done.set()
        attacker.join()
    assert seen <= {"fine"}


@given(
    st.lists(st.sampled_from(["..", ".", "lib", "a", "link-out", "link-up", ".git", "main.py", "~", ""]), max_size=6)
)
def test_no_combination_of_parts_leaves_the_root(root: Path, parts: list[str]) -> None:
    path = "/".join(parts)
    with contextlib.suppress(OutsideRootError):
        real = resolve(root, path)
        assert real == root or real.is_relative_to(root)
        assert not any(is_forbidden(part) for part in real.relative_to(root).parts)


@pytest.mark.parametrize(
    "name",
    [
        ".gitignore",
        ".github",
        ".gitattributes",
        ".env.example",
        "env",
        "environment.py",
        "git",
        "key.py",
        "keys",
        "pem",
    ],
)
def test_harmless_names_are_open(name: str) -> None:
    assert not is_forbidden(name)


def test_no_attack_deletes_anything(root: Path) -> None:
    def stands() -> list[str]:
        return sorted(str(path) for path in root.parent.rglob("*"))

    before = stands()
    for attack in ATTACKS:
        with pytest.raises(WorkspaceError):
            _ = [look_at(Jail(root), file) for file in files_of(Jail(root), attack)]
    assert stands() == before
