"""Tells why there is nothing to plan from: what stands where requirements are looked for. Refuses to read it."""

from collections.abc import Mapping
from pathlib import Path

from specloom.domain.problem import Problem, Severity

DOCUMENTS = ("requirements.md", "docs/requirements.md")
"""Where requirements are looked for; a folder of that name is no document."""


def why_nothing(problems: Mapping[str, tuple[Problem, ...]], root: Path, stated: str | None = None) -> str:
    """What is there instead of requirements, or that nothing is; `problems` by path, `stated` relative to `root`."""
    for path in (stated,) if stated else DOCUMENTS:
        if (root / path).is_dir():
            return f"{path} is a folder; put the requirements into a file of that name"
        if problem := first_error(problems.get(path, ())):
            return problem
    name = stated or DOCUMENTS[0]
    return f"there is no {name} in {root}; write what is wanted there, one item a line, and plan again"


def first_error(problems: tuple[Problem, ...]) -> str:
    """With its file, if it does not name it; empty when there is none."""
    error = next((problem for problem in problems if problem.severity is Severity.ERROR), None)
    if error is None:
        return ""
    return error.message if error.path in error.message else f"{error.path}: {error.message}"
