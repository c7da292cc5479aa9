"""Lets a reviewer with read-only tools decide on a task without verify command. Refuses citations that do not exist."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from specloom.agent import loop
from specloom.agent.briefing import spec_section
from specloom.agent.ports import Halt
from specloom.agent.replay import answer_of
from specloom.agent.roles import RoleName
from specloom.agent.session import Conversation, SessionSetup, content_json, say
from specloom.domain.events import Event, agents
from specloom.domain.evidence import Evidence, EvidenceKind, FileDigest
from specloom.domain.ids import AgentId, AttemptId, Digest, spec_of
from specloom.domain.spec import TaskDefinition
from specloom.engine.abandoning import end_sessions
from specloom.engine.asker import DeskAsker
from specloom.engine.briefings import spec_shown
from specloom.engine.context import EngineContext
from specloom.engine.gate import RunGate
from specloom.engine.hands import NO_CALL, SessionHands
from specloom.engine.keeping import kept_ports
from specloom.engine.open_files import Recalled
from specloom.engine.verification.evidence import digests
from specloom.llm.errors import ProviderFault
from specloom.llm.messages import ToolUse
from specloom.tools.ports import ReadMemory, ToolContext
from specloom.tools.registry import ToolBox
from specloom.tools.tool import Effect, ToolOutcome
from specloom.workspace.ports import WorkspaceError

REVIEWER = AgentId("reviewer")

_CITATION = {
    "type": "object",
    "properties": {
        "requirement": {"type": "string", "description": "Id of the requirement, or the task id if it has none."},
        "path": {"type": "string", "description": "File, relative to the root."},
        "line": {"type": "integer", "minimum": 1, "description": "Line number as read_file shows it."},
    },
    "required": ["requirement", "path", "line"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Review:
    """A reviewer's verdict."""

    passed: bool
    evidence: Evidence


@dataclass(slots=True)
class SubmitReview:
    """The tool by which a reviewer answers; keeps the accepted answer."""

    task: TaskDefinition
    answer: Mapping[str, Any] = field(default_factory=dict[str, Any])
    name: str = "submit_review"
    description: str = (
        "Gives your verdict and ends the review. `pass` needs one citation for each requirement of the task; "
        "each cited line must exist. Refused with the reason otherwise; then look again and call it once more."
    )
    input_schema: Mapping[str, Any] = field(
        default_factory=lambda: {
            "type": "object",
            "properties": {
                "verdict": {"type": "string", "enum": ["pass", "fail"]},
                "citations": {"type": "array", "items": _CITATION},
                "summary": {"type": "string", "description": "What is there, or exactly what is missing and where."},
            },
            "required": ["verdict", "citations", "summary"],
            "additionalProperties": False,
        }
    )
    effect: Effect = Effect.CONTROL

    async def run(self, values: Mapping[str, Any], context: ToolContext) -> ToolOutcome:
        """Accepts a verdict whose citations exist and, for a pass, cover every requirement."""
        cited = cast("list[dict[str, Any]]", values["citations"])
        faults = [fault for item in cited if (fault := await _fault(item, context))]
        if values["verdict"] == "pass":
            covered = {str(item["requirement"]) for item in cited}
            wanted = self.task.requirements or (self.task.id,)
            faults += [f"no citation for {name}" for name in wanted if name not in covered and self.task.requirements]
            faults += ["cite at least one place"] if not cited else []
        if faults:
            listed = "\n".join(f"- {fault}" for fault in faults)
            return ToolOutcome(f"not accepted:\n{listed}\nMend these and call submit_review again", is_error=True)
        self.answer = values
        return ToolOutcome("accepted", ends=True)


