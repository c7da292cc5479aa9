"""Keeps a session's context true and cheap: before each request it tells what changed, warns, and collapses.

Refuses to touch what a model said. What it does is noted as events, so that a replay gives the same bytes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from specloom.agent.context.collection import Collector, FileView, collect
from specloom.agent.context.entry import Entry
from specloom.agent.context.known import Known
from specloom.agent.context.notes import change_note, crowd_note, gone_note, too_long_note
from specloom.agent.context.policy import Occasion, Plan
from specloom.agent.context.prices import CACHE_LIFE_S, PromptPrices
from specloom.agent.context.view import view_characters, whole_view
from specloom.agent.context.watch import Watch
from specloom.agent.ports import Pricing, Recorder
from specloom.agent.session import Conversation, SessionSetup, content_json, head_tokens, say
from specloom.domain.events import agents
from specloom.domain.ids import Digest
from specloom.domain.ports import Clock
from specloom.llm.decode import CHARACTERS_A_TOKEN
from specloom.llm.messages import Text, UserMessage
from specloom.tools.ports import ReadMemory
from specloom.tools.writing import worked_out
from specloom.workspace.ports import TextSnapshot, WorkspaceError

NOT_KNOWN = Digest("")
"""Of a file that the model knows no text of any more."""
Fresh: TypeAlias = Mapping[str, Sequence[tuple[int, Entry]]]
"""Views that came since the last request, by file, with their numbers."""
UNLIMITED = 1_000_000
"""Turns, for a session that was given more than it was to have: nobody knows how many are left."""
STOPPED = "somebody while Specloom was stopped"


@dataclass(frozen=True, slots=True)
class OpenLimits:
    """Above these the model and the user are warned."""

    files: int = 5
    characters: int = 50_000


@dataclass(frozen=True, slots=True)
class KeeperPorts:
    """What a keeper works with."""

    watch: Watch
    pricing: Pricing
    clock: Clock
    redact: Callable[[str], str]
    limits: Callable[[], OpenLimits] | None = OpenLimits
    """By the settings as they are now; `None`: nobody is warned, since the role has no way to close a file."""


@dataclass(slots=True)
class ContextKeeper:
    """Of one session, from its start or from where a replay left it."""

    ports: KeeperPorts
    lost: tuple[str, ...] = ()
    """Files that changed while nobody watched: what was shown of them may be wrong."""
    warned: bool = False
    known: Known = field(default_factory=Known)
    collector: Collector = field(default_factory=Collector)
    _asked_at: float | None = None
    _resumed: bool = False
    """This is the first request after a restart: what a part that was read left unsaid is not known any more."""
    _fixed: tuple[PromptPrices, int] | None = None
    """Prices by the list, and tokens of tools and system text."""

    @property
    def memory(self) -> ReadMemory:
        """What the session was shown of each file."""
        return self.ports.watch.memory

    async def before_request(
        self, setup: SessionSetup, conversation: Conversation, recorder: Recorder, *, crowded: bool = False
    ) -> None:
        """Appends what the model must know, then collapses what is worth it; `crowded`: the window is nearly full."""
        self._resumed = self._asked_at is None and conversation.turns > 0
        fresh = self.known.fresh(conversation)
        blocks = await self._lost_files(fresh)
        await self.ports.watch.look()
        await self._catch_up(conversation, fresh)
        blocks += await self._changed_files(self._of_this_turn(fresh, conversation))
        self._tell(setup, conversation, recorder, blocks)
        self._warn(setup, conversation, recorder)
        self.known.fresh(conversation)
        await self._catch_up(conversation, {})
        self.ports.watch.told()
        self.memory.next_turn()
        await self._collect(setup, conversation, recorder, crowded=crowded)
        self._asked_at = self.ports.clock.monotonic()

    @property
    def _characters(self) -> int:
        return sum(len(base.text) for base in self.memory.bases.values())

    async def _catch_up(self, conversation: Conversation, fresh: Fresh) -> None:
        await worked_out(self._characters, self.known.catch_up, conversation, self.memory, fresh)

    def _tell(
        self, setup: SessionSetup, conversation: Conversation, recorder: Recorder, blocks: list[tuple[str, str]]
    ) -> None:
        if not blocks:
            return
        message = UserMessage(tuple(Text.of(self.ports.redact(text)) for _, text in blocks))
        bases = self.memory.bases
        shown = tuple((path, bases[path].digest if path in bases else NOT_KNOWN) for path, _ in blocks)
        conversation.add_user(message, tuple(path for path, _ in blocks))
        recorder.note(agents.MessageAdded(setup.id, content_json(message), shown))

    async def _lost_files(self, fresh: Fresh) -> list[tuple[str, str]]:
        blocks: list[tuple[str, str]] = []
        for path in self.lost:
            if path in self.memory.bases and _is_told(fresh.get(path, ())):
                continue
            try:
                present = await self.ports.watch.files.read(path)
            except WorkspaceError:
                blocks.append((path, gone_note(path, STOPPED)))
                self.known.closed.add(path)
            else:
                blocks.append((path, await self._note("", present, STOPPED, sure=False)))
        self.lost = ()
        return blocks

    def _of_this_turn(self, fresh: Fresh, conversation: Conversation) -> Fresh:
        """After a restart all views come as if they were new; what an earlier turn left untold was told after it."""
        if not self._resumed:
            return fresh
        turn = conversation.turns
        return {path: [view for view in views if view[1].turn == turn] for path, views in fresh.items()}

    async def _changed_files(self, fresh: Fresh) -> list[tuple[str, str]]:
        blocks: list[tuple[str, str]] = []
        for path, base in tuple(self.memory.bases.items()):
            present, by = self.ports.watch.present(path), self.ports.watch.by(path)
            views = fresh.get(path, ())
            told = base.text if _is_told(views) else accounted(self.memory, base)
            doubtful = _is_mixed(views) or (self._resumed and bool(views) and not _is_told(views))
            if present is None:
                self._forget(path)
                blocks.append((path, gone_note(path, by)))
            elif told != present.text or doubtful:
                sure = not doubtful and not any(entry.vague for _, entry in views)
                seen = told != present.text or self.ports.watch.saw(path)
                blocks.append((path, await self._note(told, present, by if seen else "", sure=sure)))
            elif base.digest != present.digest:
                self.memory.show(present)
        return blocks

    async def _note(self, before: str, present: TextSnapshot, by: str, *, sure: bool) -> str:
        note = await worked_out(len(before) + len(present.text), self._composed, before, present, by, sure=sure)
        if note is None:
            self._forget(present.path)
            return too_long_note(present.path, by)
        self.memory.show(present)
        return note

    def _composed(self, before: str, present: TextSnapshot, by: str, *, sure: bool) -> str | None:
        return change_note(before, present, by, self.known.moved(present), sure=sure)

    def _forget(self, path: str) -> None:
        self.memory.close(path)
        self.known.closed.add(path)

    def _warn(self, setup: SessionSetup, conversation: Conversation, recorder: Recorder) -> None:
        if self.ports.limits is None:
            return
        limits = self.ports.limits()
        files = len(self.memory.bases)
        characters = self._characters
        crowded = files > limits.files or characters > limits.characters
        if crowded and not self.warned:
            message = say(crowd_note(files, characters))
            conversation.add_user(message)
            recorder.note(
                agents.MessageAdded(setup.id, content_json(message)),
                agents.OpenFilesWarned(setup.id, files, characters),
            )
        self.warned = crowded

    async def _collect(
        self, setup: SessionSetup, conversation: Conversation, recorder: Recorder, *, crowded: bool
    ) -> None:
        occasion = replace(self._occasion(setup, conversation), crowded=crowded)
        entries = conversation.book.entries
        plan = await worked_out(self._characters, self.collector.plan, entries, occasion, self._views)
        if plan is None:
            return
        views = await worked_out(self._characters, self._shown, plan)
        recorder.note(collect(conversation, plan, views, frozenset(self.known.closed), setup.id))
        self.known.fresh(conversation)

    def _shown(self, plan: Plan) -> Mapping[str, FileView]:
        bases = self.memory.bases
        return {
            path: FileView(self.ports.redact(whole_view(bases[path], self.known.seen(path))), bases[path].digest)
            for path in plan.show
        }

    def _occasion(self, setup: SessionSetup, conversation: Conversation) -> Occasion:
        book, now = conversation.book, self.ports.clock.monotonic()
        if self._fixed is None:
            self._fixed = PromptPrices.of(setup.model, self.ports.pricing), head_tokens(setup)
        listed, head = self._fixed
        return Occasion(
            sent=book.sent,
            turns=conversation.turns,
            most_turns=setup.max_turns if conversation.turns < setup.max_turns else UNLIMITED,
            prices=book.tally.prices(listed),
            head=head,
            cold=self._asked_at is None or now - self._asked_at > CACHE_LIFE_S,
        )

    def _views(self) -> Mapping[str, int | None]:
        closed: dict[str, int | None] = dict.fromkeys(self.known.closed)
        views = {
            path: view_characters(base, self.known.seen(path)) // CHARACTERS_A_TOKEN
            for path, base in self.memory.bases.items()
        }
        return closed | views


def _is_told(views: Sequence[tuple[int, Entry]]) -> bool:
    """Whether the newest view shows the file as it is in memory, whatever came before."""
    return bool(views) and views[-1][1].whole


def _is_mixed(views: Sequence[tuple[int, Entry]]) -> bool:
    """Whether a file was read in a turn, and an edit behind it tells what others did since before that turn."""
    reads = [number for number, entry in views if entry.what.startswith("read_file ")]
    return any(entry.moved and number > min(reads, default=number) for number, entry in views)


def accounted(memory: ReadMemory, base: TextSnapshot) -> str:
    """The text of a file that the results of this turn account for: a partial read says nothing of what moved."""
    made = memory.made(base.path)
    known = memory.base_of(base.path) or base
    return known.text if made is None else made.text
