"""A word means one project or none; where it may mean several, they are named."""

from hypothesis import given
from hypothesis import strategies as st

from specloom.domain.ids import ProjectId
from specloom.domain.known_projects import KnownProject, find_project, refused_alias
from specloom.domain.rejection import Rejected

WORDS = st.text("ab1", min_size=1, max_size=4)


@st.composite
def registries(draw: st.DrawFn) -> list[KnownProject]:
    """Ids and aliases that are near to each other, each alias given once."""
    ids = draw(st.lists(WORDS, max_size=6, unique=True))
    aliases = draw(st.lists(WORDS, min_size=len(ids), max_size=len(ids), unique=True))
    return [
        KnownProject(ProjectId(id_), f"/{id_}", id_, "", alias if draw(st.booleans()) else "")
        for id_, alias in zip(ids, aliases, strict=True)
    ]


@given(registries(), WORDS)
def test_a_word_finds_what_it_names_exactly_else_the_only_one_that_begins_so(
    known: list[KnownProject], word: str
) -> None:
    found = find_project(known, word)
    named = [item for item in known if word == item.id] or [item for item in known if word == item.alias]
    begun = [item for item in known if item.id.startswith(word) or item.alias.startswith(word)]
    if isinstance(found, KnownProject):
        assert [found] in (named, begun)
    else:
        assert len(named) != 1
        assert len(begun) != 1
        assert found.code == ("ambiguous-project" if begun else "unknown-project")
        assert not begun or all(item.root in found.message for item in begun)


@given(registries())
def test_every_project_is_found_by_its_id_and_nothing_by_no_word(known: list[KnownProject]) -> None:
    assert all(find_project(known, item.id) is item for item in known)
    assert isinstance(find_project(known, ""), Rejected)


@given(registries(), WORDS)
def test_an_alias_that_is_allowed_names_its_project_from_then_on(known: list[KnownProject], alias: str) -> None:
    if not known or refused_alias(known, known[0].id, alias) is not None:
        return
    first = known[0]
    renamed = KnownProject(first.id, first.root, first.name, "", alias)
    found = find_project([renamed, *known[1:]], alias)
    assert found is renamed


def test_an_alias_has_a_form_and_one_owner() -> None:
    one, two = (KnownProject(ProjectId(name), f"/{name}", name, "", name[:1]) for name in ("one", "two"))
    for wrong in ("Upper", "a b", "-a", "ä", "a" * 41):
        assert getattr(refused_alias([one, two], one.id, wrong), "code", "") == "invalid-alias"
    for taken in ("t", "two"):
        assert getattr(refused_alias([one, two], one.id, taken), "code", "") == "alias-taken"
    assert refused_alias([one, two], one.id, "") is None
    assert refused_alias([one, two], one.id, "o") is None
