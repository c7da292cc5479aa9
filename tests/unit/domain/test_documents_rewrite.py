"""Writing into documents changes what is meant and not a byte more."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.domain.documents.lines import find_section, scan, split_rows
from specloom.domain.documents.rewrite import replace_section, set_checkbox, set_front_matter
from specloom.domain.documents.spec_kit import parse_spec_kit
from specloom.domain.documents.specs import parse_spec
from specloom.domain.spec import SpecDefinition, SpecStatus

FIXTURES = Path(__file__).parents[2] / "fixtures" / "documents"
OURS = (FIXTURES / "specloom_spec.md").read_text()
KIT = (FIXTURES / "spec_kit_tasks.md").read_text()
eols = st.sampled_from(["\n", "\r\n", "\r"])
marks = st.sampled_from(["", "\ufeff"])


def parse(text: str) -> SpecDefinition:
    return parse_spec("specs/02-x.md", text)


def parse_kit(text: str) -> SpecDefinition:
    return parse_spec_kit("001-x", "specs/001-x/tasks.md", text, None)


@given(eol=eols, mark=marks, kit=st.booleans(), data=st.data())
def test_a_tick_changes_one_character(eol: str, mark: str, kit: bool, data: st.DataObject) -> None:
    text = mark + (KIT if kit else OURS).replace("\n", eol)
    read = parse_kit if kit else parse
    before = read(text).tasks
    place = data.draw(st.integers(0, len(before) - 1))
    ticked = not before[place].ticked
    changed = set_checkbox(text, before[place], ticked)
    differing = [(a, b) for a, b in zip(text, changed, strict=True) if a != b]
    assert [b for _, b in differing] == [("X" if kit else "x") if ticked else " "]
    after = read(changed).tasks
    assert after == before
    assert [task.ticked for task in after] == [task.ticked != (i == place) for i, task in enumerate(before)]


@pytest.mark.parametrize("mark", [" ", "x", "X", "-", "~"])
def test_a_tick_that_is_already_there_changes_nothing(mark: str) -> None:
    text = f"- [{mark}] 1. a"
    (task,) = parse(text).tasks
    assert set_checkbox(text, task, task.ticked) == text


@pytest.mark.parametrize("text", ["", "# other\n", "- [ ] 1. other words", "text"])
def test_a_task_of_another_text_is_refused(text: str) -> None:
    (task,) = parse("- [ ] 1. a").tasks
    with pytest.raises(ValueError, match="read the document again"):
        set_checkbox(text, task, ticked=True)


@given(eol=eols, mark=marks, value=st.one_of(st.text(min_size=1), st.lists(st.text(min_size=1))))
def test_setting_a_key_keeps_all_other_lines(eol: str, mark: str, value: str | list[str]) -> None:
    text = mark + OURS.replace("\n", eol)
    for key in ("depends_on", "unheard_of"):
        changed = set_front_matter(text, key, value)
        body = OURS.replace("\n", eol).split(f"---{eol}", 2)[2]
        assert changed.startswith(mark + "---" + eol)
        assert changed.endswith(f"---{eol}{body}")
        kept = [row for row in split_rows(text) if not row.startswith(key)]
        rows = split_rows(changed)
        assert [row for row in rows if row in kept] == kept
        assert set_front_matter(changed, key, value) == changed
        if key == "unheard_of":
            assert set_front_matter(changed, key, None) == text


@given(eol=eols, mark=marks)
def test_front_matter_is_made_where_there_is_none(eol: str, mark: str) -> None:
    text = f"{mark}# Title{eol}"
    changed = set_front_matter(text, "status", "generating")
    assert changed == f"{mark}---{eol}status: generating{eol}---{eol}# Title{eol}"
    assert parse(changed).status is SpecStatus.GENERATING
    assert set_front_matter(text, "status", None) == text


def test_a_block_list_is_replaced_whole() -> None:
    text = "---\nid: 1\ndepends_on:\n  - 01\n  - 02\ntitle: x\n---\n"
    assert set_front_matter(text, "depends_on", ["03"]) == '---\nid: 1\ndepends_on: ["03"]\ntitle: x\n---\n'
    assert set_front_matter(text, "depends_on", None) == "---\nid: 1\ntitle: x\n---\n"


lines = st.text(st.characters(exclude_characters="\r\n#`~<-\ufeff", exclude_categories=["Cs"])).filter(str.strip)


@given(eol=eols, body=st.lists(lines, min_size=1), heading=st.sampled_from(["Purpose", "use cases", "Dependencies"]))
def test_a_section_is_replaced_and_the_others_stay(eol: str, body: list[str], heading: str) -> None:
    text = OURS.replace("\n", eol)
    section = find_section(scan(text), heading)
    assert section is not None
    rows = split_rows(text)
    changed = replace_section(text, heading, "\n".join(body))
    new_rows = split_rows(changed)
    assert new_rows[: section.start + 1] == rows[: section.start + 1]
    assert new_rows[section.start + 2 : section.start + 2 + len(body)] == body
    rest = rows[section.end :]
    assert new_rows[len(new_rows) - len(rest) :] == rest
    assert replace_section(changed, heading, "\n".join(body)) == changed
    assert changed.count(eol) == len(new_rows) - 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "## Tasks\n\n- [ ] 1. a\n"),
        ("# T", "# T\n\n## Tasks\n\n- [ ] 1. a\n"),
        ("# T\r\n", "# T\r\n\r\n## Tasks\r\n\r\n- [ ] 1. a\r\n"),
        ("## Tasks", "## Tasks\n\n- [ ] 1. a\n"),
        ("## tasks\nold\n# Next\n", "## tasks\n\n- [ ] 1. a\n\n# Next\n"),
    ],
)
def test_a_section_is_made_where_there_is_none(text: str, expected: str) -> None:
    assert replace_section(text, "Tasks", "- [ ] 1. a\n") == expected


def test_an_empty_body_empties_the_section() -> None:
    assert replace_section("# A\nx\n# B\n", "A", "") == "# A\n\n# B\n"
