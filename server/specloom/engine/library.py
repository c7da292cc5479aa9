"""The documents of a project as they now stand, parsed: buffer over disk. Refuses to keep what the files do not say."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol

from specloom.domain import commands as c
from specloom.domain.coverage import check_requirements
from specloom.domain.documents.layouts import (
    concerns,
    detect_layout,
    requirement_documents,
    spec_documents,
)
from specloom.domain.documents.references import with_below
from specloom.domain.ids import Digest, SpecId, TaskId
from specloom.domain.origin import Origin
from specloom.domain.ports import Clock
from specloom.domain.problem import Problem
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.domain.requirement import Requirement, RequirementsDocument
from specloom.domain.spec import SpecDefinition
from specloom.engine.api import Accepted
from specloom.engine.options import EngineOptions
from specloom.engine.put_back import PutBack
from specloom.engine.shelf import EMPTY_SHELF, Found, Said, Shelf, only_words_differ, parse
from specloom.workspace.ports import NOTHING, MissingFileError, NotTextError, TextSnapshot, WorkspaceError
from specloom.workspace.workspace import Workspace

READER = Origin("watcher")
LARGEST = 1_000_000
"""Characters of one document; far beyond what people or models work from, and read in seconds."""
TOO_LARGE = "The document has {} characters and is not read: split it into several of at most 1,000,000"
MISSING = "There is no file {!r}; write it or change `requirements` in specloom.toml"
EMPTIED = 0.1
"""Seconds in which somebody who emptied a document has written it again."""
TOGETHER = 20
"""Documents whose news are one commit: each of a hundred would wait for the disk, people's orders for all of one."""
READINGS = 4
"""Of which the last counts, whatever git does meanwhile."""
FOLDERS = ("", "docs", "specs", ".kiro", ".kiro/specs", ".specify", ".specify/memory")
"""Where documents of the three layouts stand; folders below `specs` and `.kiro/specs` are looked into too."""


class DocumentMailbox(Protocol):
    """What takes in what the documents say: the project's own mailbox, or one that keeps nothing."""

    @property
    def state(self) -> ProjectState:
        """The newest projection."""
        ...

    async def submit(self, command: c.DocumentCommand, by: Origin) -> Accepted | Rejected:
        """Carries out an order; an order that changes nothing is accepted too."""
        ...

    async def submit_all(self, commands: Sequence[c.DocumentCommand], by: Origin, at: str) -> None:
        """Carries out orders one after the other, `at` this time, and keeps them together."""
        ...


class WorkTree(Protocol):
    """Knows when git writes files."""

    async def look(self) -> None:
        """Returns once git does nothing, and what it did is told."""
        ...

    async def is_settled(self) -> bool:
        """Whether nothing has happened since."""
        ...


