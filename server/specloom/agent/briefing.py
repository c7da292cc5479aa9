"""The first message of an attempt, made of data: nothing in it was written by a model about this task.

Refuses summaries: the task, its whole spec, each named requirement, what its dependencies proved, and the last failed
verification stand there verbatim.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from specloom.domain.evidence import Evidence, EvidenceKind
from specloom.domain.ids import TaskId
from specloom.domain.requirement import Requirement
from specloom.domain.spec import TaskDefinition


@dataclass(frozen=True, slots=True)
class Proof:
    """What is known of a task that this one depends on."""

    task: TaskId
    title: str
    state: str
    evidence: tuple[Evidence, ...]
    paths: tuple[str, ...]
    """Files that it changed."""


@dataclass(frozen=True, slots=True)
class Briefing:
    """Everything that an attempt's first request holds."""

    task: TaskDefinition
    number: int
    """1 for the first attempt."""
    spec_path: str
    spec_text: str
    requirements: tuple[Requirement, ...]
    missing: tuple[str, ...]
    """Requirement ids that the task names and no document has."""
    dependencies: tuple[Proof, ...]
    verify: tuple[str, ...]
    feedback: str
    instructions: tuple[tuple[str, str], ...]
    """Path and text of the AGENTS.md files that apply."""
    files: tuple[str, ...]
    """Paths in the root, bounded."""
    files_left_out: int = 0


def render(briefing: Briefing) -> str:
    """The message as Markdown."""
    task = briefing.task
    parts = [
        f"# Task {task.id} (attempt {briefing.number}): {task.title}",
        _details(task),
        _section("Requirements that this task serves, verbatim", _requirements(briefing)),
        _section("How it will be verified", _verify(briefing.verify)),
        _section("The last attempt failed its verification", briefing.feedback) if briefing.feedback else "",
        _section("Tasks that this one builds on", "\n".join(_proof(proof) for proof in briefing.dependencies)),
        *(_section(f"Instructions from {path}", text.strip()) for path, text in briefing.instructions),
        _section(f"The whole spec, {briefing.spec_path}", f"<spec>\n{briefing.spec_text.strip()}\n</spec>"),
        _section("Files in the project", _files(briefing)),
    ]
    return "\n\n".join(part for part in parts if part)


def _section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}" if body.strip() else ""


def _details(task: TaskDefinition) -> str:
    return "\n".join(f"- {line}" for line in task.details)


def _requirements(briefing: Briefing) -> str:
    known = [f"**{item.id}** {item.text}" for item in briefing.requirements]
    missing = [f"**{name}** (no document has a requirement of this id)" for name in briefing.missing]
    return "\n\n".join([*known, *missing])


def _verify(commands: Iterable[str]) -> str:
    listed = "\n".join(f"- `{command}`" for command in commands)
    if listed:
        return f"Specloom runs these in the root when you claim the task; each must exit with 0.\n\n{listed}"
    return "There is no verify command: a reviewer reads the code and cites a place for each requirement."


def _proof(proof: Proof) -> str:
    changed = f"; files: {', '.join(proof.paths)}" if proof.paths else ""
    return f"- {proof.task} {proof.title}: {proof.state}{_vouched(proof.evidence)}{changed}"


def _vouched(evidence: tuple[Evidence, ...]) -> str:
    words = [
        f"`{item.command}` exited with {item.exit_code}" if item.kind is EvidenceKind.COMMAND else f"by {item.kind}"
        for item in evidence
    ]
    return f" ({', '.join(words)})" if words else ""


def _files(briefing: Briefing) -> str:
    if not briefing.files:
        return "There are none yet."
    listed = "\n".join(briefing.files)
    more = f"\n… and {briefing.files_left_out} more; `list_directory` shows them" if briefing.files_left_out else ""
    return f"```\n{listed}\n```{more}"
