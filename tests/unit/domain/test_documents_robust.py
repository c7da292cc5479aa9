"""Whatever the text: parsers return, their spans lie inside it, and twice the text costs about twice the time."""

import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.domain.coverage import check_requirements
from specloom.domain.documents.kiro import parse_kiro_spec
from specloom.domain.documents.requirements import parse_requirements
from specloom.domain.documents.rewrite import replace_section, set_checkbox, set_front_matter
from specloom.domain.documents.spec_kit import parse_spec_kit, parse_spec_kit_requirements
from specloom.domain.documents.specs import parse_spec
from specloom.domain.graph import build_graph
from specloom.domain.problem import Span
from specloom.domain.requirement import RequirementsDocument
from specloom.domain.spec import SpecDefinition, TaskDefinition

Parsed: TypeAlias = SpecDefinition | RequirementsDocument
FIXTURES = Path(__file__).parents[2] / "fixtures" / "documents"
TEXTS = sorted(path.read_text() for path in FIXTURES.glob("*.md"))

PARSERS: dict[str, Callable[[str], Parsed]] = {
    "requirements": lambda text: parse_requirements("requirements.md", text),
    "spec kit requirements": lambda text: parse_spec_kit_requirements("specs/001-x/spec.md", text),
    "spec": lambda text: parse_spec("specs/01-x.md", text),
    "kiro": lambda text: parse_kiro_spec("x", ".kiro/specs/x/tasks.md", text, None, text),
    "spec kit": lambda text: parse_spec_kit("001-x", "specs/001-x/tasks.md", text, text),
}

PIECES = [
    "- [ ] ", "* [x] ", "1. ", "1.1 ", "2.1.3.4 ", "  ", "    ", "\t", "\n", "\n\n", "\r\n", "\r", "```", "~~~\n",
    "<!--", "-->", "> ", "# ", "## Tasks\n", "---\n", "_Requirements: ", "_Depends: ", "_Verify: `", "_", "`", "*",
    "**", "R1.2", "FR-001", "1.1-1.4", "none", "(P)", "[P]", "[US1]", "T012 ", "### Requirement 1\n", "SHALL ",
    "### User Story 2\n", "WHEN ", "IF ", "THEN ", "id: ", "title: ", "depends_on: [", "requirements:\n", "  - ",
    "]", "{", "}", '"', "'", ", ", ":", "@", "\ufeff", "\0", "\u2028", "\x0b", "## Task Dependency Graph\n",
    '{"waves": [["1"]]}', "1 → 2", "Wave 1: 1", "[NEEDS CLARIFICATION: x]", "| R1 | x |", "ü", "任务", "9" * 30,
]  # fmt: skip


def mutated(seed: int) -> str:
    """A fixture with pieces of others put in and cut out."""
    chance = random.Random(seed)
    text = chance.choice(TEXTS)
    for _ in range(chance.randint(1, 12)):
        start = chance.randint(0, len(text))
        end = min(len(text), start + chance.choice([0, 0, 1, 5, 80]))
        text = text[:start] + chance.choice([*PIECES, chance.choice(TEXTS)[:200]]) + text[end:]
    return text


texts = st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=40).map("".join), st.integers().map(mutated))


def tasks_of(parser: str, text: str) -> tuple[TaskDefinition, ...]:
    parsed = PARSERS[parser](text)
    assert isinstance(parsed, SpecDefinition)
    return parsed.tasks


def spans(parsed: Parsed) -> Iterator[Span]:
    yield from (problem.span for problem in parsed.problems)
    if isinstance(parsed, RequirementsDocument):
        yield from (item.span for item in parsed.requirements)
        return
    yield from (mention.span for mention in parsed.mentions)
    for task in parsed.tasks:
        yield task.span
        yield from (mention.span for mention in task.mentions)


def lengths(text: str) -> list[int]:
    return [len(row) for row in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]


@pytest.mark.parametrize("parser", PARSERS)
@given(text=texts)
def test_any_text_is_read_and_every_span_lies_inside(parser: str, text: str) -> None:
    rows = lengths(text)
    parsed = PARSERS[parser](text)
    for span in spans(parsed):
        assert 0 <= span.start_line <= span.end_line < len(rows)
        assert 0 <= span.start_column <= rows[span.start_line]
        assert span.end_column <= rows[span.end_line]
        assert (span.start_line, span.start_column) <= (span.end_line, span.end_column)
    names = [item.id for item in (parsed.requirements if isinstance(parsed, RequirementsDocument) else parsed.tasks)]
    assert len(set(names)) == len(names)
    assert PARSERS[parser](text) == parsed


@given(text=texts)
def test_parents_stand_before_their_children_and_are_no_leaves(text: str) -> None:
    for parser in ("spec", "kiro", "spec kit"):
        tasks = tasks_of(parser, text)
        seen: dict[str, bool] = {}
        for task in tasks:
            assert task.parent is None or seen[task.parent] is False
            seen[task.id] = task.is_leaf
        parents = {task.parent for task in tasks}
        assert all(task.is_leaf == (task.id not in parents) for task in tasks)


@given(text=texts)
def test_mentions_say_what_stands_there(text: str) -> None:
    rows = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for task in parse_spec("specs/01-x.md", text).tasks:
        for mention in task.mentions:
            assert rows[mention.line][mention.column : mention.span.end_column] == mention.text