async def _fault(citation: Mapping[str, Any], context: ToolContext) -> str:
    path, line = str(citation["path"]), int(citation["line"])
    try:
        text = (await context.files.read(path)).text
    except WorkspaceError as error:
        return str(error)
    lines = text.splitlines()
    if line > len(lines):
        return f"{path} has {len(lines)} lines, there is no line {line}"
    return "" if lines[line - 1].strip() else f"line {line} of {path} is empty; cite the line that fulfils it"


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Runs one review."""

    engine: EngineContext
    gate: RunGate
    task: TaskDefinition
    attempt: AttemptId
    files: tuple[str, ...]
    """What the task changed."""
    recorded: tuple[Event, ...] = ()
    """Of a reviewer whom an earlier process asked about the same claim."""

    async def review(self) -> Review | Halt:
        """The verdict. A reviewer that gives none counts as a fail that says so."""
        submit = SubmitReview(self.task)
        box = self.engine.box(RoleName.REVIEWER).with_tools(submit)
        if await self._gave(submit, box):
            return await self._verdict(submit.answer)
        outcome = await self._session(box)
        if isinstance(outcome, loop.Halted):
            return outcome.halt
        # A review that fits into no window is the trouble of its task, and no other's.
        if isinstance(outcome, loop.Faulted) and outcome.error.fault is not ProviderFault.TOO_LARGE:
            return Halt("fault", str(outcome.error))
        if submit.answer:
            return await self._verdict(submit.answer)
        label, reason = loop.describe(outcome)
        summary = f"the reviewer gave no verdict ({label}): {reason}"
        return Review(False, Evidence(EvidenceKind.REVIEWER, self.engine.clock.now(), self.attempt, summary=summary))

    async def _gave(self, submit: SubmitReview, box: ToolBox) -> bool:
        """Whether a verdict is in the log already, on files that are still as that reviewer was shown them."""
        if not self.recorded:
            return False
        await end_sessions(self.engine, self.task.id, self.attempt, "interrupted: Specloom was stopped")
        seen: dict[str, Digest] = {}
        calls: list[ToolUse] = []
        for event in self.recorded:
            if isinstance(event, agents.ToolSettled):
                seen.update(event.shown)
            elif isinstance(event, agents.TurnFinished):
                calls += [call for call in answer_of(event).tool_uses if call.name == submit.name]
        if calls and await digests(self.engine.workspace, seen) == seen:
            await self._hands(self._setup(box), box).run(calls[-1])
        return bool(submit.answer)

    def _setup(self, box: ToolBox) -> SessionSetup:
        return self.engine.setup(RoleName.REVIEWER, REVIEWER, box, self.attempt, self.task.id)

    async def _session(self, box: ToolBox) -> loop.SessionOutcome:
        engine, setup = self.engine, self._setup(box)
        asking = engine.asking(RoleName.REVIEWER, REVIEWER)
        first = say(engine.options.redact(self._message()))
        asking.recorder.note(loop.started(setup), agents.MessageAdded(setup.id, content_json(first)))
        hands, conversation = self._hands(setup, box), Conversation([first])
        ports = engine.loop(asking, hands, self.gate.settled_by(asking.recorder))
        ports = kept_ports(engine, ports, hands, conversation, Recalled(hands.context.memory))
        return await loop.run_session(setup, conversation, ports)

    def _hands(self, setup: SessionSetup, box: ToolBox) -> SessionHands:
        engine = self.engine
        context = ToolContext(
            files=engine.workspace,
            asker=DeskAsker(engine.desk, engine.permits, RoleName.REVIEWER, REVIEWER, self.task.id, self.task.title),
            output=engine.output.command(setup.id, NO_CALL),
            memory=ReadMemory(),
            agent=REVIEWER,
            session=setup.id,
            attempt=self.attempt,
            task=self.task.id,
            call=NO_CALL,
            environment=engine.options.environment,
        )
        return SessionHands(box, context, engine.output)

    def _message(self) -> str:
        task, number = self.task, self.engine.state.record(self.task.id).attempts
        named = (self.engine.library.requirement(name, spec_of(task.id)) for name in task.requirements)
        requirements = "\n\n".join(f"**{item.id}** {item.text}" for item in named if item is not None)
        details = "\n".join(f"- {line}" for line in task.details)
        changed = "\n".join(f"- {path}" for path in self.files) or "- none"
        parts = (
            f"# Review task {task.id} (attempt {number}): {task.title}",
            details,
            f"## Requirements, verbatim\n\n{requirements or 'It names none.'}",
            f"## Files that the task changed\n\n{changed}",
            spec_section(*spec_shown(self.engine, task.id)),
        )
        return "\n\n".join(part for part in parts if part)

    async def _verdict(self, answer: Mapping[str, Any]) -> Review:
        cited = cast("list[dict[str, Any]]", answer["citations"])
        places = ", ".join(f"{item['requirement']} at {item['path']}:{item['line']}" for item in cited)
        behind = dict.fromkeys([*self.files, *(str(item["path"]) for item in cited)])
        present = await digests(self.engine.workspace, behind)
        evidence = Evidence(
            EvidenceKind.REVIEWER,
            self.engine.clock.now(),
            self.attempt,
            summary=str(answer["summary"]) + (f" ({places})" if places else ""),
            files=tuple(FileDigest(path, digest) for path, digest in present.items()),
        )
        return Review(answer["verdict"] == "pass", evidence)