class Library:
    """Reads documents and tells the mailbox what they say."""

    head: WorkTree | None = None
    """Looked at before and after each reading; `None`: whoever reads does not follow git."""
    put_back: PutBack | None = None
    """Knows what git wrote without telling; `None`: as above."""

    def __init__(self, workspace: Workspace, mailbox: DocumentMailbox, options: EngineOptions, clock: Clock) -> None:
        self._workspace = workspace
        self._mailbox = mailbox
        self._options = options
        self._clock = clock
        self._reading = asyncio.Lock()
        self._told: dict[str, Said] = {}
        """What the mailbox was told last of each document, by path."""
        self._git_wrote: dict[str, str] = {}
        """What git wrote last to each document that was open, by path."""
        self.on_disk: Mapping[str, Digest] = {}
        """What the last reading found on disk, by path; `NOTHING` where an earlier one had found a file."""
        self.shelf = EMPTY_SHELF
        self.on_shelf: Callable[[], None] = lambda: None
        """Called when documents read otherwise than before, though they may say the same."""
        self.ticking: Counter[TaskId] = Counter()
        """Tasks whose box is about to follow their state; replaced when it changes."""

    async def refresh(self) -> None:
        """Reads all documents again and submits what they say; what is as before causes no event."""
        await self._take_in(lambda _: frozenset())

    async def reread(self) -> None:
        """As `refresh`, after git wrote files: no box that came or went is the work of a hand."""
        async with self._reading:
            self._keep(await self._read())
            # An editor shows what git wrote a moment later, as if somebody had typed it.
            self._git_wrote = {path: await self._on_disk(path) for path in self._workspace.documents.paths()}
            await self._submit(self.shelf, checked_out=True)

    async def restored(self, paths: Collection[str]) -> None:
        """Git wrote these alone: the boxes that their next reading brings are no work of a hand either."""
        for path in paths:
            text = await self._on_disk(path)
            if text != self.shelf.texts.get(path):
                self._git_wrote[path] = text

    async def look(self) -> bool:
        """As `refresh`, but words that somebody is typing are kept back; returns whether there are any."""
        return bool(await self._take_in(self._typed))

    async def _take_in(self, kept_back: Callable[[Shelf], frozenset[str]]) -> frozenset[str]:
        """What was read while git wrote files is read again: git tells of it only when it has ended."""
        for left in reversed(range(READINGS)):
            if self.head is not None:
                await self.head.look()
            async with self._reading:
                shelf = await self._read()
                if self.head is None or not left or await self.head.is_settled():
                    self._keep(shelf)
                    typed = kept_back(shelf)
                    await self._submit(shelf, typed)
                    return typed
        raise AssertionError("the last reading counts")

    def _keep(self, shelf: Shelf) -> None:
        before, self.shelf = self.shelf, shelf
        if shelf is not before:
            self.on_shelf()

    async def _on_disk(self, path: str) -> str:
        return (await self._bytes(path)).decode("utf-8", "replace")

    async def _bytes(self, path: str) -> bytes:
        try:
            return await self._workspace.read_bytes(path, 4 * LARGEST)
        except WorkspaceError:
            return b""

    def _typed(self, shelf: Shelf) -> frozenset[str]:
        now: dict[str, Said] = {
            **{path: document.requirements for path, document in shelf.requirements.items()},
            **shelf.specs,
        }
        typing = (path for path in self._workspace.documents.dirty_paths() if path in now and path in self._told)
        return frozenset(path for path in typing if only_words_differ(self._told[path], now[path]))

    def _by_hand(self, path: str) -> bool:
        # A command of an agent can write a spec file on disk, but not into a buffer.
        working = any(record.attempt is not None for record in self._mailbox.state.tasks.values())
        return not working or self._workspace.documents.find(path) is not None

    def use(self, options: EngineOptions) -> None:
        """Other settings count from the next reading on."""
        self._options = options

    def requirement(self, name: str, spec: SpecId | None = None) -> Requirement | None:
        """The requirement of an id with all below it, as `spec` means it: beside other tools' specs ids repeat."""
        known = self.spec(spec) if spec is not None else None
        documents = self.shelf.requirements.values()
        meant = (document for document in documents if known is None or concerns(document.path, known))
        return with_below(name, [item for document in meant for item in document.requirements])

    def to_plan_from(self, path: str | None) -> RequirementsDocument | Rejected:
        """The requirements document at `path`, or the root's own."""
        known = self.shelf.requirements
        if path is not None and path in known:
            return known[path]
        if path is not None:
            return Rejected("no-requirements", f"There are no requirements in {path!r}: it is missing or unreadable")
        if not known:
            root = self._workspace.root
            return Rejected("no-requirements", f"There is no requirements.md in {root}; write one and plan again")
        return next(iter(known.values()))

    def spec(self, spec: SpecId) -> SpecDefinition | None:
        """The spec of an id."""
        return next((item for item in self.shelf.specs.values() if item.id == spec), None)

    def problems(self) -> tuple[Problem, ...]:
        """What is wrong inside the documents and between requirements and specs."""
        shelf, left_out = self.shelf, self._mailbox.state.out_of_scope
        specs, documents = shelf.specs.values(), shelf.requirements.values()
        inside = [*documents, *specs]
        across = check_requirements(specs, documents, left_out) if shelf.specs else ()
        return (*shelf.problems, *(problem for document in inside for problem in document.problems), *across)

    async def _read(self) -> Shelf:
        paths = await self._candidates()
        layout = detect_layout(paths, self._options.layout)
        sources = spec_documents(layout, paths)
        wanted = requirement_documents(layout, paths, self._options.requirements)
        texts, faults = await self._texts({*wanted, *(path for source in sources for path in source.paths)})
        found = Found(layout, wanted, sources, texts, faults, self._options.redact)
        return await asyncio.to_thread(parse, found, self.shelf)

    async def _candidates(self) -> tuple[str, ...]:
        found: set[str] = set(self._workspace.documents.paths())
        if self._options.requirements:
            found.add(self._options.requirements)
        for folder in FOLDERS:
            found.update(await self._files_in(folder))
        for folder in ("specs", ".kiro/specs"):
            for below in await self._folders_in(folder):
                found.update(await self._files_in(f"{folder}/{below}"))
        return tuple(sorted(found))

    async def _files_in(self, folder: str) -> list[str]:
        names = await self._names(folder, "file", "link")
        return [f"{folder}/{name}" if folder else name for name in names]

    async def _folders_in(self, folder: str) -> list[str]:
        return await self._names(folder, "folder")

    async def _names(self, folder: str, *kinds: str) -> list[str]:
        try:
            entries = await self._workspace.list_folder(folder)
        except WorkspaceError:
            return []
        return [entry.name for entry in entries if entry.kind in kinds]

    async def _texts(self, paths: Iterable[str]) -> tuple[dict[str, str], tuple[Problem, ...]]:
        texts: dict[str, str] = {}
        on_disk = {path: NOTHING for path in self.on_disk if self._workspace.documents.find(path) is None}
        faults: list[Problem] = []
        for path in sorted(paths):
            try:
                found = await self._whole(path)
                if found.version is None:
                    on_disk[path] = found.digest
                if len(found.text) > LARGEST:
                    faults.append(Problem("document-too-large", TOO_LARGE.format(len(found.text)), path))
                else:
                    texts[path] = found.text
            except MissingFileError:
                if path == self._options.requirements:
                    faults.append(Problem("requirements-missing", MISSING.format(path), path))
            except NotTextError as error:
                message = f"{path!r} is no text, as documents must be: {error.looks}; save it as text in UTF-8"
                faults.append(Problem("unreadable-document", message, path))
            except WorkspaceError as error:
                faults.append(Problem("unreadable-document", str(error), path))
        self.on_disk = on_disk
        return texts, tuple(faults)

    async def _whole(self, path: str) -> TextSnapshot:
        """As it stands; one that is empty by now is looked at twice: editors empty what they are about to write."""
        found = await self._workspace.read(path)
        if not found.text and found.version is None and self.shelf.texts.get(path):
            await asyncio.sleep(EMPTIED)
            found = await self._workspace.read(path)
        return found

    async def _submit(
        self, shelf: Shelf, kept_back: frozenset[str] = frozenset(), *, checked_out: bool = False
    ) -> None:
        at = self._clock.now()
        said: list[tuple[str, Said]] = [(path, read.requirements) for path, read in shelf.requirements.items()]
        said += [(spec.path, spec) for spec in sorted(shelf.specs.values(), key=lambda item: item.id)]
        news = [(path, now) for path, now in said if path not in kept_back and self._told.get(path) is not now]
        for start in range(0, len(news), TOGETHER):
            await self._tell(news[start : start + TOGETHER], shelf, at, checked_out)
        await self._drop_missing(shelf)

    async def _tell(self, news: Sequence[tuple[str, Said]], shelf: Shelf, at: str, checked_out: bool) -> None:
        orders, by_git = list[c.DocumentCommand](), set[str]()
        for path, said in news:
            if not isinstance(said, SpecDefinition):
                orders.append(c.ReadRequirements(path, said))
                continue
            if checked_out or await self._is_by_git(said, shelf.texts[path]):
                by_git.add(path)
            orders.append(c.ReadSpec(said, at, self._by_hand(path), path in by_git))
        await self._mailbox.submit_all(orders, READER, at)
        for path, said in news:
            self._told[path] = said
            if self.put_back is not None and isinstance(said, SpecDefinition):
                self.put_back.tell(path, at)
        for path in by_git:
            self._git_wrote.pop(path, None)

    async def _is_by_git(self, spec: SpecDefinition, text: str) -> bool:
        if self._git_wrote.get(spec.path) == text:
            return True
        known = self._mailbox.state.plan.specs.get(spec.id)
        before = {} if known is None else {task.id: task.ticked for task in known.tasks}
        if self.put_back is None or all(before.get(task.id, False) is task.ticked for task in spec.tasks):
            return False
        data = await self._bytes(spec.path)
        return data.decode("utf-8", "replace") == text and await self.put_back.is_by_git(spec.path, data)

    async def _drop_missing(self, shelf: Shelf) -> None:
        state = self._mailbox.state
        # A file that is there and cannot be read (saved as binary, no access) says nothing about its tasks.
        unreadable = {problem.path for problem in shelf.problems}
        for path in tuple(state.requirements):
            if path not in shelf.requirements and path not in unreadable:
                await self._mailbox.submit(c.DropRequirements(path), READER)
                self._told.pop(path, None)
        present = {spec.id for spec in shelf.specs.values()}
        for known, spec in tuple(state.plan.specs.items()):
            if known not in present and spec.path not in unreadable:
                await self._mailbox.submit(c.DropSpec(known), READER)
                self._told.pop(spec.path, None)
