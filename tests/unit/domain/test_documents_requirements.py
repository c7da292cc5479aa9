"""Requirements documents in every style that is recognised."""

from pathlib import Path

import pytest

from specloom.domain.documents.requirements import parse_requirements
from specloom.domain.documents.spec_kit import parse_spec_kit_requirements
from specloom.domain.problem import Severity
from specloom.domain.requirement import Requirement

FIXTURES = Path(__file__).parents[2] / "fixtures" / "documents"


def read(text: str) -> dict[str, str]:
    return {item.id: item.text for item in parse_requirements("requirements.md", text).requirements}


def only(text: str) -> Requirement:
    (found,) = parse_requirements("requirements.md", text).requirements
    return found


def test_a_free_document_is_read() -> None:
    found = read((FIXTURES / "requirements_free.md").read_text())
    assert found == {
        "R1.1": "A user can sign up\n- by mail\n- by phone",
        "FR-001": "The system MUST keep passwords hashed",
        "R1.2": "Names. A user has a name",
        "1": "First",
        "1.1": "Nested",
        "1.1.1": "Deeper",
        "1.1.1.1": "Deepest",
        "2": "Second",
        "export/1": "As text",
        "export/2": "As a table",
        "export/the-system-shall-export-within-a": "The system SHALL export within a minute.",
        "export/when-the-disk-is-full-the": "WHEN the disk is full, the system SHALL say so.",
        "NFR-7": "It is fast | high",
        "概要/ユーザーはログインできる": "ユーザーはログインできる",
        "概要/пользователь-может-выйти": "Пользователь может выйти",
        "R5": "Session timeout\nAfter half an hour a session ends.",
    }


def test_a_kiro_document_is_read() -> None:
    document = parse_requirements("requirements.md", (FIXTURES / "kiro_requirements.md").read_text())
    assert {item.id: item.text for item in document.requirements} == {
        "1.1": "WHEN a buyer adds an item THEN THE SYSTEM SHALL show it in the cart",
        "1.2": "WHILE the cart is empty THE SYSTEM SHALL say so",
        "1.3": "IF an item is sold out, THEN THE SYSTEM SHALL refuse it\nand name another one",
        "2.1": "THE SYSTEM SHALL take cards",
        "2.2": "WHEN a payment fails",
    }
    assert document.requirements[0].title == "Requirement 1: Cart"
    (problem,) = document.problems
    assert (problem.code, problem.severity, problem.span.start_line) == ("not-ears", Severity.INFORMATION, 30)


def test_a_spec_kit_document_is_read() -> None:
    document = parse_spec_kit_requirements("specs/001-x/spec.md", (FIXTURES / "spec_kit_spec.md").read_text())
    assert [item.id for item in document.requirements] == ["US1", "US1.1", "US1.2", "FR-001", "FR-002", "SC-001"]
    assert document.requirements[0].text.startswith("Make an album (Priority: P1)\nSomeone makes an album.")
    assert [problem.code for problem in document.problems] == ["needs-clarification"]


@pytest.mark.parametrize(
    ("line", "name", "text"),
    [
        ("- R1.2 Text", "R1.2", "Text"),
        ("- R1.2: Text", "R1.2", "Text"),
        ("* **R1.2**: Text", "R1.2", "Text"),
        ("- **R1.2:** Text", "R1.2", "Text"),
        ("- **R1.2 Title.** Text", "R1.2", "Title. Text"),
        ("- [R1.2] Text", "R1.2", "Text"),
        ("- `REQ-12` Text", "REQ-12", "Text"),
        ("REQ-12 - Text", "REQ-12", "Text"),
        ("NFR1 — Text", "NFR1", "Text"),
        ("- REQ-AUTH-001 Text", "REQ-AUTH-001", "Text"),
        ("- [ ] R1.2 Text", "R1.2", "Text"),
        ("+ 1.2.3.4 Text", "1.2.3.4", "Text"),
        ("1.2. Text", "1.2", "Text"),
        ("1) Text", "1", "Text"),
        ("• 要件-3： Text", "要件-3", "Text"),
        ("### R1.2 Text", "R1.2", "Text"),
        ("### Requirement 4 - Text", "4", "Text"),
        ("| **R1.2** | Text |", "R1.2", "Text"),
        ("- OAuth2 sign in", "oauth2-sign-in", "OAuth2 sign in"),
        ("- UTF-8: everywhere", "utf-8-everywhere", "UTF-8: everywhere"),
    ],
)
@pytest.mark.parametrize("eol", ["\n", "\r\n"])
def test_ids(line: str, name: str, text: str, eol: str) -> None:
    found = only(f"\ufeff{line}{eol}")
    assert (found.id, found.text) == (name, text)


@pytest.mark.parametrize(
    "text",
    [
        "```\n- R1 in a fence\n```",
        "> - R1 quoted",
        "<!--\n- R1 hidden\n-->",
        "---\ntitle: x\n---",
        "| Id | Text |\n|----|------|",
        "Prose without any of it.",
        "## Glossary\n- **Cart**: a thing",
        "## Out of scope\n- R1 Billing\n### R2 Taxes\n1. More",
        "# Heading",
    ],
)
def test_these_are_no_requirements_and_that_is_told(text: str) -> None:
    document = parse_requirements("requirements.md", text)
    assert document.requirements == ()
    assert [problem.code for problem in document.problems] == ["no-requirements"]


