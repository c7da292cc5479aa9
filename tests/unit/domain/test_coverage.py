"""Specs are checked against requirements, both ways."""

from specloom.domain.coverage import check_requirements
from specloom.domain.documents.kiro import parse_kiro_spec
from specloom.domain.documents.requirements import parse_requirements
from specloom.domain.documents.spec_kit import parse_spec_kit, parse_spec_kit_requirements
from specloom.domain.documents.specs import parse_spec
from specloom.domain.ids import RequirementId
from specloom.domain.problem import Severity

DOCUMENT = parse_requirements("requirements.md", "- R1.1 Sign in\n- R1.2 Sign out\n- R2 Export\n")


def spec(requirements: str, tasks: str = "") -> str:
    return f"---\nrequirements: [{requirements}]\n---\n{tasks}"


def codes(text: str) -> list[tuple[str, int]]:
    problems = check_requirements([parse_spec("specs/01-a.md", text)], [DOCUMENT])
    assert all(problem.severity is Severity.WARNING for problem in problems)
    return [(problem.code, problem.span.start_line) for problem in problems]


def test_all_served() -> None:
    first = DOCUMENT.requirements[0]
    assert codes(spec(f"R1.1@{first.hash[:12]}, R1.2", "- [ ] 1. a\n  - _Requirements: R2_\n")) == []


def test_a_group_serves_all_below_it() -> None:
    assert codes(spec("R1, R2")) == []


def test_what_no_spec_serves_is_told_in_the_requirements() -> None:
    (problem,) = check_requirements([parse_spec("specs/01-a.md", spec("R1.1, R2"))], [DOCUMENT])
    assert (problem.code, problem.path, problem.span.start_line) == ("requirement-not-covered", "requirements.md", 1)


def test_what_is_out_of_scope_need_not_be_served() -> None:
    specs = [parse_spec("specs/01-a.md", spec("R1.1, R2"))]
    assert check_requirements(specs, [DOCUMENT], {RequirementId("R1.2")}) == ()


def test_before_there_are_specs_nothing_is_missing() -> None:
    assert check_requirements([], [DOCUMENT]) == ()


def test_unknown_requirements_are_told_where_they_are_named() -> None:
    text = spec("R1, R2, R3.7", "- [ ] 1. a\n  - _Requirements: 1.1_\n")
    problems = check_requirements([parse_spec("specs/01-a.md", text)], [DOCUMENT])
    assert [(p.code, p.span.start_line, p.path) for p in problems] == [
        ("unknown-requirement", 1, "specs/01-a.md"),
        ("unknown-requirement", 4, "specs/01-a.md"),
    ]
    assert problems[1].suggestions == ("R1.1",)


def test_a_changed_requirement_is_told() -> None:
    assert codes(spec("R1.1@000000000000, R1.2, R2")) == [("requirement-changed", 1)]


def test_a_spec_that_is_being_generated_serves_but_is_not_checked() -> None:
    text = "---\nstatus: generating\nrequirements: [R1, R2, R77]\n---\n"
    assert codes(text) == []


def test_kiro_folders_are_checked_by_themselves() -> None:
    cart = parse_requirements(
        ".kiro/specs/cart/requirements.md", "### Requirement 1\n1. THE x SHALL y\n2. THE x SHALL z\n"
    )
    bill = parse_requirements(".kiro/specs/bill/requirements.md", "### Requirement 1\n1. THE x SHALL y\n")
    specs = [
        parse_kiro_spec("cart", ".kiro/specs/cart/tasks.md", "- [ ] 1. a\n  - _Requirements: 1.1_\n", cart, None),
        parse_kiro_spec("bill", ".kiro/specs/bill/tasks.md", "- [ ] 1. a\n  - _Requirements: 1.2_\n", bill, None),
    ]
    problems = check_requirements(specs, [cart, bill])
    assert [(p.code, p.path) for p in problems] == [
        ("unknown-requirement", ".kiro/specs/bill/tasks.md"),
        ("requirement-not-covered", ".kiro/specs/cart/requirements.md"),
        ("requirement-not-covered", ".kiro/specs/bill/requirements.md"),
    ]


def test_kinds_that_spec_kit_tasks_never_cite_are_not_expected() -> None:
    text = "### User Story 1 - A\n1. Given\n### User Story 2 - B\n- **FR-001**: System MUST x\n"
    document = parse_spec_kit_requirements("specs/001-a/spec.md", text)
    spec_kit = parse_spec_kit("001-a", "specs/001-a/tasks.md", "- [ ] T001 [US1] a\n", None)
    problems = check_requirements([spec_kit], [document])
    assert [(p.code, p.span.start_line) for p in problems] == [("requirement-not-covered", 2)]
