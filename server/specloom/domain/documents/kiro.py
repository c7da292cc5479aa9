"""Reads specs of Kiro's layout, `.kiro/specs/<name>/{requirements,design,tasks}.md`. Refuses to write a graph back.

With a dependency graph a leaf depends on all leaves of the wave before, else on the leaf before it. What a task states
itself (`_Depends:_`) comes first. A parent in the graph stands for its leaves, one after the other.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from specloom.domain.documents.findings import Findings, Names, or_suggestion
from specloom.domain.documents.lines import scan
from specloom.domain.documents.references import reference_to
from specloom.domain.documents.specs import first_title
from specloom.domain.documents.task_lines import numbered_label
from specloom.domain.documents.tasks import TaskDraft, read_drafts
from specloom.domain.documents.waits import Groups, Waits, mark_parallel
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
    groups = Groups()
    title = ""
    if not findings.binary(text):
        document = scan(text)
        findings.structure(document)
        title = _own_title(first_title(document)) or _own_title(first_title(scan(design_text or "")))
        drafts = read_drafts(document, spec, findings, numbered_label)
        graph = read_wave_graph(document, findings)
        if graph is None:
            mark_parallel(drafts, groups)
        else:
            _Assignment(drafts, groups, findings).assign(graph)
    return SpecDefinition(
        id=spec,
        title=title or folder_id.replace("-", " "),
        path=path,
        layout=Layout.KIRO,
        requirements=tuple(map(reference_to, requirements.requirements)) if requirements else (),
        tasks=tuple(draft.definition() for draft in drafts),
        groups=tuple(groups.members),
        hash=digest_of(text),
        problems=tuple(findings.problems),
    )


def _own_title(title: str) -> str:
    match = _GENERIC_TITLE.match(title)
    return title[match.end() :] if match else title


_ByContext: TypeAlias = Mapping[TaskId | None, Waits]
"""The leaves of a wave by the optional task that they run with."""


def _seen(leaf: TaskDraft, waves: Sequence[_ByContext]) -> Waits:
    """What a leaf waits for in these waves."""
    return Waits.all(wave[context] for wave in waves for context in leaf.seen if context in wave)


class _Assignment:
    """Gives each leaf the dependencies that the graph says."""

    def __init__(self, drafts: Sequence[TaskDraft], groups: Groups, findings: Findings) -> None:
        self._drafts = drafts
        self._groups = groups
        self._by_number = {draft.number: draft for draft in drafts}
        self._leaves = self._collect_leaves()
        self._names = Names(self._leaves)
        self._findings = findings
        self._waits: dict[TaskId, Waits] = {}

    def assign(self, graph: WaveGraph) -> None:
        if graph.waves:
            self._assign_waves(graph.waves)
        else:
            self._assign_arrows(graph)
        for draft in self._drafts:
            if draft.is_leaf and draft.id not in self._waits and draft.context is None:
                message = f"The dependency graph leaves out task {draft.number}, so it runs in order; add it to a wave"
                self._findings.warning("task-not-in-graph", message, draft.line.span())
            if draft.is_leaf and draft.depends is None and draft.id in self._waits:
                self._waits[draft.id].give(draft)

    def _collect_leaves(self) -> dict[str, list[TaskDraft]]:
        leaves: dict[str, list[TaskDraft]] = {}
        for draft in self._drafts:
            ancestor: TaskDraft | None = draft if draft.is_leaf else None
            while ancestor is not None:
                leaves.setdefault(ancestor.number, []).append(draft)
                ancestor = ancestor.parent
        return leaves

    def _assign_waves(self, waves: tuple[Wave, ...]) -> None:
        done: list[_ByContext] = []
        latest: _ByContext = {}
        keys: dict[str, int] = {}
        for index, wave in enumerate(waves):
            keys.update(dict.fromkeys(wave.keys, index))
        for wave in waves:
            before = [latest] if wave.depends_on is None else self._before(wave, wave.depends_on, done, keys)
            leaves = [leaf for entry in wave.entries for leaf in self._chain(entry, before)]
            done.append(self._by_context(leaves))
            latest = {**latest, **done[-1]}

    def _by_context(self, leaves: Sequence[TaskDraft]) -> _ByContext:
        found: dict[TaskId | None, dict[TaskId, None]] = {}
        for leaf in leaves:
            found.setdefault(leaf.context, {})[leaf.id] = None
        return {context: self._groups.waits_for(tuple(names)) for context, names in found.items()}

    def _before(
        self, wave: Wave, names: tuple[str, ...], done: Sequence[_ByContext], keys: dict[str, int]
    ) -> list[_ByContext]:
        """The leaves of the waves that a wave names."""
        found: dict[int, None] = {}
        for name in names:
            index = keys.get(name, len(done))
            if index < len(done):
                found.setdefault(index)
            elif wave.entries:
                message = f"A wave depends on wave {name!r}, which is not above it; name an earlier wave"
                self._findings.warning("wave-graph", message, wave.entries[0].line.span())
        return [done[index] for index in found]

    def _chain(self, entry: Entry, before: Sequence[_ByContext]) -> list[TaskDraft]:
        """The leaves of one entry: the first waits for `before`, each other one for the one above it."""
        fresh: list[TaskDraft] = []
        above: TaskDraft | None = None
        for leaf in self._find(entry):
            if leaf.id in self._waits:
                message = f"The dependency graph names task {leaf.number} twice; the first place counts"
                self._findings.warning("wave-graph", message, entry.line.span())
                continue
            self._waits[leaf.id] = _seen(leaf, before) if above is None else Waits((above.id,))
            fresh.append(leaf)
            if leaf.context == self._by_number[entry.number].context:
                above = leaf
        return fresh

    def _assign_arrows(self, graph: WaveGraph) -> None:
        found: dict[TaskId, list[Waits]] = {}
        for sources, targets in graph.arrows:
            before = [leaf for entry in sources for leaf in self._find(entry)]
            after = [leaf for entry in targets for leaf in self._find(entry)]
            named, whole = {leaf.id for leaf in before}, [self._by_context(before)]
            for leaf in before:
                found.setdefault(leaf.id, [])
            for leaf in after:
                own = self._others(leaf, before) if leaf.id in named else _seen(leaf, whole)
                found.setdefault(leaf.id, []).append(own)
        self._waits = {leaf: Waits.all(parts) for leaf, parts in found.items()}

    def _others(self, leaf: TaskDraft, before: Sequence[TaskDraft]) -> Waits:
        """An arrow from a task to itself means nothing."""
        return Waits(tuple(other.id for other in before if other is not leaf and other.context in leaf.seen))

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
