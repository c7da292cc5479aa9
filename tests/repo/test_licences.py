"""What people run with Specloom may be used, changed and sold by them: permissive licences or MPL."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.repo.tree import ROOT

PERMISSIVE = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MPL-2.0", "PSF-2.0", "Python-2.0", "Unlicense",
    "Zlib",
}  # fmt: skip
BY_CLASSIFIER = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}
PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==\S+(?: ; (.+?))?(?: \\)?$", re.MULTILINE)


def locked(name: str) -> list[tuple[str, str]]:
    """Package and marker of each line of a lock file."""
    return PINNED.findall((ROOT / "requirements" / f"{name}.txt").read_text())


@pytest.mark.parametrize(("package", "marker"), locked("run"))
def test_a_dependency_has_a_permissive_licence(package: str, marker: str) -> None:
    try:
        licences = licences_of(package)
    except PackageNotFoundError:
        assert marker, f"{package} is locked for every platform and not installed; run make test"
        return
    assert licences
    assert licences <= PERMISSIVE


def licences_of(package: str) -> set[str]:
    """SPDX ids: all of them where several apply, those we choose where one may choose."""
    told = metadata(package).json
    if expression := told.get("license_expression"):
        return {choose(part) for part in str(expression).strip("()").split(" AND ")}
    classified = [line.rpartition(" :: ")[2] for line in told.get("classifier", []) if line.startswith("License")]
    return {BY_CLASSIFIER.get(line, line) for line in classified} or {str(told.get("license", "none stated"))}


def choose(alternatives: str) -> str:
    """The first alternative of an `OR` that suits, else the first."""
    offered = alternatives.strip("()").split(" OR ")
    return next((licence for licence in offered if licence in PERMISSIVE), offered[0])


@pytest.mark.parametrize(("name", "extras"), [("run", ["build", "demo"]), ("test", ["build", "demo", "test"])])
def test_a_lock_satisfies_what_the_project_asks_for(name: str, extras: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [Requirement(line) for line in project["dependencies"]]
    asked += [Requirement(line) for extra in extras for line in project["optional-dependencies"][extra]]
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    pinned: dict[str, str] = dict(re.findall(r"^(\S+?)==(\S+)", text, re.MULTILINE))
    unmet = [str(each) for each in asked if not each.specifier.contains(pinned.get(canonicalize_name(each.name), "0"))]
    assert not unmet, "run make lock"


def test_what_is_run_is_what_was_tested() -> None:
    run, test = ((ROOT / "requirements" / f"{name}.txt").read_text() for name in ("run", "test"))
    pins = {line for line in run.splitlines() if "==" in line}
    assert pins
    assert pins <= set(test.splitlines())
