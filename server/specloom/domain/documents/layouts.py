"""Which layout a root has and which files make up its specs, from paths alone. Refuses IO: the caller reads the files.

Paths are relative to the root, with forward slashes. One layout a root: as configured, else Kiro, else Spec Kit,
else ours.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import assert_never

from specloom.domain.documents.kiro import parse_kiro_spec
from specloom.domain.documents.requirements import parse_requirements
from specloom.domain.documents.spec_kit import parse_spec_kit, parse_spec_kit_requirements
from specloom.domain.documents.specs import parse_spec
from specloom.domain.requirement import RequirementsDocument
from specloom.domain.spec import Layout, SpecDefinition

REQUIREMENTS_PATHS = ("requirements.md", "docs/requirements.md")
"""Where requirements are looked for in our layout if nothing is set; the first that exists counts."""

_SPECLOOM = re.compile(r"specs/[0-9]+(?:-[^/]*)?\.md")
_KIRO = re.compile(r"\.kiro/specs/([^/]+)/(requirements|bugfix|design|tasks)\.md")
_SPEC_KIT = re.compile(r"specs/([0-9]{3,}-[^/]+)/(spec|plan|tasks)\.md")


@dataclass(frozen=True, slots=True)
class SpecSource:
    """The files of one spec."""

    layout: Layout
    path: str
    """Of the file that holds the tasks."""
    id: str = ""
    """The folder name in Kiro's and Spec Kit's layouts; ours says its id inside."""
    requirements_path: str | None = None
    design_path: str | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """All files whose text `parse_source` wants."""
        return tuple(path for path in (self.path, self.requirements_path, self.design_path) if path)


def detect_layout(paths: Iterable[str], configured: Layout | None = None) -> Layout:
    """The one layout of a root that holds these files."""
    if configured is not None:
        return configured
    found = Layout.SPECLOOM
    for path in paths:
        if _KIRO.fullmatch(path):
            return Layout.KIRO
        if path.startswith(".specify/") or _SPEC_KIT.fullmatch(path):
            found = Layout.SPEC_KIT
    return found


def spec_documents(layout: Layout, paths: Iterable[str]) -> tuple[SpecSource, ...]:
    """The specs among these files, by path; a folder without `tasks.md` has no tasks yet and is none."""
    match layout:
        case Layout.SPECLOOM:
            return tuple(SpecSource(layout, path) for path in sorted(paths) if _SPECLOOM.fullmatch(path))
        case Layout.KIRO:
            folders = _folders(_KIRO, paths)
            return tuple(
                SpecSource(
                    layout, files["tasks"], name, files.get("requirements") or files.get("bugfix"), files.get("design")
                )
                for name, files in folders.items()
                if "tasks" in files
            )
        case Layout.SPEC_KIT:
            folders = _folders(_SPEC_KIT, paths)
            return tuple(
                SpecSource(layout, files["tasks"], name, files.get("spec"), files.get("plan"))
                for name, files in folders.items()
                if "tasks" in files
            )
        case _:
            assert_never(layout)


def requirement_documents(layout: Layout, paths: Iterable[str], configured: str | None = None) -> tuple[str, ...]:
    """The requirements documents among these files; a configured path is taken even if it does not exist (yet)."""
    match layout:
        case Layout.SPECLOOM:
            known = set(paths)
            return (configured,) if configured else tuple(path for path in REQUIREMENTS_PATHS if path in known)[:1]
        case Layout.KIRO:
            folders = _folders(_KIRO, paths).values()
            kinds = ("requirements", "bugfix")
            return tuple(path for files in folders if (path := next((files[k] for k in kinds if k in files), None)))
        case Layout.SPEC_KIT:
            return tuple(files["spec"] for files in _folders(_SPEC_KIT, paths).values() if "spec" in files)
        case _:
            assert_never(layout)


def concerns(path: str, spec: SpecDefinition) -> bool:
    """Whether the requirements document at `path` is meant by what a spec names.

    In Kiro's and Spec Kit's layouts each folder has a document of its own, and the same ids stand in all of them.
    """
    return spec.layout is Layout.SPECLOOM or path.rpartition("/")[0] == spec.path.rpartition("/")[0]


def parse_requirement_document(layout: Layout, path: str, text: str) -> RequirementsDocument:
    """A requirements document in the manner of its layout."""
    return parse_spec_kit_requirements(path, text) if layout is Layout.SPEC_KIT else parse_requirements(path, text)


def parse_source(source: SpecSource, texts: Mapping[str, str]) -> SpecDefinition:
    """The spec of these files; `texts` holds what could be read of `source.paths`, a missing one counts as empty."""
    text = texts.get(source.path, "")
    beside = texts.get(source.requirements_path) if source.requirements_path else None
    match source.layout:
        case Layout.SPECLOOM:
            return parse_spec(source.path, text)
        case Layout.KIRO:
            path = source.requirements_path or ""
            requirements = parse_requirements(path, beside) if beside is not None else None
            design = texts.get(source.design_path) if source.design_path else None
            return parse_kiro_spec(source.id, source.path, text, requirements, design)
        case Layout.SPEC_KIT:
            return parse_spec_kit(source.id, source.path, text, beside)
        case _:
            assert_never(source.layout)


def _folders(pattern: re.Pattern[str], paths: Iterable[str]) -> dict[str, dict[str, str]]:
    """Folder name to its files by kind, in order of folder names."""
    folders: dict[str, dict[str, str]] = {}
    for path in sorted(paths):
        match = pattern.fullmatch(path)
        if match is not None:
            folders.setdefault(match[1], {})[match[2]] = path
    return folders
