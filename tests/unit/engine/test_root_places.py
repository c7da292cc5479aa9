"""A real root with links, folders that hold what is closed, and names that patterns mean."""

from pathlib import Path

import pytest

from specloom.domain.permissions.commands import judge_command
from specloom.domain.permissions.places import Place, Standing
from specloom.domain.permissions.policy import Policy
from specloom.domain.permissions.rules import Profile, Verdict
from specloom.engine.root_places import MOST, RootPlaces


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with a link out of it, one to its specs, and a nested repository."""
    found = tmp_path.resolve() / "p"
    for path in (".git/config", "specs/01.md", "src/a.py", "src/.hidden", "docs/specs/02.md", "lib/x/.git/HEAD"):
        (found / path).parent.mkdir(parents=True, exist_ok=True)
        (found / path).write_text("x")
    (found / "src" / "out").symlink_to(tmp_path)
    (found / "new").mkdir()
    (found / "new" / "a.py").write_text("y")
    return found


def test_what_goes_with_a_folder_is_known(root: Path) -> None:
    places = RootPlaces(root, ("specs", "docs/specs/02.md"))
    held = {path: places.holds(path, "") for path in ("", "..", "/", "src", "docs", "lib", "lib/x", "gone", "a\0b")}
    assert held == {
        "": Standing.CLOSED,
        "..": Standing.CLOSED,
        "/": Standing.CLOSED,
        "src": Standing.OPEN,
        "docs": Standing.READ_ONLY,
        "lib": Standing.OPEN,
        "lib/x": Standing.CLOSED,
        "gone": Standing.OPEN,
        "a\0b": Standing.OUTSIDE,
    }
    assert RootPlaces(root, (), root / "new" / "grants").holds("new", "") is Standing.CLOSED


def test_what_is_below_a_folder_is_listed_without_following_links(root: Path) -> None:
    places = RootPlaces(root)
    assert places.below("src", "") == (
        Place("src", Standing.OPEN),
        Place("src/.hidden", Standing.OPEN),
        Place("src/a.py", Standing.OPEN),
        Place("src/out", Standing.OUTSIDE),
    )
    assert places.below("gone", "") == ()
    for number in range(MOST):
        (root / "new" / str(number)).touch()
    assert places.below("new", "") is None
    assert places.expand("new/*", "") is None


def test_a_pattern_means_the_names_that_the_shell_would_find(root: Path) -> None:
    places = RootPlaces(root)
    assert places.expand("s*", "") == ("specs", "src")
    assert places.expand("*", "src") == ("a.py", "out")
    assert places.expand(".*/conf?g", "") == (".git/config",)
    assert places.expand("[^s]*/*.py", "") == ("new/a.py",)
    assert places.expand(f"{root}/src/*.py", "new") == (f"{root}/src/a.py",)
    assert places.expand("[[:alpha:]]", "") is None


@pytest.mark.parametrize(
    "line", ["rm -rf .*/hooks .*", "chmod 700 .g*/config", "mv .gi? x", "rm -f src/out/p/.g*/config"]
)
def test_patterns_that_mean_what_is_closed_are_no_way_to_it(root: Path, line: str) -> None:
    assert judge_command(line, Policy(Profile.FULL), RootPlaces(root)).verdict is not Verdict.ALLOW


@pytest.mark.parametrize(
    "line",
    [
        "cp new/01.md docs/specs",
        "cp -r new/01.md docs",
        "mv new/x lib",
        "cp -r new/. lib",
        "cp -r src/. docs",
        "cp -a src/out docs",
        "mv src docs",
        "cp -r lib new",
        "mv docs old",
        "cp -r new/specs docs",
        "cd new && cp a.py ../lib/b",
    ],
)
def test_copies_and_moves_are_judged_by_what_they_would_write(root: Path, line: str) -> None:
    for path in ("new/01.md", "new/x/HEAD", "new/specs/02.md"):
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text("z")
    (root / "docs" / "01.md").symlink_to(root / "specs" / "01.md")
    (root / "docs" / "specs" / "01.md").symlink_to(root.parent / "gone")
    (root / "lib" / "b").symlink_to(root.parent)
    places = RootPlaces(root, ("specs", "docs/specs/02.md"))
    assert judge_command(line, Policy(Profile.AUTO_EDIT), places).verdict is not Verdict.ALLOW


@pytest.mark.parametrize(
    "line", ["cp new/a.py src", "mv new old", "cp -r new lib", "cp new/a.py src/b.py", "mkdir d && mv new d"]
)
def test_copies_and_moves_of_plain_files_need_no_question(root: Path, line: str) -> None:
    places = RootPlaces(root, ("specs", "docs/specs/02.md"))
    assert judge_command(line, Policy(Profile.AUTO_EDIT), places).verdict is Verdict.ALLOW
