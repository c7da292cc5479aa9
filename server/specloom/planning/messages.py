"""The first message of each planner session, made of data. Refuses summaries: documents stand there verbatim."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from specloom.domain.requirement import Requirement
from specloom.domain.spec import SpecDefinition, TaskDefinition
from specloom.planning.checks import paths_in, slug_of
from specloom.planning.outline import Outline, PlannedSpec
from specloom.planning.ports import Known, PlanOrder
from specloom.planning.toolchain import toolchain

_PRESENT = "This spec as it stands, to be written anew"
_TOOLS = "Tools that tasks can be verified with"
_FILES = "Files in the project"
_PASSING = tuple(f"\n\n## {title}\n\n" for title in (_PRESENT, _TOOLS, _FILES))
"""Sections about what the plan itself changes while it goes on; they stand last."""


def lasting(message: str) -> str:
    """The part of a first message that has to be the same for its session to be of use still."""
    return message[: min((place for title in _PASSING if (place := message.find(title)) >= 0), default=len(message))]


def outline_message(order: PlanOrder) -> str:
    """Asks for the list of specs."""
    known = order.known
    return _joined(
        f"# Outline: {order.document.path}",
        _feedback(order.feedback),
        _section("The requirements document, verbatim", _quoted("requirements", order.text)),
        _section("Requirement ids, to be cited exactly", _ids(order.document.requirements)),
        _section("Specs that exist", _existing(known)),
        *_instructions(known),
        _section(_FILES, _listing(known)),
        "Look at the code if there is any, then call `submit_outline`.",
    )


@dataclass(frozen=True, slots=True)
class SpecBrief:
    """What the session that writes one spec has to know of the plan."""

    planned: PlannedSpec
    outline: Outline
    requirements: Sequence[Requirement]
    """Those that it serves."""
    lower: Sequence[str]
    """The texts of the specs that it depends on."""
    present: str = ""
    """Its sections as they stand, if it exists."""
    document: str = ""
    """The whole requirements document."""


def spec_message(brief: SpecBrief, known: Known, feedback: str = "") -> str:
    """Asks for the body of one spec."""
    planned = brief.planned
    depends = ", ".join(planned.depends_on) or "no other spec"
    lower = "\n\n".join(_quoted("spec", text) for text in brief.lower)
    return _joined(
        f"# Write spec {planned.id}: {planned.title}",
        f"{planned.summary}\n\nIt depends on {depends}.".strip(),
        _feedback(feedback),
        _section("Requirements that it serves", (_ids if brief.document else _verbatim)(brief.requirements) or "None."),
        _section("The whole requirements document", _quoted("requirements", brief.document) if brief.document else ""),
        _section("All specs of the plan", _outlined(brief.outline)),
        _section("The specs that it depends on, as they are written", lower),
        *_instructions(known),
        _section(_PRESENT, _quoted("spec", brief.present) if brief.present else ""),
        _section(_TOOLS, toolchain(known.files)),
        _section(_FILES, _listing(known)),
        "Answer with the four sections, beginning with `## Purpose`, and nothing else.",
    )


def tasks_message(
    written: tuple[SpecDefinition, str],
    requirements: Iterable[Requirement],
    lower: Iterable[SpecDefinition],
    known: Known,
    feedback: str = "",
) -> str:
    """Asks for the tasks of one spec, which is given with its text as it stands, its present tasks included."""
    spec, text = written
    return _joined(
        f"# Write the tasks of spec {spec.id}: {spec.title}",
        _feedback(feedback),
        _section("The spec", _quoted("spec", text)),
        _section("Requirements that it serves, verbatim", _verbatim(requirements)),
        _section("Tasks of this spec that are done or in progress", _kept(spec, known)),
        _section(
            "Tasks of lower specs, which are done before these, with the files they name", "\n".join(_listed(lower))
        ),
        *_instructions(known),
        _section(_TOOLS, toolchain(known.files)),
        _section(_FILES, _listing(known)),
        "Answer with the whole task list and nothing else.",
    )


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


def _section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}" if body.strip() else ""


def _quoted(tag: str, text: str) -> str:
    return f"<{tag}>\n{text.strip()}\n</{tag}>"


def _feedback(text: str) -> str:
    return _section("What the user wants otherwise, verbatim", text)


def _ids(requirements: Iterable[Requirement]) -> str:
    return "\n".join(f"- `{item.id}` {_short(item.text)}" for item in requirements)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 100 else f"{line[:99]}…"


def _verbatim(requirements: Iterable[Requirement]) -> str:
    return "\n\n".join(f"**{item.id}** {item.text}" for item in requirements) or "None."


def _existing(known: Known) -> str:
    return "\n".join(_existing_spec(spec, known) for spec in known.specs)


def _existing_spec(spec: SpecDefinition, known: Known) -> str:
    leaves = [task for task in spec.tasks if task.is_leaf]
    begun = sum(task.id in known.kept for task in leaves)
    refs = ", ".join(ref.id for ref in spec.requirements) or "none"
    depends = ", ".join(spec.depends_on) or "none"
    return (
        f'- id "{spec.id}", slug "{slug_of(spec.path)}", {spec.title}: depends on {depends}; '
        f"requirements {refs}; {len(leaves)} tasks, {begun} done or in progress"
    )


def _outlined(outline: Outline) -> str:
    return "\n".join(
        f"- {spec.id} {spec.title} (requirements {', '.join(spec.requirements) or 'none'}): {spec.summary}".rstrip(": ")
        for spec in outline.specs
    )


def _kept(spec: SpecDefinition, known: Known) -> str:
    kept = [task for task in spec.tasks if task.id in known.kept]
    return "\n".join(f"- {_titled(task)}" for task in kept)


def _listed(specs: Iterable[SpecDefinition]) -> Iterable[str]:
    return (
        f"- {spec.id}/{_titled(task)}{_proven(task)}{_files(task)}"
        for spec in specs
        for task in spec.tasks
        if task.is_leaf
    )


def _files(task: TaskDefinition) -> str:
    files = paths_in("\n".join((task.title, *task.details)))
    return f"; files: {', '.join(files)}" if files else ""


def _proven(task: TaskDefinition) -> str:
    return f", verified by {', '.join(f'`{command}`' for command in task.verify)}" if task.verify else ""


def _titled(task: TaskDefinition) -> str:
    return f"{task.number} {task.title}"


def _instructions(known: Known) -> Iterable[str]:
    return (_section(f"Instructions from {path}", text.strip()) for path, text in known.instructions)


def _listing(known: Known) -> str:
    files = "\n".join(known.files)
    more = f"\n… and {known.files_left_out} more; `list_directory` shows them" if known.files_left_out else ""
    return f"```\n{files}\n```{more}" if files else "There are none yet."
