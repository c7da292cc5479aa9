"""Checks specs against requirements: what is named must exist and read as it did, what exists must be served.

Refuses to look at the order of tasks: that is `domain/graph`. Where a requirements document lies in a spec's folder
(Kiro, Spec Kit), the spec is checked against that document alone; ids need to be unique in a folder only.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from specloom.domain.documents.findings import Findings, Names, or_suggestion, place_of
from specloom.domain.documents.layouts import concerns
from specloom.domain.documents.references import is_outdated
from specloom.domain.ids import RequirementId
from specloom.domain.problem import Problem, Span
from specloom.domain.requirement import Requirement, RequirementsDocument
from specloom.domain.spec import Layout, RequirementRef, SpecDefinition, SpecStatus


def check_requirements(
    specs: Iterable[SpecDefinition],
    documents: Iterable[RequirementsDocument],
    out_of_scope: Collection[RequirementId] = (),
) -> tuple[Problem, ...]:
    """`unknown-requirement`, `requirement-changed` and, once there are specs, `requirement-not-covered`.

    A heading's id covers all below it: `2` covers `2.1`. A spec being generated is not checked, but it counts as
    serving what it names.
    """
    all_specs, all_documents = list(specs), list(documents)
    problems: list[Problem] = []
    for spec in all_specs:
        if spec.status is not SpecStatus.GENERATING:
            known = _known([document for document in all_documents if concerns(document.path, spec)])
            problems.extend(_check_spec(spec, known))
    for document in all_documents:
        serving = [spec for spec in all_specs if concerns(document.path, spec)]
        if serving:
            problems.extend(_uncovered(document, serving, out_of_scope))
    return tuple(problems)


@dataclass(frozen=True, slots=True)
class _Known:
    """Requirements by id, and the ids of what only groups others."""

    by_id: Mapping[str, Requirement]
    groups: frozenset[str]
    names: Names

    def renumbered(self, refs: Collection[RequirementRef]) -> Mapping[str, str]:
        """Those whose words stand under another id now, and that id: each stands for one of them at most."""
        kept = {ref.id for ref in refs if ref.id in self.by_id and not is_outdated(ref, self.by_id[ref.id])}
        left = [item for item in self.by_id.values() if item.id not in kept]
        found: dict[str, str] = {}
        for ref in refs:
            moved = bool(ref.hash) and ref.id not in kept
            item = next((item for item in left if item.hash.startswith(ref.hash or "")), None) if moved else None
            if item is not None:
                found[ref.id] = item.id
                left.remove(item)
        return found

    def has(self, name: str) -> bool:
        return name in self.by_id or name in self.groups


def _known(documents: Sequence[RequirementsDocument]) -> _Known:
    by_id: dict[str, Requirement] = {
        requirement.id: requirement for document in documents for requirement in document.requirements
    }
    return _Known(by_id, frozenset(head for name in by_id for head in _heads(name)), Names(by_id))


def _heads(name: str) -> Iterator[str]:
    """`1.2.3` stands below `1.2` and `1`."""
    head = name.rpartition(".")[0]
    while head:
        yield head
        head = head.rpartition(".")[0]


def _check_spec(spec: SpecDefinition, known: _Known) -> Iterator[Problem]:
    findings = Findings(spec.path)
    renumbered = known.renumbered(spec.requirements)
    for ref in spec.requirements:
        _check_ref(spec, (ref, renumbered.get(ref.id, "")), known, findings)
    for task in spec.tasks:
        for name in task.requirements:
            if not known.has(name):
                _unknown(f"Task {task.id}", name, place_of(task, name), known, findings)
    yield from findings.problems


def _check_ref(spec: SpecDefinition, named: tuple[RequirementRef, str], known: _Known, findings: Findings) -> None:
    """`named`: with the id under which its words stand now, if that is another one."""
    ref, now = named
    requirement = known.by_id.get(ref.id)
    if now:
        message = f"Spec {spec.id} names requirement {ref.id}, which is {now} now; name it so"
        findings.warning("requirement-renumbered", message, place_of(spec, ref.id))
    elif requirement is not None and is_outdated(ref, requirement):
        message = f"Requirement {ref.id} was changed since spec {spec.id} was written; check the spec or plan it again"
        findings.warning("requirement-changed", message, place_of(spec, ref.id))
    elif not known.has(ref.id):
        _unknown(f"Spec {spec.id}", ref.id, place_of(spec, ref.id), known, findings)


def _unknown(who: str, name: str, span: Span, known: _Known, findings: Findings) -> None:
    near = tuple(found for found in (f"R{name}", name.removeprefix("R")) if found != name and known.has(found))
    suggestions = near or known.names.near(name)
    hint = or_suggestion(suggestions, "name a requirement that exists or remove it")
    findings.warning(
        "unknown-requirement", f"{who} names requirement {name}, which does not exist; {hint}", span, suggestions
    )


def _uncovered(
    document: RequirementsDocument, specs: Sequence[SpecDefinition], out_of_scope: Collection[RequirementId]
) -> Iterator[Problem]:
    cited = {name for spec in specs for task in spec.tasks for name in task.requirements}
    cited.update(ref.id for spec in specs if spec.layout is Layout.SPECLOOM for ref in spec.requirements)
    kinds = {_kind(name) for name in cited}
    findings = Findings(document.path)
    for requirement in document.requirements:
        name = requirement.id
        served = name in cited or not cited.isdisjoint(_heads(name))
        # Other tools' tasks may cite none of a kind at all, and then mean nothing by it.
        expected = specs[0].layout is Layout.SPECLOOM or _kind(name) in kinds
        if expected and not served and name not in out_of_scope:
            message = f"No spec serves requirement {name}; plan again, or name it in a spec or task"
            findings.warning("requirement-not-covered", message, requirement.span)
    yield from findings.problems


def _kind(name: str) -> str:
    return name.rstrip("0123456789.").rstrip("-")
