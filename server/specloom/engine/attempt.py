"""One attempt at one task: grant, start, session, verification, verdict. Also goes on with one that a crash left.

Refuses to believe the agent: what it claims is verified, and only the mailbox turns evidence into *done*.
"""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias, assert_never

from specloom.agent import loop
from specloom.agent.ask import AskPorts
from specloom.agent.briefing import render
from specloom.agent.loop import SessionOutcome
from specloom.agent.ports import Halt, Recorder
from specloom.agent.progress import ProgressWatch, WatchedRecorder
from specloom.agent.replay import Replayed, replay
from specloom.agent.roles import RoleName
from specloom.agent.session import Conversation, SessionSetup, content_json, say
from specloom.domain import commands as c
from specloom.domain.events import Event, agents
from specloom.domain.events.proof import CheckPhase
from specloom.domain.evidence import Evidence
from specloom.domain.ids import AgentId, AttemptId, Digest, SessionId, TaskId
from specloom.domain.no_progress import Patience
from specloom.domain.rejection import Rejected
from specloom.domain.spec import TaskDefinition
from specloom.engine.abandoning import end_sessions
from specloom.engine.agent_shells import had_shell, shell_limits, shell_of
from specloom.engine.answered import answered
from specloom.engine.approvals import Answer
from specloom.engine.asker import DeskAsker
from specloom.engine.briefings import brief, changed_paths
from specloom.engine.changes import record_change_set, tick, ticking
from specloom.engine.command_images import CommandImages
from specloom.engine.context import EngineContext
from specloom.engine.cut_commands import pack_of
from specloom.engine.delegation import Delegation
from specloom.engine.gate import RunGate
from specloom.engine.hands import NO_CALL, SessionHands
from specloom.engine.history import AttemptHistory
from specloom.engine.journal import AttemptJournal
from specloom.engine.keeping import kept_ports
from specloom.engine.mailbox import expect
from specloom.engine.more_turns import more_turns
from specloom.engine.open_files import Recalled, recalled
from specloom.engine.rotating import Opened, Rotation, kept_file, window_watch, within
from specloom.engine.saving import saved
from specloom.engine.trust import Trust
from specloom.engine.verification.checks import feedback
from specloom.engine.verification.evidence import Proof, digests_on_disk, files_behind
from specloom.engine.verification.review import Review, Reviewer
from specloom.tools.ports import ReadMemory, ToolContext
from specloom.workspace.shell.agent_shell import AgentShell
from specloom.workspace.shielding import to_the_end
from specloom.workspace.workspace import Workspace

Verdict: TypeAlias = c.ProveTask | c.FailAttempt | c.BlockTask | c.ReleaseTask
GONE = "the task is not in the documents that git checked out"
OTHER_MODEL = "another model was chosen"
NO_ATTEMPT = AttemptId("")
"""Before the task is started."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The run cannot go on: a halt of the gate, or an endpoint that gives no answer (`kind` = `fault`)."""

    kind: str
    reason: str


