"""What tools need from above and beside them. Refuses defaults: whoever builds a context decides each port."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from specloom.domain.ids import AgentId, AttemptId, CallId, Digest, SessionId, TaskId
from specloom.domain.merge import Hunk
from specloom.domain.redact import Redactor
from specloom.workspace.ports import Deletion, EditResult, FileChange, FolderEntry, TextPart, TextSnapshot
from specloom.workspace.shell.agent_shell import AgentShell


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether something may happen. The reason is shown to the model when it may not."""

    allowed: bool
    reason: str = ""
    rule: str = ""
    """What it rests on, for the log."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call that is about to be made."""

    tool: str
    kind: Literal["read", "write", "command", "control"]
    """The tool's effect."""
    path: str | None = None
    """As the model wrote it."""
    command: str | None = None
    folder: str = ""
    """Where the shell stands, relative to the root."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a question: the words of a person, or why there are none."""

    text: str
    answered: bool


class Asker(Protocol):
    """Decides on each call by rules, and asks whoever may grant what no rule decides. Has a deadline, then denies."""

    async def may_call(self, wanted: Wanted) -> Decision:
        """Asked once for each call, before anything of it happens."""
        ...

    async def ask(self, question: str, choices: tuple[str, ...]) -> Reply:
        """Puts a question of the agent to a person; no choices: free text."""
        ...


@dataclass(frozen=True, slots=True)
class Errand:
    """What a sub-agent is sent for: all that it is told."""

    task: str
    files: tuple[str, ...]
    """Where it is to begin."""
    call: CallId
    """The call that sends it."""


@dataclass(frozen=True, slots=True)
class Delegated:
    """What a sub-agent hands back: its last words, and why they are no answer, if they are none."""

    text: str
    turns: int
    failure: str = ""
    """Empty: it ended by itself."""
    left_out: int = 0
    """Characters that were cut off the end of `text`."""


class Delegate(Protocol):
    """Sends sub-agents: read-only sessions, charged to whoever sends them. They can send none themselves."""

    async def send(self, errand: Errand) -> Delegated:
        """Returns when the sub-agent has ended; cancelled, it ends with its sender."""
        ...


class Output(Protocol):
    """The lossy stream of what a command prints while it runs."""

    def chunk(self, text: str) -> None:
        """Must return at once."""
        ...


class Files(Protocol):
    """The workspace as tools see it; implemented by `workspace.Workspace`."""

    root: Path

    async def read(self, path: str) -> TextSnapshot:
        """Buffer over disk. Raises `WorkspaceError` (missing, directory, binary, too large) or `OutsideRootError`."""
        ...

    async def read_bytes(self, path: str, limit: int) -> bytes:
        """At most `limit` bytes from disk. Raises as `read`."""
        ...

    async def read_part(self, path: str, first: int, count: int) -> TextPart:
        """`count` lines from `first` (1-based) on, of a file on disk of any size. Raises as `read`."""
        ...

    async def delete(
        self, path: str, label: str, known: Mapping[str, Digest], closed: Callable[[str], bool] = lambda _: False
    ) -> Deletion:
        """A file, or a folder with all below it, recorded; all or none of it where one is `closed`.

        `known` digests must still be true. Raises as `read`.
        """
        ...

    async def apply(self, change: FileChange) -> EditResult:
        """As `EditPort.apply`, recorded in the change set of the attempt."""
        ...

    async def walk(self, below: str = "") -> tuple[str, ...]:
        """Paths of all files that no ignore rule hides, sorted, relative to the root."""
        ...

    async def list_folder(self, path: str = "") -> tuple[FolderEntry, ...]:
        """What stands in one folder, sorted by name. Raises as `read`."""
        ...

    async def buffers(self) -> Mapping[str, str]:
        """The texts of open documents by path: what stands on disk at these paths is not the truth."""
        ...

    def resolve(self, path: str) -> Path:
        """The absolute path that a tool's path argument names, links followed. Blocking. Raises `OutsideRootError`."""
        ...


@dataclass(frozen=True, slots=True)
class Made:
    """What the edits of a turn did to the text that the model knew when it wrote them."""

    hunks: tuple[Hunk, ...]
    """Of that text, in order, without overlap."""
    text: str
    """What came of it."""


@dataclass(slots=True)
class ReadMemory:
    """What this agent was last shown of each file: the base of its edits. Owned by one agent context."""

    bases: dict[str, TextSnapshot] = field(default_factory=dict[str, TextSnapshot])
    _before: dict[str, TextSnapshot] = field(default_factory=dict[str, TextSnapshot])
    """What the model had seen when it wrote the calls of this turn, of files shown again since."""
    _made: dict[str, Made] = field(default_factory=dict[str, Made])
    """What calls of this turn did to the files that they edited."""
    _unseen: set[str] = field(default_factory=set[str])
    """Files that are shown for the first time with the results of this turn."""
    _by_turn: bool = False

    def next_turn(self) -> None:
        """The model has seen all results so far. Never called: each call counts as a turn of its own."""
        self._before.clear()
        self._made.clear()
        self._unseen.clear()
        self._by_turn = True

    def show(self, snapshot: TextSnapshot) -> None:
        """The model gets to see this text, with the results of this turn."""
        known = self.bases.get(snapshot.path)
        if self._by_turn and known is not None:
            self._before.setdefault(snapshot.path, known)
        elif self._by_turn:
            self._unseen.add(snapshot.path)
        self.bases[snapshot.path] = snapshot

    def close(self, path: str) -> None:
        """The model has no more use for this text, or the file is gone: to edit it again it must be read again."""
        self.bases.pop(path, None)
        self._before.pop(path, None)
        self._made.pop(path, None)
        self._unseen.discard(path)

    def is_unseen(self, path: str) -> bool:
        """The model asked for this text in this very turn: what it wrote beside that, it wrote without having read."""
        return path in self._unseen

    def base_of(self, path: str) -> TextSnapshot | None:
        """The text that the line numbers of a call in this turn mean."""
        return self._before.get(path, self.bases.get(path))

    def wrote(self, snapshot: TextSnapshot) -> None:
        """The model itself gave the whole text: numbers of later calls in this turn mean that one."""
        self._unseen.discard(snapshot.path)
        if self._by_turn:
            self._before[snapshot.path] = snapshot
            self._made.pop(snapshot.path, None)

    def made(self, path: str) -> Made | None:
        """What earlier calls of this turn did to the base."""
        return self._made.get(path)

    def make(self, path: str, made: Made) -> None:
        """Remembers what a call did to the base, together with those before it."""
        if self._by_turn:
            self._made[path] = made


@dataclass(frozen=True, slots=True)
class ToolContext:
    """One agent's hands while it works on one attempt."""

    files: Files
    asker: Asker
    output: Output
    memory: ReadMemory
    agent: AgentId
    session: SessionId
    attempt: AttemptId | None
    task: TaskId | None
    call: CallId
    environment: Mapping[str, str]
    """For commands; holds no key."""
    command_timeout: float = 120.0
    """Seconds, the default of `run_command`."""
    edits_per_call: int = 3
    """Edits of one `edit_file` call that are made."""
    read_only: tuple[str, ...] = ()
    """Paths that this role may not write: specs and `specloom.toml` for an executor."""
    shell: AgentShell | None = None
    """Of a role that may run commands; whoever made it ends it."""
    delegate: Delegate | None = None
    """Of a role that may send sub-agents."""
    outputs: Mapping[int, str] = field(default_factory=dict[int, str])
    """What stands in the conversation as one line, by the number that the line names."""
    redact: Redactor = field(default_factory=Redactor)
    """What the tool box hides from the model; set by the box."""
