"""Reads specs of Kiro's layout, `.kiro/specs/<name>/{requirements,design,tasks}.md`. Refuses to write a graph back.

With a dependency graph a leaf depends on all leaves of the wave before, else on the leaf before it. What a task states
itself (`_Depends:_`) comes first. A parent in the graph stands for its leaves, one after the other.
"""

import re
from collections.abc import Sequence

from specloom.domain.documents.findings import Findings, Names, or_suggestion
from specloom.domain.documents.lines import scan
from specloom.domain.documents.references import reference_to
from specloom.domain.documents.specs import first_title
from specloom.domain.documents.task_lines import numbered_label
from specloom.domain.documents.tasks import TaskDraft, mark_parallel, read_drafts
from specloom.domain.documents.waves import Entry, Wave, WaveGraph, read_wave_graph
from specloom.domain.ids import SpecId, TaskId, digest_of
from specloom.domain.requirement import RequirementsDocument
from specloom.domain.spec import Layout, SpecDefinition

_GENERIC_TITLE = re.compile(
    r"(?:implementation plan|design(?: document)?|tasks?|bugfix design)[ \t]*[:–—-]?[ \t]*", re.IGNORECASE
)


def parse_kiro_spec(
    folder_id: str, path: str, text: str, requirements: RequirementsDocument | None, design_text: str | None
) -> SpecDefinition:
    """The spec of a folder; `path` and `text` are those of its `tasks.md`."""
    findings = Findings(path)
    spec = SpecId(folder_id)
    drafts: list[TaskDraft] = []
    title = ""
    if not findings.binary(text):
        document = scan(text)
        findings.structure(document)
        title = _own_title(first_title(document)) or _own_title(first_title(scan(design_text or "")))
        drafts = read_drafts(document, spec, findings, numbered_label)
        graph = read_wave_graph(document, findings)
        if graph is None:
            mark_parallel(drafts)
        else:
            _Assignment(drafts, findings).assign(graph)
    return SpecDefinition(
        id=spec,
        title=title or folder_id.replace("-", " "),
        path=path,
        layout=Layout.KIRO,
        requirements=tuple(map(reference_to, requirements.requirements)) if requirements else (),
        tasks=tuple(draft.definition() for draft in drafts),
        hash=digest_of(text),
        problems=tuple(findings.problems),
    )


def _own_title(title: str) -> str:
    match = _GENERIC_TITLE.match(title)
    return title[match.end() :] if match else title


class _Assignment:
    """Gives each leaf the dependencies that the graph says."""

    def __init__(self, drafts: Sequence[TaskDraft], findings: Findings) -> None:
        self._drafts = drafts
        self._by_number = {draft.number: draft for draft in drafts}
        self._leaves = self._collect_leaves()
        self._names = Names(self._leaves)
        self._findings = findings
        self._depends: dict[TaskId, tuple[TaskId, ...]] = {}

    def assign(self, graph: WaveGraph) -> None:
        if graph.waves:
            self._assign_waves(graph.waves)
        else:
            self._assign_arrows(graph)
        for draft in self._drafts:
            if draft.is_leaf and draft.id not in self._depends and not draft.box.optional:
                message = f"The dependency graph leaves out task {draft.number}, so it runs in order; add it to a wave"
                self._findings.warning("task-not-in-graph", message, draft.line.span())
            if draft.is_leaf and draft.depends is None:
                draft.depends = self._depends.get(draft.id)

    def _collect_leaves(self) -> dict[str, list[TaskDraft]]:
        leaves: dict[str, list[TaskDraft]] = {}
        for draft in self._drafts:
            ancestor: TaskDraft | None = draft if draft.is_leaf else None
            while ancestor is not None:
                leaves.setdefault(ancestor.number, []).append(draft)
                ancestor = ancestor.parent
        return leaves

    def _assign_waves(self, waves: tuple[Wave, ...]) -> None:
        required: list[tuple[TaskId, ...]] = []
        latest: tuple[TaskId, ...] = ()
        keys: dict[str, int] = {}
        for index, wave in enumerate(waves):
            keys.update(dict.fromkeys(wave.keys, index))
        for wave in waves:
            before = latest if wave.depends_on is None else self._before(wave, wave.depends_on, required, keys)
            leaves = [leaf for entry in wave.entries for leaf in self._chain(entry, before)]
            required.append(tuple(leaf.id for leaf in leaves if not leaf.box.optional))
            latest = required[-1] or latest

    def _before(
        self, wave: Wave, names: tuple[str, ...], required: list[tuple[TaskId, ...]], keys: dict[str, int]
    ) -> tuple[TaskId, ...]:
        """The required leaves of the waves that a wave names."""
        found: dict[TaskId, None] = {}
        for name in names:
            index = keys.get(name, len(required))
            if index < len(required):
                found.update(dict.fromkeys(required[index]))
            elif wave.entries:
                message = f"A wave depends on wave {name!r}, which is not above it; name an earlier wave"
                self._findings.warning("wave-graph", message, wave.entries[0].line.span())
        return tuple(found)

    def _chain(self, entry: Entry, before: tuple[TaskId, ...]) -> list[TaskDraft]:
        """The leaves of one entry: the first waits for `before`, each other one for the one above it."""
        fresh: list[TaskDraft] = []
        for leaf in self._find(entry):
            if leaf.id in self._depends:
                message = f"The dependency graph names task {leaf.number} twice; the first place counts"
                self._findings.warning("wave-graph", message, entry.line.span())
                continue
            self._depends[leaf.id] = before
            fresh.append(leaf)
            if not leaf.box.optional:
                before = (leaf.id,)
        return fresh

    def _assign_arrows(self, graph: WaveGraph) -> None:
        found: dict[TaskId, dict[TaskId, None]] = {}
        for sources, targets in graph.arrows:
            before = [leaf for entry in sources for leaf in self._find(entry)]
            after = [leaf for entry in targets for leaf in self._find(entry)]
            for leaf in (*before, *after):
                found.setdefault(leaf.id, {})
            waited = [leaf.id for leaf in before if not leaf.box.optional]
            for leaf in after:
                found[leaf.id].update(dict.fromkeys(name for name in waited if name != leaf.id))
        self._depends = {leaf: tuple(names) for leaf, names in found.items()}

    def _find(self, entry: Entry) -> list[TaskDraft]:
        leaves = self._leaves.get(entry.number)
        if leaves is not None:
            return leaves
        near = self._names.near(entry.number)
        hint = or_suggestion(near, "remove it or add the task")
        message = f"The dependency graph names task {entry.number}, which does not exist; {hint}"
        column = entry.line.text.find(entry.number)
        end = column + len(entry.number) if column >= 0 else None
        self._findings.error("unknown-task", message, entry.line.span(column if column >= 0 else None, end), near)
        return []