@pytest.mark.parametrize("text", ["", "\n \t\r\n", "\ufeff"])
def test_an_empty_document_is_an_error(text: str) -> None:
    (problem,) = parse_requirements("requirements.md", text).problems
    assert (problem.code, problem.severity) == ("empty-document", Severity.ERROR)


def test_a_binary_document_is_an_error() -> None:
    document = parse_requirements("requirements.md", "- R1 a\n\0\1")
    assert document.requirements == ()
    assert [(problem.code, problem.severity) for problem in document.problems] == [("binary-document", Severity.ERROR)]


def test_a_second_requirement_of_the_same_id_gets_its_own_and_a_problem() -> None:
    document = parse_requirements("requirements.md", "- R1.1 a\n- R1.2 b\n- R1.1 c\n- FR-009 d\n- FR-009 e")
    assert [item.id for item in document.requirements] == ["R1.1", "R1.2", "R1.1~2", "FR-009", "FR-009~2"]
    first, second = document.problems
    assert (first.code, first.suggestions, first.span.start_line) == ("duplicate-id", ("R1.3",), 2)
    assert (first.span.start_column, first.span.end_column) == (2, 6)
    assert second.suggestions == ("FR-010",)


def test_a_list_of_ones_counts_up() -> None:
    assert list(read("1. a\n1. b\n1. c")) == ["1", "2", "3"]


def test_a_number_given_twice_in_one_list_is_a_problem() -> None:
    document = parse_requirements("requirements.md", "## A\n1. a\n2. b\n2. c\n")
    assert [problem.code for problem in document.problems] == ["duplicate-id"]


def test_numbers_count_below_the_id_of_their_heading_or_item() -> None:
    assert list(read("## R1 Accounts\n1. a\n2. b\n## 2. Export\n1. c\n\n- R7 d\n  1. e\n")) == [
        "R1.1",
        "R1.2",
        "2.1",
        "R7",
        "R7.1",
    ]


def test_generated_ids_survive_moves_and_other_edits() -> None:
    before = read("## A\n- Users sign in\n- Users sign out\n")
    after = read("## A\n- Users are greeted\n- Users sign out\n\n- Users sign in\n")
    assert set(before) < set(after)


def test_equal_beginnings_get_different_ids() -> None:
    text = "- The user can see the list of orders\n- The user can see the list of bills\n"
    assert len(read(text)) == 2
    assert list(read(text)) == list(read(text))


@pytest.mark.parametrize(
    "sentence",
    [
        "The system SHALL log each request.",
        "WHEN a user signs in THE system SHALL greet them.",
        "When a user signs in, the system shall greet them.",
        "WHILE offline the client SHALL queue edits.",
        "IF the disk is full THEN the system SHALL stop.",
        "WHERE sound is installed, the game SHALL play it.",
        "**WHEN** asked **THEN** the **SYSTEM SHALL** answer.",
    ],
)
def test_ears_sentences_count_as_paragraphs_and_have_no_fault(sentence: str) -> None:
    document = parse_requirements("requirements.md", f"# T\n\n{sentence}\n")
    assert [item.text for item in document.requirements] == [sentence]
    assert document.problems == ()


@pytest.mark.parametrize(
    "sentence",
    [
        "WHEN a user signs in",
        "IF it fails the system SHALL stop",
        "The system SHALL",
        "WHEN the SHALL x",
        "SHALL do it",
    ],
)
def test_a_sentence_that_tries_to_be_ears_is_told_and_kept(sentence: str) -> None:
    document = parse_requirements("requirements.md", f"- {sentence}\n")
    assert [item.text for item in document.requirements] == [sentence]
    assert [problem.code for problem in document.problems] == ["not-ears"]


@pytest.mark.parametrize("sentence", ["When it rains it pours", "Users may do it if they like", "A shallow copy"])
def test_prose_is_not_measured_by_ears(sentence: str) -> None:
    assert parse_requirements("requirements.md", f"- {sentence}\n").problems == ()


def test_open_questions_are_told_where_they_stand() -> None:
    line = "- R1 Users sign in [NEEDS CLARIFICATION: how?] soon"
    document = parse_requirements("requirements.md", line)
    (problem,) = document.problems
    assert (problem.code, problem.severity) == ("needs-clarification", Severity.INFORMATION)
    assert line[problem.span.start_column : problem.span.end_column] == "[NEEDS CLARIFICATION: how?]"
    assert document.requirements[0].text == line[5:]


def test_the_hash_ignores_wrapping_only() -> None:
    assert only("- R1 Users can sign in").hash == only("- R1 Users\n  can   sign in\n").hash
    assert only("- R1 Users can sign in").hash != only("- R1 Users can sign on").hash


def test_the_span_covers_the_whole_item() -> None:
    found = only("# T\n\n- R1 a\n  b\n\n  c\n\nprose\n")
    assert (found.text, found.span.start_line, found.span.end_line, found.span.end_column) == ("a\nb\nc", 2, 5, 3)


def test_criteria_under_numbered_headings_are_found() -> None:
    text = "### Requirement 1: A\n#### 1.1 First\nIt works.\n#### 1.2 Second\n### Requirement 2: B\nJust prose.\n"
    assert read(text) == {"1.1": "First\nIt works.", "1.2": "Second", "2": "B\nJust prose."}
