"""From one session of an attempt to the next: what is handed over, and in which order it is written down.

Refuses to lose anything on the way: the state is in the log before anybody is asked for words, an answer in the log is
not asked for twice, and sessions that change nothing come to an end.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from specloom.agent import briefing, handover, loop
from specloom.agent.ask import AskPorts
from specloom.agent.context.view import view_characters, whole_view
from specloom.agent.handover import Bounds, HandOver
from specloom.agent.ports import Halt
from specloom.agent.replay import replay
from specloom.agent.roles import RoleName, prompt
from specloom.agent.session import Conversation, SessionSetup, content_json, say
from specloom.agent.summary import fitting, tail, what_remains
from specloom.agent.window import WindowShares, WindowWatch, window_of
from specloom.domain.events import agents
from specloom.domain.ids import AgentId, AttemptId, SessionId, TaskId, spec_of
from specloom.engine.briefings import brief
from specloom.engine.context import EngineContext
from specloom.engine.gate import RunGate
from specloom.engine.history import AttemptHistory
from specloom.engine.journal import AttemptJournal
from specloom.engine.more_turns import more_turns
from specloom.engine.past_sessions import PastSessions
from specloom.engine.recorder import stream_of
from specloom.llm.messages import Text, ThinkingSetting, UserMessage
from specloom.tools.ports import ReadMemory
from specloom.tools.registry import ToolBox
from specloom.workspace.ports import TextSnapshot, WorkspaceError
from specloom.workspace.shell.agent_shell import AgentShell

SUMMARY_TOKENS = 2_048
SUMMARISER = "the summariser, who read the end of the conversation"
OVER = "the summariser's session was interrupted"


def window_watch(engine: EngineContext, asking: AskPorts) -> WindowWatch:
    """What looks after the window of an executor's session."""

    def shares() -> WindowShares:
        limits = engine.options.limits
        return WindowShares(limits.recommend_at, limits.rotate_at)

    return WindowWatch(asking.model, shares)


