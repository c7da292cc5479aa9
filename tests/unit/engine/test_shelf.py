"""What has not changed is not parsed again, and nothing that has changed is missed."""

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from specloom.domain.documents.layouts import SpecSource
from specloom.domain.problem import Problem
from specloom.domain.spec import Layout
from specloom.engine.shelf import EMPTY_SHELF, Found, Shelf, only_words_differ, parse

HEAD = '---\nid: "{}"\ntitle: T\ndepends_on: []\nrequirements: [R1.1]\n---\n\n## Tasks\n\n'
FIRST, SECOND = "specs/01-a.md", "specs/02-b.md"
TEXTS = {
    "requirements.md": "# R\n\n- R1.1 THE program SHALL run.\n",
    FIRST: HEAD.format("01") + "- [ ] 1 One\n  - _Verify: `true`_\n",
    SECOND: HEAD.format("02") + "- [ ] 1 Two\n",
}


def found(texts: Mapping[str, str], *faults: Problem) -> Found:
    """A reading of our layout."""
    sources = tuple(SpecSource(Layout.SPECLOOM, path) for path in sorted(texts) if path.startswith("specs/"))
    return Found(Layout.SPECLOOM, ("requirements.md",), sources, dict(texts), faults)


def test_an_unchanged_project_is_the_same_shelf() -> None:
    before = parse(found(TEXTS), EMPTY_SHELF)
    assert parse(found(TEXTS), before) is before


def test_only_the_changed_document_is_parsed_again() -> None:
    before = parse(found(TEXTS), EMPTY_SHELF)
    after = parse(found(TEXTS | {FIRST: TEXTS[FIRST].replace("One", "Uno")}), before)
    assert after.specs[FIRST].tasks[0].title == "Uno"
    assert after.specs[SECOND] is before.specs[SECOND]
    assert after.requirements["requirements.md"] is before.requirements["requirements.md"]


def test_a_change_that_only_moves_lines_makes_a_shelf_with_the_new_places() -> None:
    before = parse(found(TEXTS), EMPTY_SHELF)
    after = parse(found(TEXTS | {FIRST: TEXTS[FIRST].replace("## Tasks", "A word.\n\n## Tasks")}), before)
    assert after is not before
    assert after.specs[FIRST].tasks[0].line == before.specs[FIRST].tasks[0].line + 2


def test_a_problem_that_comes_or_goes_makes_another_shelf() -> None:
    before = parse(found(TEXTS), EMPTY_SHELF)
    after = parse(found(TEXTS, Problem("unreadable-document", "no access", "specs/03-c.md")), before)
    assert [problem.code for problem in after.problems] == ["unreadable-document"]
    assert parse(found(TEXTS), after).problems == ()


def test_the_text_beside_a_kiro_plan_counts_too() -> None:
    path, beside = ".kiro/specs/a/tasks.md", ".kiro/specs/a/design.md"
    source = SpecSource(Layout.KIRO, path, "a", None, beside)
    base = Found(Layout.KIRO, (), (source,), {path: "- [ ] 1. One\n", beside: "# Design\n"}, ())
    before = parse(base, EMPTY_SHELF)
    after = parse(replace(base, texts={**base.texts, beside: "# Another title\n"}), before)
    assert after.specs[path] is not before.specs[path]


edits = st.lists(
    st.tuples(st.sampled_from([FIRST, SECOND, "requirements.md"]), st.sampled_from(["", *TEXTS.values()])), max_size=6
)


@given(edits)
def test_a_shelf_that_was_kept_up_equals_one_that_was_parsed_afresh(edits: list[tuple[str, str]]) -> None:
    texts, shelf = dict(TEXTS), EMPTY_SHELF
    for path, text in edits:
        texts[path] = text
        if not text:
            del texts[path]
        shelf = parse(found(texts), shelf)
        assert _all(shelf) == _all(parse(found(texts), EMPTY_SHELF))
        texts = dict(TEXTS) | texts


def _all(shelf: Shelf) -> object:
    spans = [(task.id, task.span, task.ticked) for spec in shelf.specs.values() for task in spec.tasks]
    return shelf, spans, [spec.problems for spec in shelf.specs.values()]


def test_words_are_words_and_boxes_are_not() -> None:
    spec = parse(found(TEXTS), EMPTY_SHELF).specs[FIRST]
    (task,) = spec.tasks
    assert not only_words_differ(spec, spec)
    assert only_words_differ(spec, replace(spec, tasks=(replace(task, title="Uno"),)))
    assert not only_words_differ(spec, replace(spec, tasks=(replace(task, ticked=True),)))
    assert not only_words_differ(spec, replace(spec, tasks=(replace(task, verify=("false",)),)))
    assert not only_words_differ(spec, replace(spec, tasks=()))
