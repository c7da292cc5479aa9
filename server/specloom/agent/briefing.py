"""The first message of an attempt, made of data; what an executor said stands there as its claim and bounded.

Refuses summaries: the task, the text of its spec, each named requirement, a person's words, what earlier tasks proved,
and the last failed verification stand there verbatim.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from specloom.domain.evidence import Evidence, EvidenceKind
from specloom.domain.ids import TaskId
from specloom.domain.project import Word
from specloom.domain.requirement import Requirement
from specloom.domain.spec import TaskDefinition

RAN_SHOWN = 20
"""Commands of the last attempt that another one is told of."""
CLAIM_SHOWN = 400
"""Characters of a claim that another session is shown."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What is known of a task that this one depends on, or that is done in the same spec."""

    task: TaskId
    title: str
    state: str
    evidence: tuple[Evidence, ...]
    paths: tuple[str, ...]
    """Files that it changed."""
    claim: str = ""
    """What its executor said of it at the end; empty also where this task does not depend on it."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A command of the agent and what came of it the last time."""

    command: str
    told: str
    """The exit code, or why there is none."""
    output: str = ""


@dataclass(frozen=True, slots=True)
class LastAttempt:
    """What is known of the attempts before this one."""

    feedback: str = ""
    """What the last verification or reviewer said; empty where there was none."""
    claim: str = ""
    """What the executor of the last attempt said last."""
    paths: tuple[str, ...] = ()
    """Files that the attempts at this task have changed so far."""
    released: str = ""
    """Why the last attempt ended without a verification; empty where it got one."""
    ran: tuple[Ran, ...] = ()
    """Its commands, oldest first."""


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
    last: LastAttempt | None
    """`None`: nothing failed yet."""
    instructions: tuple[tuple[str, str], ...]
    """Path and text of the AGENTS.md files that apply."""
    files: tuple[str, ...]
    """Paths in the root, bounded."""
    files_left_out: int = 0
    words: tuple[Word, ...] = ()
    """All that people said to the agents of this task, in this attempt and those before."""


def render(briefing: Briefing) -> str:
    """The message as Markdown."""
    task = briefing.task
    parts = [
        f"# Task {task.id} (attempt {briefing.number}): {task.title}",
        _details(task),
        _section("Requirements that this task serves, verbatim", _requirements(briefing)),
        _section("How it will be verified", _verify(briefing.verify)),
        _section("What the user has said about this task, verbatim", _words(briefing.words)),
        *_past(briefing.last, briefing.verify),
        _section("Tasks that this one builds on", _proofs(briefing.dependencies)),
        *(_section(f"Instructions from {path}", text.strip()) for path, text in briefing.instructions),
        spec_section(briefing.spec_path, briefing.spec_text),
        _section("Files in the project", _files(briefing)),
    ]
    return "\n\n".join(part for part in parts if part)


def spec_section(path: str, text: str) -> str:
    """The spec as sessions that work on one of its tasks are shown it."""
    return _section(f"The spec, {path}", f"<spec>\n{text.strip()}\n</spec>")


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


def _words(words: Iterable[Word]) -> str:
    return "\n\n".join(
        f"Attempt {word.attempt}, session {word.session}, {word.about}:\n\n{fenced(word.words)}" for word in words
    )


def fenced(text: str) -> str:
    """A text as it is, in a fence that it cannot close."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"


def _past(last: LastAttempt | None, verify: tuple[str, ...]) -> Iterable[str]:
    """Sections on the attempts before this one."""
    if last is None:
        return
    failed, released = _joined(last.feedback, _others(last.feedback, verify)), _released(last)
    if last.released:
        yield _section("The last attempt ended before it was verified", released)
        yield _section("The last verification, of an attempt before that one, failed", failed)
    else:
        yield _section("The last attempt failed its verification", _joined(failed, released))


def _released(last: LastAttempt) -> str:
    changed, said = ", ".join(last.paths) or "none", "said last" if last.released else "had claimed"
    return _joined(
        f"It ended: {last.released}" if last.released else "",
        f"Files changed by the attempts so far, which stand as they left them: {changed}",
        f"The executor {said} (its own words, unverified): {_bounded(last.claim)}" if last.claim else "",
        _commands(last.ran),
    )


def _commands(ran: tuple[Ran, ...]) -> str:
    if not ran:
        return ""
    more = [f"- {len(ran) - RAN_SHOWN} earlier commands not shown here"] if len(ran) > RAN_SHOWN else []
    return "\n".join(
        [
            "Its commands, and how each ended when it ran last:\n",
            *more,
            *(f"- {told(item)}" for item in ran[-RAN_SHOWN:]),
        ]
    )


def told(ran: Ran) -> str:
    """A command and what came of it, on one line."""
    line = " ".join(ran.command.split())
    code = f"`{line}`" if "`" not in line else f"`` {line} ``"
    return f"{code}: {ran.told}"


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


def _others(feedback: str, verify: tuple[str, ...]) -> str:
    """What became of the commands around the one that failed: they run in order, up to the first failure."""
    failed = next((at for at, command in enumerate(verify) if feedback.startswith(f"`{command}` ")), None)
    if failed is None or len(verify) == 1:
        return ""
    words = [f"`{command}` passed" for command in verify[:failed]]
    words += [f"`{command}` was not run any more" for command in verify[failed + 1 :]]
    return f"Of the other verify commands: {', '.join(words)}"


def _proofs(proofs: tuple[Proof, ...]) -> str:
    listed = "\n".join(_proof(proof) for proof in proofs)
    if not any(proof.claim for proof in proofs):
        return listed
    return f"What executors said of their own work is quoted behind `said:`; nobody verified it.\n\n{listed}"


def _proof(proof: Proof) -> str:
    changed = f"; files: {', '.join(proof.paths)}" if proof.paths else ""
    said = f"\n  said: {_bounded(proof.claim)}" if proof.claim else ""
    return f"- {proof.task} {proof.title}: {proof.state}{_vouched(proof.evidence)}{changed}{said}"


def _bounded(claim: str) -> str:
    line = " ".join(claim.split())
    return line if len(line) <= CLAIM_SHOWN else f"{line[: CLAIM_SHOWN - 1]}…"


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
