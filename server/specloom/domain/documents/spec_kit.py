"""Reads specs of GitHub Spec Kit's layout, `specs/NNN-name/`. Refuses to write anything but checkboxes there.

`[P]` depends on the last task without it in its phase, or on all that stands before the phase; a task without `[P]` on
all before it. "All before" is written as those that nothing else before depends on, which comes to the same.
A phase is a heading of level one or two. A story label and an `FR-001` in the text count as requirements.
"""

import re
from collections.abc import Sequence

from specloom.domain.documents.findings import Findings
from specloom.domain.documents.lines import scan
from specloom.domain.documents.requirements import read_requirements
from specloom.domain.documents.specs import first_title
from specloom.domain.documents.task_lines import spec_kit_label
from specloom.domain.documents.tasks import TaskDraft, read_drafts
from specloom.domain.documents.waits import Groups, Lanes
from specloom.domain.ids import RequirementId, SpecId, digest_of
from specloom.domain.requirement import RequirementsDocument
from specloom.domain.spec import Layout, SpecDefinition

_TITLE = re.compile(r"(?:tasks|feature specification|implementation plan)[ \t]*:?[ \t]*", re.IGNORECASE)
_CITED = re.compile(r"\b(?:FR|NFR|SC)-[0-9]+\b")


def parse_spec_kit(folder_id: str, path: str, text: str, spec_text: str | None) -> SpecDefinition:
    """The spec of a folder; `path` and `text` are those of its `tasks.md`, `spec_text` is its `spec.md`."""
    findings = Findings(path)
    spec = SpecId(folder_id)
    drafts: list[TaskDraft] = []
    groups = Groups()
    title = ""
    if not findings.binary(text):
        document = scan(text)
        findings.structure(document)
        title = _own_title(first_title(scan(spec_text or ""))) or _own_title(first_title(document))
        drafts = read_drafts(document, spec, findings, spec_kit_label)
        _set_dependencies(drafts, groups)
        for draft in drafts:
            _cite(draft)
    return SpecDefinition(
        id=spec,
        title=title or folder_id.replace("-", " "),
        path=path,
        layout=Layout.SPEC_KIT,
        tasks=tuple(draft.definition() for draft in drafts),
        groups=tuple(groups.members),
        hash=digest_of(text),
        problems=tuple(findings.problems),
    )


def parse_spec_kit_requirements(path: str, text: str) -> RequirementsDocument:
    """User stories as `US1`, their scenarios as `US1.1`, and `FR-001` or `SC-001` items of a `spec.md`."""
    return read_requirements(path, text, only_marked=True)


def _own_title(title: str) -> str:
    match = _TITLE.match(title)
    own = title[match.end() :] if match else title
    return "" if own.startswith("[") else own


def _set_dependencies(drafts: Sequence[TaskDraft], groups: Groups) -> None:
    lanes = Lanes(groups)
    phase = None
    for draft in drafts:
        if not draft.is_leaf:
            continue
        if draft.heading is not phase:
            phase = draft.heading
            lanes.end_phase()
        if draft.depends is None:
            (lanes.base(draft) if draft.label.parallel else lanes.newest(draft)).give(draft)
        lanes.take(draft)


def _cite(draft: TaskDraft) -> None:
    names = [*draft.label.stories]
    for text in (draft.label.title, *draft.details):
        names.extend(_CITED.findall(text))
    for name in names:
        draft.requirements.setdefault(RequirementId(name))