@dataclass(slots=True)
class Attempt:
    """The work on one task from start to verdict."""

    engine: EngineContext
    gate: RunGate
    trust: Trust
    agent: AgentId
    task: TaskId
    attempt: AttemptId = NO_ATTEMPT
    before: dict[str, bool] = field(default_factory=dict[str, bool])
    shown: dict[str, Digest] = field(default_factory=dict[str, Digest])
    reviewed: tuple[Event, ...] = ()
    """What an earlier process has of a review of the claim that stands."""
    answered: dict[str, Answer] = field(default_factory=dict[str, Answer])
    """What an earlier process was told by people and could not tell the model any more."""
    shell: AgentShell | None = None
    """From its first session to its last, and not beyond: what verifies starts from nothing."""
    images: CommandImages | None = None
    journal: AttemptJournal = field(init=False)

    def __post_init__(self) -> None:
        self.journal = AttemptJournal(self.engine.ledger, self.engine.ids, agent=self.agent, task=self.task)

    async def carry_out(self) -> Stopped | None:
        """Works until there is a verdict, which is recorded, or until the run must stop."""
        attempt = self.engine.state.record(self.task).attempt
        await self.engine.orphans.watched()
        history = None if attempt is None else await self._known(attempt)
        if history is None:
            if not await self._granted() or not await self._start():
                return None
        elif (halt := await self._granted_again()) is not None:
            return await self._release(halt)
        try:
            outcome = await (self._open_session() if history is None else self._go_on(history))
            while isinstance(outcome, loop.Rotated):
                outcome = await self._rotate(outcome)
        finally:
            await to_the_end(self._end_commands())
        return await self._settle(outcome)

    async def _end_commands(self) -> None:
        """Nothing of the agent's runs on beside what verifies its work; what it changed to the end is recorded."""
        if self.shell is not None:
            await self.shell.close()
            await self.engine.orphans.end(self.agent)
        if self.images is not None:
            await self.images.close()

    @property
    def definition(self) -> TaskDefinition:
        """What the spec says about the task now."""
        return self.engine.state.graph.tasks[self.task]

    @property
    def verify(self) -> tuple[str, ...]:
        """The commands that were fixed when the attempt started."""
        return self.engine.state.record(self.task).verify

    async def _granted(self) -> bool:
        commands = verify_commands(self.engine, self.definition)
        await self.trust.ask_for(commands)
        missing = self.trust.missing(commands)
        if missing:
            ungranted = tuple(command for command, _ in missing)
            await self.engine.mailbox.submit(c.BlockTask(self.task, not_allowed(missing[0]), None, ungranted))
        return not missing

    async def _granted_again(self) -> Halt | None:
        """For an attempt that goes on, as what an earlier process was allowed is not in the log.

        A no pauses the run: the attempt goes on where it was once somebody agrees. A halt: the run was cancelled.
        """
        await self.trust.ask_for(self.verify)
        while missing := self.trust.missing(self.verify):
            ordered = self.trust.next_order()
            await self.gate.pause(f"{not_allowed(missing[0])}; resume the run to allow it, or cancel it")
            await ordered
            self._follow()
            halt = await self.gate.unpaused()
            if halt is not None:
                return halt
            await self.trust.ask_for(self.verify, at_start=True)
        return None

    async def _known(self, attempt: AttemptId) -> AttemptHistory:
        """What the log has of the attempt in flight, before anything else: it may be given up at any moment."""
        self.attempt = self.journal.attempt = attempt
        history = await AttemptHistory.read(self.engine.ledger, attempt)
        self.before, self.shown = history.before, history.shown
        self.journal.restore(history.edited)
        return history

    async def _start(self) -> bool:
        """False when somebody was faster: the run was paused or the task changed. The gate is asked again then."""
        commands = verify_commands(self.engine, self.definition)
        self.attempt = AttemptId(self.engine.ids.new("attempt"))
        self.journal.attempt = self.attempt
        order = c.StartTask(self.task, self.attempt, self.agent, commands)
        if isinstance(await self.engine.mailbox.submit(order), Rejected):
            return False
        await self._look_before()
        return True

    async def _look_before(self) -> None:
        """Learns which verify commands pass before anything is done."""
        commands = [command for command in self.verify if command not in self.before]
        results = await self.engine.checker().run(commands, self.task, self.attempt, CheckPhase.BEFORE)
        self.before |= {result.command: result.passed for result in results}

    async def _open_session(self) -> SessionOutcome:
        engine = self.engine
        self._follow()
        if self.task not in engine.state.graph.tasks:
            # Removed while a command was looked at: there is nothing to say to a model, and the verdict frees it.
            return loop.Ended("")
        box = engine.box(RoleName.EXECUTOR)
        setup = within(engine, engine.setup(RoleName.EXECUTOR, self.agent, box, self.attempt, self.task))
        first = say(engine.options.redact(render(await brief(engine, self.definition, self.verify))))
        asking = engine.asking(RoleName.EXECUTOR, self.agent)
        asking.recorder.note(loop.started(setup), agents.MessageAdded(setup.id, content_json(first)))
        conversation = Conversation([first])
        return await loop.run_session(
            setup, conversation, self._ports(setup, conversation, Recalled(ReadMemory()), asking)
        )

    async def _rotate(self, ended: loop.Rotated) -> SessionOutcome:
        """Goes on in a new session."""
        self._follow()
        if self.task not in self.engine.state.graph.tasks:
            return loop.Ended("")
        if self.images is not None:
            await self.images.catch_up()
        history = await AttemptHistory.read(self.engine.ledger, self.attempt)
        restarted = self.shell is None and had_shell(history)
        opened = await Rotation(
            self.engine, self.gate, self.agent, self.task, self.attempt, self.journal, self.shell, self.before
        ).next(ended, history)
        if not isinstance(opened, Opened):
            return opened
        known = Recalled(opened.memory)
        ports = self._ports(opened.setup, opened.conversation, known, opened.asking, restarted=restarted)
        return await loop.run_session(opened.setup, opened.conversation, ports)

    def _ports(
        self,
        setup: SessionSetup,
        conversation: Conversation,
        known: Recalled,
        asking: AskPorts,
        *,
        restarted: bool = False,
        warned: bool = False,
        watch: ProgressWatch | None = None,
    ) -> loop.LoopPorts:
        engine = self.engine
        progress = watch or ProgressWatch.of(self._patience, setup.because)
        asking = replace(asking, recorder=WatchedRecorder(asking.recorder, progress))
        hands = self._hands(setup, known.memory, asking.recorder, restarted=restarted)
        ports = engine.loop(asking, hands, self.gate.settled_by(asking.recorder))
        ports = replace(ports, window=window_watch(engine, asking), more_turns=self._more_turns)
        ports = replace(
            ports, now=self._now, inbox=engine.inbox, superseded=lambda: self._superseded(setup), progress=progress
        )
        return kept_ports(engine, ports, hands, conversation, known, warned=warned)

    async def _go_on(self, history: AttemptHistory) -> SessionOutcome:
        if self.task not in self.engine.state.graph.tasks:
            return loop.Ended("")
        if history.session is None:
            await self._look_before()
            return await self._open_session()
        replayed = replay(history.conversation)
        if replayed.ended is None and self._same_model(history.session):
            return await self._continue_session(history, replayed)
        if replayed.ended is None:
            # A session keeps its model; who chose another one wants that to be asked.
            await end_sessions(self.engine, self.task, self.attempt, OTHER_MODEL)
            return loop.Rotated(OTHER_MODEL)
        self.reviewed = tuple(history.review)
        # Where nothing followed from its end, the attempt goes on, and so does all that is known of it.
        return loop.outcome_of(replayed.ended) or loop.Rotated(replayed.ended.reason or replayed.ended.outcome)

    def _patience(self) -> Patience:
        limits = self.engine.options.limits
        return Patience(limits.repeated_turns, limits.returning_edits, limits.empty_turns)

    def _superseded(self, setup: SessionSetup) -> str:
        """A session keeps its model, and its task, which a branch that was checked out may not have."""
        self._follow()
        if self.engine.head.changes and self.task not in self.engine.state.graph.tasks:
            return GONE
        chosen = self.engine.options.roles[RoleName.EXECUTOR]
        return "" if chosen.model == setup.model else OTHER_MODEL

    def _same_model(self, session: SessionId) -> bool:
        return self.engine.state.sessions[session].model == self.engine.options.roles[RoleName.EXECUTOR].model

    async def _continue_session(self, history: AttemptHistory, replayed: Replayed) -> SessionOutcome:
        engine = self.engine
        assert history.session is not None
        record = engine.state.sessions[history.session]
        fresh = engine.setup(RoleName.EXECUTOR, self.agent, engine.box(RoleName.EXECUTOR), self.attempt, self.task)
        setup = within(
            engine, replace(fresh, id=record.id, model=record.model, previous=record.previous, number=record.number)
        )
        await kept_file(engine, history)
        known = await recalled(self._files(), history.shown)
        asking = engine.asking(RoleName.EXECUTOR, self.agent)
        told = had_shell(history)
        self.answered.update(answered(history.events, replayed, self.agent))
        watch = ProgressWatch.of(self._patience, history.because, history.conversation)
        ports = self._ports(
            setup, replayed.conversation, known, asking, restarted=told, warned=replayed.warned, watch=watch
        )
        return await loop.resume_session(setup, replayed, ports)

    async def _settle(self, outcome: SessionOutcome) -> Stopped | None:
        match outcome:
            case loop.Claimed() | loop.Ended():
                return await self._verify()
            case loop.Blocked(reason):
                await self._close(c.BlockTask(self.task, reason, self.attempt))
            case loop.TurnLimit(turns):
                await self._fail(f"the attempt used up its {turns} turns without claiming the task", "")
            case loop.Refused(reason) | loop.Rotated(reason, _):
                await self._fail(f"the model did not go on: {reason}", "")
            case loop.Halted(halt):
                return await self._release(halt)
            case loop.Faulted(error):
                await self._close(c.ReleaseTask(self.task, self.attempt, str(error)))
                return Stopped("fault", str(error))
            case _:
                assert_never(outcome)
        return None

    async def _verify(self) -> Stopped | None:
        engine = self.engine
        # Again after the save, which may take a person and his git a while.
        saving = await self.gate.unpaused() or await saved(engine, self.gate, self.journal.before)
        halt = saving or await self.gate.unpaused()
        if halt is not None:
            return await self._release(halt)
        tree = engine.head.changes
        self._follow()
        if self.task not in engine.state.graph.tasks:
            await self._close(c.ReleaseTask(self.task, self.attempt, "the task was removed from its spec"))
            return None
        changed = tuple(self.journal.before)
        behind = await files_behind(engine.workspace, self._changed_before(changed), self.verify)
        if not self.verify:
            return await self._review(behind, tree)
        present = await digests_on_disk(engine.workspace, behind)
        results = await engine.checker().run(self.verify, self.task, self.attempt, CheckPhase.AFTER)
        if await self._checked_out(tree):
            return await self._verify()
        if not all(result.passed for result in results):
            failed = results[-1]
            await self._fail(f"`{failed.command}` {failed.ended}", feedback(results))
            return None
        proof = Proof(engine.clock.now(), self.attempt, present, self.before, changed)
        await self._prove(proof.of(results))
        return None

    async def _checked_out(self, tree: int) -> bool:
        """Whether git wrote files under what verifies: what was found is true of no tree then."""
        await self.engine.head.look()
        return self.engine.head.changes != tree

    async def _review(self, behind: tuple[str, ...], tree: int) -> Stopped | None:
        reviewer = Reviewer(self.engine, self.gate, self.definition, self.attempt, behind, self.reviewed)
        verdict = await reviewer.review()
        if not isinstance(verdict, Halt) and await self._checked_out(tree):
            return await self._verify()
        match verdict:
            case Halt():
                return await self._release(verdict)
            case Review(passed=True):
                await self._prove((verdict.evidence,))
            case Review():
                await self._fail("the reviewer did not find the task done", verdict.evidence.summary)
            case _:
                assert_never(verdict)
        return None

    async def _prove(self, evidence: tuple[Evidence, ...]) -> None:
        with ticking(self.engine, self.task):
            await self._close(c.ProveTask(self.task, self.attempt, evidence))
            await tick(self.engine, self.task)

    async def _fail(self, reason: str, told: str) -> None:
        limit = self.engine.options.limits.attempts
        await self._close(c.FailAttempt(self.task, self.attempt, reason, told, limit))

    async def _more_turns(self, used: int) -> int | Halt:
        self._follow()
        return await more_turns(self.engine, self.gate, self.task, used)

    async def _release(self, halt: Halt) -> Stopped:
        if halt.kind == "budget":
            # It goes on in its session once there is a budget again.
            return Stopped(halt.kind, halt.reason)
        await self._close(c.ReleaseTask(self.task, self.attempt, halt.reason))
        return Stopped(halt.kind, halt.reason)

    async def abandon(self, reason: str) -> None:
        """The run was cancelled while the attempt was in flight: keeps its change set and frees the task."""
        self._follow()
        await end_sessions(self.engine, self.task, self.attempt, reason)
        if self.attempt and self.engine.state.record(self.task).attempt == self.attempt:
            await self._close(c.ReleaseTask(self.task, self.attempt, reason))

    async def _close(self, verdict: Verdict) -> None:
        # While the attempt is in flight, so that a box which one of its commands ticked is not taken for a person's.
        await self.engine.library.refresh()
        self._follow()
        await record_change_set(self.engine, self.journal, self.task)
        expect(await self.engine.mailbox.submit(replace(verdict, task=self.task)))

    def _follow(self) -> None:
        """A person may have renumbered the tasks meanwhile."""
        state = self.engine.state
        if state.record(self.task).attempt != self.attempt:
            self.task = next((task for task, known in state.tasks.items() if known.attempt == self.attempt), self.task)
            self.journal.task = self.task

    def _changed_before(self, changed: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*changed, *changed_paths(self.engine.state, self.task)]))

    def _files(self) -> Workspace:
        return self.engine.workspace.recorded(self.journal)

    def _asker(self) -> DeskAsker:
        engine = self.engine
        granted = frozenset(command.strip() for command in self.verify)
        return DeskAsker(
            engine.desk,
            engine.permits,
            RoleName.EXECUTOR,
            self.agent,
            self.task,
            self.definition.title,
            granted,
            read_only(engine),
            self.answered,
        )

    def _hands(
        self, setup: SessionSetup, memory: ReadMemory, recorder: Recorder, *, restarted: bool = False
    ) -> SessionHands:
        engine, asker = self.engine, self._asker()
        if self.shell is None:
            self.shell = shell_of(engine, self.agent, setup.id, restarted=restarted)
        self.shell.logs = engine.outputs(setup.id)
        context = ToolContext(
            files=self._files(),
            asker=asker,
            output=engine.output.command(setup.id, NO_CALL),
            memory=memory,
            agent=self.agent,
            session=setup.id,
            attempt=self.attempt,
            task=self.task,
            call=NO_CALL,
            environment=self.shell.environment,
            command_timeout=engine.options.limits.command_timeout_s,
            edits_per_call=engine.options.limits.edits_per_call,
            read_only=read_only(engine),
            shell=self.shell,
            delegate=Delegation(engine, self.gate, setup, recorder, asker),
        )
        if self.images is None:
            aside, busy = AttemptJournal(engine.ledger, engine.ids), partial(_is_busy, self.shell)
            pack = pack_of(engine, setup.id, self.journal, context.read_only)
            self.images = CommandImages(
                engine.workspace, self.journal, aside, context.read_only, busy, pack, engine.head
            )
        box = engine.box(RoleName.EXECUTOR)
        return SessionHands(box, context, engine.output, self.images, self.gate.held_back)

    def _now(self, setup: SessionSetup, ports: loop.LoopPorts) -> tuple[SessionSetup, loop.LoopPorts]:
        """As `LoopPorts.now`: of an executor the tools, too, follow the settings."""
        setup, ports = self.engine.now(setup, ports)
        hands, limits = ports.hands, self.engine.options.limits
        assert isinstance(hands, SessionHands), "as `_hands` made them"
        if self.shell is not None:
            self.shell.use(shell_limits(limits))
        context = replace(hands.context, command_timeout=limits.command_timeout_s, edits_per_call=limits.edits_per_call)
        return setup, replace(ports, hands=replace(hands, context=context))


def _is_busy(shell: AgentShell) -> bool:
    return shell.busy


def not_allowed(missing: tuple[str, str]) -> str:
    """Says of a verify command that may not run why it may not."""
    command, why = missing
    return f"the verify command `{command}` was not allowed: {why}"


def verify_commands(engine: EngineContext, task: TaskDefinition) -> tuple[str, ...]:
    """What proves a task: its own commands, then those that the settings name for every task."""
    return tuple(dict.fromkeys([*task.verify, *engine.options.verify]))


def read_only(engine: EngineContext) -> tuple[str, ...]:
    """What an executor may not write: the documents that it works from, and the settings."""
    return tuple(sorted({*engine.library.shelf.texts, "specs", ".kiro", ".specify", "specloom.toml"}))
