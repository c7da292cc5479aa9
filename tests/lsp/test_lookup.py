"""Where the names in a document lead."""

from specloom.domain.documents.kiro import parse_kiro_spec
from specloom.domain.documents.requirements import parse_requirements
from specloom.domain.documents.specs import parse_spec
from specloom.domain.events.documents import RequirementsRead, SpecRead
from specloom.domain.evolve import EMPTY, evolve
from specloom.domain.project import ProjectState
from specloom.domain.requirement import RequirementsDocument
from specloom.domain.spec import SpecDefinition
from specloom.lsp.lookup import target_of

AT = "2026-01-01T00:00:00.000Z"


def state_of(documents: list[RequirementsDocument], specs: list[SpecDefinition]) -> ProjectState:
    state = EMPTY
    for document in documents:
        state = evolve(state, RequirementsRead(document.path, document.requirements), AT, state.seq + 1)
    for spec in specs:
        state = evolve(state, SpecRead(spec), AT, state.seq + 1)
    return state


def kiro(folder: str, before: str) -> tuple[RequirementsDocument, SpecDefinition]:
    path = f".kiro/specs/{folder}"
    text = f"{before}### Requirement 1\n1. THE {folder} SHALL open\n2. THE {folder} SHALL close\n"
    requirements = parse_requirements(f"{path}/requirements.md", text)
    tasks = "- [ ] 1. a\n  - _Requirements: 1.2, 1_\n"
    return requirements, parse_kiro_spec(folder, f"{path}/tasks.md", tasks, requirements, None)


def test_a_name_leads_to_the_requirement_of_its_own_folder() -> None:
    folders = [kiro("cart", ""), kiro("bill", "# Bill\n\n")]
    for order in (folders, folders[::-1]):
        state = state_of([document for document, _ in order], [spec for _, spec in order])
        for document, spec in folders:
            target = target_of(state, "1.2", spec)
            assert target is not None
            assert (target.path, target.span) == (document.path, document.requirements[1].span)


def test_a_name_that_only_groups_others_leads_to_the_first_of_them() -> None:
    document, spec = kiro("cart", "")
    target = target_of(state_of([document], [spec]), "1", spec)
    assert target is not None
    assert target.span == document.requirements[0].span


def test_names_of_tasks_and_specs_lead_to_their_files() -> None:
    first = parse_spec("specs/01-a.md", "---\nid: '01'\n---\n- [ ] 1. a\n- [ ] 2. b\n")
    second = parse_spec("specs/02-b.md", "---\nid: '02'\ndepends_on: ['01']\n---\n- [ ] 1. c\n  - _Depends: 01/2_\n")
    state = state_of([], [first, second])
    task, spec, nothing = (target_of(state, name, second) for name in ("01/2", "01", "07"))
    assert task is not None
    assert spec is not None
    assert (task.path, task.span.start_line) == ("specs/01-a.md", 4)
    assert (spec.path, spec.span.start_line, nothing) == ("specs/01-a.md", 0, None)