@given(text=texts, seed=st.integers())
def test_whatever_is_written_reads_back(text: str, seed: int) -> None:
    for parser in ("spec", "spec kit"):
        tasks = tasks_of(parser, text)
        if tasks:
            task = random.Random(seed).choice(tasks)
            changed = set_checkbox(text, task, not task.ticked)
            assert sum(a != b for a, b in zip(text, changed, strict=True)) == 1
            ticks = [found.ticked for found in tasks_of(parser, changed)]
            assert ticks == [found.ticked != (found.id == task.id) for found in tasks]
    assert set_front_matter(set_front_matter(text, "title", "x"), "title", "x") == set_front_matter(text, "title", "x")
    assert "new body" in replace_section(text, "Tasks", "new body")


@given(st.lists(texts, max_size=4))
def test_a_graph_and_its_checks_come_from_any_texts(documents: list[str]) -> None:
    specs = [parse_spec(f"specs/{number:02d}-x.md", text) for number, text in enumerate(documents)]
    graph, problems = build_graph(specs)
    assert set(graph.depends) == set(graph.order)
    checked = check_requirements(specs, [parse_requirements("requirements.md", text) for text in documents])
    paths = {"requirements.md", *(spec.path for spec in specs)}
    assert paths.issuperset(problem.path for problem in (*problems, *checked))


HOSTILE: dict[str, Callable[[int], str]] = {
    "spaces": lambda n: "- [ ] 1. a\n  - _Requirements: " + " " * n + "x",
    "brackets": lambda n: "- [ ] T1 " + "[P] [US1] " * n,
    "open brackets": lambda n: "- " + "[" * n,
    "number": lambda n: "- [ ] " + "1." * n + "x",
    "digits": lambda n: "- [ ] " + "1" * n + "x",
    "commas": lambda n: "- [ ] 1. a\n  - _Depends: " + "1.1, " * n + "_",
    "range": lambda n: "- [ ] 1. a\n  - _Requirements: " + "R-" * n + "1",
    "letters": lambda n: "- " + "a-" * n + "1:",
    "backticks": lambda n: "- [ ] 1. a\n  - _Verify: " + "` `` " * n + "_",
    "underscores": lambda n: "- [ ] 1. a\n  - " + "_*" * n,
    "hashes": lambda n: "#" * n + "\n" + "# " + "#" * n + " x",
    "colons": lambda n: "---\nid: " + ":" * n + "\n---\n",
    "front matter": lambda n: "---\ndepends_on: [" + " " * n + '"\nrequirements: {' + " " * n + "a\n---\n",
    "quotes": lambda n: '---\ntitle: "' + "\\" * n + "\n---\n",
    "keys": lambda n: "---\n" + "key: [a, b]\n" * n + "---\n",
    "fences": lambda n: "```\n" * n,
    "comments": lambda n: "<!--" * n + "\n-->" * n,
    "clarifications": lambda n: "- [NEEDS CLARIFICATION" * n,
    "shall": lambda n: "- WHEN " + "SHALL " * n,
    "words": lambda n: "- " + "word " * n,
    "table": lambda n: "|" * n + "\n| R1 " + "| x " * n,
    "items": lambda n: "- a\n" * n,
    "same number": lambda n: "- [ ] 1. a\n" * n,
    "nested": lambda n: "".join("  " * (i % 50) + "- [ ] a\n" for i in range(n)),
    "arrows": lambda n: "- [ ] 1. a\n## Task Dependency Graph\n" + "1 → " * n,
    "waves": lambda n: '- [ ] 1. a\n## Task Dependency Graph\n{"waves": [' + '["1"],' * n + '["1"]]}',
    "wrapped requirements": lambda n: "- [ ] 1. a\n  - _Requirements: " + "R1.1,\n    " * n + "R2_\n",
    "wrapped without end": lambda n: "- [ ] 1. a\n" + "  - _Depends: 1,\n    " * n,
    "wrapped commands": lambda n: "- [ ] 1. a\n  - _Verify: " + "`a\n    b`, " * n + "_\n",
    "wide waves": lambda n: (
        "".join(f"- [ ] {i}. a\n" for i in range(n // 8))
        + '## Task Dependency Graph\n{"waves": ['
        + ", ".join(json.dumps([str(i) for i in half]) for half in (range(n // 16), range(n // 16, n // 8)))
        + "]}"
    ),
    "wide phases": lambda n: "".join(
        f"## Phase {phase}: x\n" + "".join(f"- [ ] T{phase}{i:05} [P] a\n" for i in range(n // 16)) for phase in (1, 2)
    ),
    "optional parents": lambda n: "".join("  " * (i % 40) + "- [ ]* a\n" for i in range(n // 20)),
    "headings": lambda n: "## R1 a\n" * n,
    "parallel": lambda n: "".join(f"- [ ] T{i} [P] a\n" for i in range(n)),
}
"""Text of about n bytes by name; each has blown up some parser of this kind."""


def cpu(parse: Callable[[str], object], text: str) -> float:
    """The best of three, in seconds of this process."""
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        parse(text)
        best = min(best, time.process_time() - start)
    return best


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("parser", PARSERS)
def test_four_times_the_text_costs_no_sixteen_times_the_time(parser: str, hostile: str) -> None:
    small, large = HOSTILE[hostile](1000), HOSTILE[hostile](4000)
    # A quadratic parser takes 16 times as long; ten leaves room for a noisy machine and 2 ms for fixed costs.
    assert cpu(PARSERS[parser], large) <= 10 * cpu(PARSERS[parser], small) + 0.002
