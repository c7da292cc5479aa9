"""The outline of a plan as a value: its specs and what they serve. Refuses to judge it: `checks` does."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from specloom.domain.documents.findings import Names
from specloom.domain.ids import NO_DIGEST, RequirementId, SpecId
from specloom.domain.requirement import Requirement


@dataclass(frozen=True, slots=True)
class PlannedSpec:
    """One spec of the outline."""

    id: SpecId
    slug: str
    title: str
    summary: str
    depends_on: tuple[SpecId, ...] = ()
    requirements: tuple[RequirementId, ...] = ()
    rewrite: bool = False
    """The spec exists already and is to be written anew, done tasks aside."""

    @property
    def path(self) -> str:
        """Where a spec that does not exist yet will stand."""
        return f"specs/{self.id}-{self.slug}.md"


@dataclass(frozen=True, slots=True)
class Outline:
    """The specs in order, and what they leave out on purpose."""

    specs: tuple[PlannedSpec, ...]
    out_of_scope: tuple[tuple[RequirementId, str], ...] = ()
    """Requirement and the reason why no spec serves it."""


def read_outline(values: Mapping[str, Any], requirements: Iterable[Requirement]) -> Outline:
    """The outline that the input of `submit_outline` holds; `values` fit its schema."""
    known = tuple(item.id for item in requirements)
    left_out = cast("list[dict[str, str]]", values.get("out_of_scope", []))
    return Outline(
        tuple(_spec(item, known) for item in cast("list[dict[str, Any]]", values["specs"])),
        tuple((name, item["reason"].strip()) for item in left_out for name in covered(item["requirement"], known)),
    )


def outline_json(outline: Outline) -> str:
    """The outline as the input of `submit_outline`, in one form: equal outlines give equal texts."""
    specs = [
        {
            "id": spec.id,
            "slug": spec.slug,
            "title": spec.title,
            "summary": spec.summary,
            "depends_on": list(spec.depends_on),
            "requirements": list(spec.requirements),
            "rewrite": spec.rewrite,
        }
        for spec in outline.specs
    ]
    left_out = [{"requirement": name, "reason": reason} for name, reason in outline.out_of_scope]
    return json.dumps({"specs": specs, "out_of_scope": left_out}, ensure_ascii=False)


def stored_outline(text: str) -> Outline:
    """The outline that `outline_json` wrote."""
    values = cast("dict[str, Any]", json.loads(text))
    ids = {str(name) for spec in values["specs"] for name in spec["requirements"]}
    ids |= {str(item["requirement"]) for item in values["out_of_scope"]}
    return read_outline(values, (Requirement(RequirementId(name), "", NO_DIGEST) for name in sorted(ids)))


def covered(name: str, known: Iterable[RequirementId]) -> tuple[RequirementId, ...]:
    """The requirements that an id stands for: itself, else all below it; an unknown id stands for itself."""
    ids = tuple(known)
    stripped = name.strip()
    if stripped in ids:
        return (RequirementId(stripped),)
    below = tuple(item for item in ids if item.startswith((f"{stripped}.", f"{stripped}/")))
    return below or (RequirementId(stripped),)


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name."""
    near = Names(known).near(name)
    return f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(known) or 'none'}"


def _spec(item: Mapping[str, Any], known: tuple[RequirementId, ...]) -> PlannedSpec:
    named = (found for name in item["requirements"] for found in covered(str(name), known))
    return PlannedSpec(
        id=SpecId(str(item["id"]).strip()),
        slug=str(item["slug"]).strip(),
        title=" ".join(str(item["title"]).split()),
        summary=str(item["summary"]).strip(),
        depends_on=tuple(dict.fromkeys(SpecId(str(name).strip()) for name in item["depends_on"])),
        requirements=tuple(dict.fromkeys(named)),
        rewrite=bool(item.get("rewrite", False)),
    )
