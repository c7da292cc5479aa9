"""Spec documents of our layout and their front matter."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.domain.documents.references import is_outdated, reference_to
from specloom.domain.documents.requirements import parse_requirements
from specloom.domain.documents.specs import parse_spec, render_front_matter
from specloom.domain.ids import Digest, RequirementId, SpecId, digest_of
from specloom.domain.problem import Severity
from specloom.domain.spec import Layout, RequirementRef, SpecDefinition, SpecStatus

FIXTURES = Path(__file__).parents[2] / "fixtures" / "documents"
PATH = "specs/07-user-login.md"


def parse(front_matter: str) -> SpecDefinition:
    return parse_spec(PATH, f"---\n{front_matter}\n---\n# Heading\n")


def test_a_whole_spec_is_read() -> None:
    text = (FIXTURES / "specloom_spec.md").read_text()
    spec = parse_spec("specs/02-sessions.md", text)
    assert (spec.id, spec.title, spec.layout, spec.status) == (
        "02",
        "Sessions: sign in, stay in",
        Layout.SPECLOOM,
        SpecStatus.READY,
    )
    assert spec.depends_on == ("01",)
    assert spec.requirements == (
        RequirementRef(RequirementId("R1.1"), Digest("a1b2c3d4e5f6")),
        RequirementRef(RequirementId("R1.2")),
    )
    assert spec.hash == digest_of(text)
    (problem,) = spec.problems
    assert (problem.severity, problem.span.start_line) == (Severity.INFORMATION, 5)
    rows = text.split("\n")
    assert [rows[m.line][m.column : m.span.end_column] for m in spec.mentions] == ["01", "R1.1", "R1.2"]


def test_without_front_matter_the_file_name_and_the_heading_speak() -> None:
    spec = parse_spec(PATH, "# User login\n\n- [ ] 1. a\n")
    assert (spec.id, spec.title, spec.tasks[0].id, spec.problems) == ("07", "User login", "07/1", ())
    assert parse_spec(PATH, "").title == "user login"


@pytest.mark.parametrize(
    "lines",
    [
        "depends_on: [\"01\", 02, '03']",
        "depends_on:\n  - '01'\n  - 02\n  - \"03\"",
        "depends_on:\n- 01 # first\n- 02\n\n# comment\n- 03",
        "depends_on: [01, 02, 03] # all",
    ],
)
def test_lists(lines: str) -> None:
    spec = parse(lines)
    assert spec.depends_on == ("01", "02", "03")
    assert spec.problems == ()


@pytest.mark.parametrize(
    "lines",
    [
        "requirements: [R1.1@abc123, R1.2]",
        "requirements: {R1.1: abc123, R1.2: }",
        "requirements:\n  R1.1: abc123\n  R1.2:",
    ],
)
def test_requirements_with_hashes(lines: str) -> None:
    assert parse(lines).requirements == (
        RequirementRef(RequirementId("R1.1"), Digest("abc123")),
        RequirementRef(RequirementId("R1.2")),
    )


def test_ranges_of_requirements_are_counted_out() -> None:
    assert [ref.id for ref in parse("requirements: [R1.1-R1.3]").requirements] == ["R1.1", "R1.2", "R1.3"]


@pytest.mark.parametrize(
    ("lines", "line"),
    [
        ("title: |\n  long", 1),
        ("just words", 1),
        ("id: 07\ndepends_on: [[01]]", 2),
        ('title: "never closed', 1),
        ("depends_on: [01, 02", 1),
        ("status: paused", 1),
        ("id: a/b", 1),
        ("title: a\ntitle: b", 2),
        ("depends_on: {a: {b: c}}", 1),
    ],
)
def test_what_is_not_understood_is_a_problem_at_its_line(lines: str, line: int) -> None:
    spec = parse(lines)
    assert line in {problem.span.start_line for problem in spec.problems}
    assert spec.id == "07"


def test_an_unclosed_front_matter_is_a_problem() -> None:
    spec = parse_spec(PATH, "---\nid: 09\n- [ ] 1. a\n")
    assert (spec.id, [problem.code for problem in spec.problems]) == ("07", ["front-matter"])


def test_status_and_a_misspelt_key() -> None:
    spec = parse("status: generating\ndepend_on: [01]")
    assert spec.status is SpecStatus.GENERATING
    assert spec.problems[0].suggestions == ("depends_on",)


def test_a_binary_file_is_a_problem_and_holds_no_task() -> None:
    spec = parse_spec(PATH, "- [ ] 1. a\n\0")
    assert (spec.tasks, spec.problems[0].code, spec.id) == ((), "binary-document", "07")


ids = st.from_regex(r"\A[0-9]{1,3}\Z")
names = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"], exclude_characters="@,;，、；"), min_size=1
)
refs = st.builds(
    RequirementRef,
    st.one_of(st.from_regex(r"\AR[0-9]{1,2}\.[0-9]{1,2}\Z"), names).map(RequirementId),
    st.one_of(st.none(), st.from_regex(r"\A[0-9a-f]{12}\Z").map(Digest)),
)


@given(
    spec=ids.map(SpecId),
    title=st.text(min_size=1).filter(lambda text: "\0" not in text),
    depends_on=st.lists(ids.map(SpecId), unique=True),
    requirements=st.lists(refs.filter(lambda ref: ref.hash is not None), unique_by=lambda ref: ref.id),
    status=st.sampled_from(SpecStatus),
)
def test_front_matter_reads_back_as_written(
    spec: SpecId, title: str, depends_on: list[SpecId], requirements: list[RequirementRef], status: SpecStatus
) -> None:
    text = render_front_matter(spec, title, depends_on, requirements, status)
    found = parse_spec("specs/99-x.md", text)
    assert (found.id, found.title, found.depends_on) == (spec, title, tuple(depends_on))
    assert found.requirements == tuple(requirements)
    assert (found.status, found.problems) == (status, ())


def test_a_reference_is_outdated_once_the_words_change() -> None:
    (before,) = parse_requirements("requirements.md", "- R1 Users can sign in").requirements
    (wrapped,) = parse_requirements("requirements.md", "- R1 Users can\n  sign in").requirements
    (after,) = parse_requirements("requirements.md", "- R1 Users cannot sign in").requirements
    assert not is_outdated(reference_to(before), wrapped)
    assert is_outdated(reference_to(before), after)