def within(engine: EngineContext, setup: SessionSetup) -> SessionSetup:
    """The limits of a session of an attempt: its turns count over all that it continues, one after the other."""
    used, earlier = 0, setup.previous
    while earlier is not None:
        session = engine.state.sessions[earlier]
        used, earlier = used + session.turns, session.previous
    return engine.limited(replace(setup, turns_before=used))


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that is in the log with its first message, and has not been asked yet."""

    setup: SessionSetup
    conversation: Conversation
    memory: ReadMemory
    """What its first message shows."""
    asking: AskPorts


@dataclass(frozen=True, slots=True)
class Rotation:
    """The way from a session of this attempt to the next."""

    engine: EngineContext
    gate: RunGate
    agent: AgentId
    task: TaskId
    attempt: AttemptId
    journal: AttemptJournal
    shell: AgentShell | None
    before: dict[str, bool]

    async def next(self, ended: loop.Rotated, history: AttemptHistory) -> Opened | loop.SessionOutcome:
        """The session that goes on, or why none does. `history`: as the log has it after the session ended."""
        limits, past = self.engine.options.limits, PastSessions.of(self.attempt, history.events)
        if past.turns >= self._most_turns:
            more = await more_turns(self.engine, self.gate, self.task, past.turns)
            if not isinstance(more, int):
                return loop.Halted(more)
            if not more:
                return loop.TurnLimit(past.turns)
        if past.fruitless >= limits.fruitless_sessions:
            return loop.Refused(
                f"{past.fruitless} sessions in a row ended without a change, and the last one because: {ended.reason}; "
                "make the task smaller, or choose a model with a larger window"
            )
        asking = self.engine.asking(RoleName.EXECUTOR, self.agent)
        prose = ended.remaining or await self._summary(history, past)
        if isinstance(prose, Halt):
            return loop.Halted(prose)
        return await self._open(ended, history, past, prose, asking)

    async def _summary(self, history: AttemptHistory, past: PastSessions) -> str | Halt:
        """Words for what remains; empty where the summariser has none."""
        of = past.sessions[-1].id
        known = past.summary(of)
        if known is not None and (known.ended or known.words is not None):
            return known.words or ""
        asking = self.engine.asking(RoleName.SUMMARISER, self.agent)
        await self._end_interrupted(of, past)
        await asyncio.to_thread(prompt, RoleName.SUMMARISER.value)
        window = await window_of(asking.model, self.engine.options.roles[RoleName.SUMMARISER].model)
        said = tail(replay(history.conversation).conversation.messages, fitting(window))
        if not said:
            return ""
        gate = self.gate.settled_by(asking.recorder)
        return await what_remains(self._summariser(of, past), self._about(), said, asking, gate)

    @property
    def _most_turns(self) -> int:
        return self.engine.options.limits.turns + self.engine.state.record(self.task).more_turns

    def _about(self) -> str:
        """The task in a few lines: all that is known of it fills a window too."""
        task, verify = self.engine.state.graph.tasks[self.task], self.engine.state.record(self.task).verify
        named = [f"Requirements: {', '.join(task.requirements)}"] if task.requirements else []
        proven = [f"Verified by: {', '.join(f'`{command}`' for command in verify)}"] if verify else []
        return "\n".join([f"{task.id} {task.title}", *(f"- {line}" for line in task.details), *named, *proven])

    async def _end_interrupted(self, of: SessionId, past: PastSessions) -> None:
        for session, summary in past.summaries.items():
            if summary.of == of and not summary.ended:
                ended = agents.SessionEnded(session, "cancelled", OVER)
                await self.engine.mailbox.record(ended, stream=stream_of(self.agent))

    def _summariser(self, of: SessionId, past: PastSessions) -> SessionSetup:
        setup = self.engine.setup(RoleName.SUMMARISER, self.agent, ToolBox(()), self.attempt, self.task)
        most = setup.max_tokens if setup.thinking != ThinkingSetting() else min(setup.max_tokens, SUMMARY_TOKENS)
        return replace(setup, max_tokens=most, previous=of, number=len(past.summaries) + 1)

    async def _open(
        self, ended: loop.Rotated, history: AttemptHistory, past: PastSessions, prose: str, asking: AskPorts
    ) -> Opened:
        engine, last = self.engine, past.sessions[-1]
        fresh = engine.setup(RoleName.EXECUTOR, self.agent, engine.box(RoleName.EXECUTOR), self.attempt, self.task)
        setup = within(engine, replace(fresh, previous=last.id, number=last.number + 1, because=ended.reason))
        window = await window_of(asking.model, setup.model)
        shown, left = await self._files(history, past, window)
        by = {} if ended.remaining else {"author": SUMMARISER}
        given = HandOver(
            task=f"{self.task}, attempt {engine.state.record(self.task).attempts}",
            number=setup.number,
            previous=last.id,
            because=ended.reason,
            turns=past.turns,
            most_turns=self._most_turns,
            briefing=await self._briefing(window),
            before=tuple(f"`{command}` {'passed' if passed else 'failed'}" for command, passed in self.before.items()),
            changed=await self._changed(),
            shown=tuple(item.path for item in shown),
            not_shown=left,
            ran=past.ran,
            refused=past.refused,
            problems=self._problems(),
            waiting=self._waiting(),
            jobs=self._jobs(),
            prose=prose,
            **by,
        )
        text = engine.options.redact(handover.render(given, bounds(window)))
        opened = Opened(setup, Conversation(), ReadMemory(), asking)
        await self._write_down(opened, text, shown)
        return opened

    async def _write_down(self, opened: Opened, text: str, shown: Sequence[TextSnapshot]) -> None:
        """Session and first message in one commit: after a crash there are both or neither."""
        session, first = opened.setup.id, say(text)
        opened.conversation.add_user(first)
        events: list[agents.AgentEvent] = [
            loop.started(opened.setup),
            agents.MessageAdded(session, content_json(first)),
        ]
        if shown:
            redact = self.engine.options.redact
            views = UserMessage(tuple(Text.of(redact(whole_view(item, None, again=False))) for item in shown))
            opened.conversation.add_user(views, tuple(item.path for item in shown))
            digests = tuple((item.path, item.digest) for item in shown)
            events.append(agents.MessageAdded(session, content_json(views), digests))
        opened.memory.bases.update({item.path: item for item in shown})
        await opened.asking.recorder.commit(*events)
        await self.engine.transcripts.hand_over(session, text)

    async def _briefing(self, window: int | None) -> str:
        engine = self.engine
        known = await brief(engine, engine.state.graph.tasks[self.task], engine.state.record(self.task).verify)
        most = len(known.files) if window is None else max(window // 200, 20)
        more = known.files_left_out + len(known.files[most:])
        return briefing.render(replace(known, files=known.files[:most], files_left_out=more))

    async def _files(
        self, history: AttemptHistory, past: PastSessions, window: int | None
    ) -> tuple[list[TextSnapshot], tuple[str, ...]]:
        """The open files that are shown as they stand, the newest if not all fit, and the names of the others.

        None of them after a session that could not even be asked: it may be they that were too much.
        """
        room = self.engine.options.limits.open_characters if window is None else window * 4 // 5
        room = min(room, self.engine.options.limits.open_characters) if past.sessions[-1].turns else 0
        shown, left = list[TextSnapshot](), list[str]()
        for path in reversed([path for path, digest in history.shown.items() if digest]):
            try:
                present = await self.engine.workspace.read(path)
            except WorkspaceError:
                continue
            # In bytes, as a character of some scripts is a token of its own.
            size = view_characters(present, None) - len(present.text) + len(present.text.encode("utf-8", "replace"))
            if size > room:
                left.append(path)
                continue
            room -= size
            shown.append(present)
        return shown[::-1], tuple(reversed(left))

    async def _changed(self) -> tuple[str, ...]:
        told: list[str] = []
        for path, before in self.journal.before.items():
            try:
                await self.engine.workspace.read(path)
            except WorkspaceError:
                told.append(f"{path} (deleted, or no text any more)")
            else:
                told.append(f"{path} ({'created' if before is None else 'changed'})")
        return tuple(told)

    def _problems(self) -> tuple[str, ...]:
        engine, path = self.engine, self.engine.state.plan.specs[spec_of(self.task)].path
        found = [item for item in (*engine.library.problems(), *engine.state.plan.problems) if item.path == path]
        placed = [f"{item.path}:{item.span.start_line + 1}: {item.message}" for item in found]
        refused = [f"an edit was not applied: {item}" for item in engine.state.record(self.task).refused]
        return (*placed, *refused)

    def _waiting(self) -> tuple[str, ...]:
        approvals = self.engine.state.approvals.values()
        return tuple(f"{item.kind}: {item.subject}" for item in approvals if item.agent == self.agent)

    def _jobs(self) -> tuple[str, ...]:
        jobs = () if self.shell is None else self.shell.jobs
        told = [f"job {job.number} (`{job.title}`) is {job.status}" for job in jobs]
        folder = "." if self.shell is None else self.shell.folder
        return (*told, *([] if folder == "." else [f"the shell stands in {folder}"]))


def bounds(window: int | None) -> Bounds:
    """How much a hand-over may hold of what is not a person's words, in a window of so many tokens."""
    if window is None:
        return Bounds()
    most = Bounds()
    return Bounds(
        lines=min(most.lines, max(window // 500, 10)),
        output=min(most.output, max(window // 20, 400)),
        prose=min(most.prose, max(window // 8, 1_500)),
    )


async def kept_file(engine: EngineContext, history: AttemptHistory) -> None:
    """Writes the file of a hand-over again, where a crash may have come between the log and it."""
    session = history.session
    if session is None or engine.state.sessions[session].previous is None:
        return
    first = next((event for event in history.conversation if isinstance(event, agents.MessageAdded)), None)
    if first is not None:
        opened = replay([first]).conversation.messages[0].blocks[0]
        assert isinstance(opened, Text)
        await engine.transcripts.hand_over(session, opened.text)
