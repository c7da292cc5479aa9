"""The projects that a machine knows, and which of them a word means. Refuses to guess between two."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from specloom.domain.ids import ProjectId
from specloom.domain.rejection import Rejected

_ALIAS = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
MOST_NAMED = 10
"""Candidates of a message."""


@dataclass(frozen=True, slots=True)
class KnownProject:
    """One project as this machine knows it."""

    id: ProjectId
    root: str
    """Real path of its folder."""
    name: str
    opened_at: str
    alias: str = ""
    """Empty: none."""
    archived: bool = False
    """Left out of lists; opened again, it is back."""
    orders: tuple[str, ...] = ()
    """Ids of the newest orders about it that were carried out."""


@dataclass(frozen=True, slots=True)
class ProjectOrder:
    """Who wants a project changed, and when."""

    at: str
    client: str | None = None
    id: str | None = None
    """The same id twice is one effect."""
    creates: bool = False
    opens: bool = False
    """Nobody said so: the root is hosted."""


ARCHIVED, TAKEN_OUT = "archived the project", "took the project out of the archive"


@dataclass(frozen=True, slots=True)
class ProjectAct:
    """What somebody changed about a project, for the audit trail: it stands in no log, since no log need be open."""

    project: ProjectId
    at: str
    client: str | None
    act: str
    subject: str = ""


def acts_of(before: KnownProject, after: KnownProject, order: ProjectOrder) -> tuple[ProjectAct, ...]:
    """What an order did; nothing for one that found everything as it wants it."""
    told: list[tuple[str, str]] = []
    if order.creates:
        told.append(("created the project", after.name))
    elif before.name != after.name:
        told.append(("renamed the project", f"{before.name} to {after.name}"))
    if before.alias != after.alias:
        given = ("gave the project an alias", after.alias)
        told.append(given if after.alias else ("took the project's alias away", before.alias))
    if before.archived != after.archived:
        told.append((ARCHIVED, "") if after.archived else (TAKEN_OUT, "by opening it" if order.opens else ""))
    return tuple(ProjectAct(after.id, order.at, order.client, act, subject) for act, subject in told)


def find_project(known: Collection[KnownProject], word: str) -> KnownProject | Rejected:
    """The project whose id or alias is `word`, else the only one that begins so."""
    exact = [item for item in known if word and word == item.id] or [item for item in known if word == item.alias != ""]
    found = exact or [item for item in known if word and (item.id.startswith(word) or item.alias.startswith(word))]
    if len(found) == 1:
        return found[0]
    if not found:
        return Rejected("unknown-project", f"There is no project {word!r}; name one by id or alias", _words(known))
    told = ", ".join(f"{_word(item)} ({item.root})" for item in found[:MOST_NAMED])
    return Rejected("ambiguous-project", f"{word!r} may be any of: {told}; say more of it", _words(found))


def refused_alias(known: Collection[KnownProject], project: ProjectId, alias: str) -> Rejected | None:
    """Why a project cannot be called so; an empty alias takes the one away that it has."""
    if alias and not _ALIAS.fullmatch(alias):
        wanted = "1 to 40 small letters, digits, dots, dashes and underscores, a letter or digit first"
        return Rejected("invalid-alias", f"{alias!r} is no alias; use {wanted}")
    taken = next((item for item in known if alias and item.id != project and alias in (item.alias, item.id)), None)
    if taken is not None:
        return Rejected("alias-taken", f"{alias!r} means the project in {taken.root} already; choose another")
    return None


def _word(item: KnownProject) -> str:
    return item.alias or item.id


def _words(known: Collection[KnownProject]) -> tuple[str, ...]:
    return tuple(sorted(_word(item) for item in known if not item.archived))[:MOST_NAMED]
