"""The documents of a project as they now stand, parsed: buffer over disk. Refuses to keep what the files do not say."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from specloom.domain import commands as c
from specloom.domain.coverage import check_requirements
from specloom.domain.documents.layouts import (
    SpecSource,
    concerns,
    detect_layout,
    parse_requirement_document,
    parse_source,
    requirement_documents,
    spec_documents,
)
from specloom.domain.documents.references import with_below
from specloom.domain.ids import SpecId
from specloom.domain.origin import Origin
from specloom.domain.ports import Clock
from specloom.domain.problem import Problem
from specloom.domain.requirement import Requirement, RequirementsDocument
from specloom.domain.spec import Layout, SpecDefinition
from specloom.engine.mailbox import Mailbox
from specloom.engine.options import EngineOptions
from specloom.workspace.ports import MissingFileError, WorkspaceError
from specloom.workspace.workspace import Workspace

READER = Origin("watcher")
LARGEST = 1_000_000
"""Characters of one document; far beyond what people or models work from, and read in seconds."""
TOO_LARGE = "The document has {} characters and is not read: split it into several of at most 1,000,000"
FOLDERS = ("", "docs", "specs", ".kiro", ".kiro/specs", ".specify", ".specify/memory")
"""Where documents of the three layouts stand; folders below `specs` and `.kiro/specs` are looked into too."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Everything parsed at one moment."""

    layout: Layout
    requirements: Mapping[str, RequirementsDocument]
    specs: Mapping[str, SpecDefinition]
    """By path of the file that holds the tasks."""
    texts: Mapping[str, str]
    problems: tuple[Problem, ...]
    """Of files that could not be read, and of two specs with one id."""


EMPTY_SHELF = Shelf(Layout.SPECLOOM, {}, {}, {}, ())


class Library:
    """Reads documents and tells the mailbox what they say."""

    def __init__(self, workspace: Workspace, mailbox: Mailbox, options: EngineOptions, clock: Clock) -> None:
        self._workspace = workspace
        self._mailbox = mailbox
        self._options = options
        self._clock = clock
        self._reading = asyncio.Lock()
        self.shelf = EMPTY_SHELF
        self.on_change: Callable[[], None] = lambda: None
        """Called after each reading."""

    async def refresh(self) -> None:
        """Reads all documents again and submits what they say; what is as before causes no event."""
        async with self._reading:
            self.shelf = await self._read()
            await self._submit(self.shelf)
        self.on_change()

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
        return await asyncio.to_thread(_parse, layout, wanted, sources, texts, faults)

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
        faults: list[Problem] = []
        for path in sorted(paths):
            try:
                text = (await self._workspace.read(path)).text
                if len(text) > LARGEST:
                    faults.append(Problem("document-too-large", TOO_LARGE.format(len(text)), path))
                else:
                    texts[path] = text
            except MissingFileError:
                if path == self._options.requirements:
                    faults.append(
                        Problem(
                            "requirements-missing",
                            f"There is no file {path!r}; write it or change `requirements` in specloom.toml",
                            path,
                        )
                    )
            except WorkspaceError as error:
                faults.append(Problem("unreadable-document", str(error), path))
        return texts, tuple(faults)

    async def _submit(self, shelf: Shelf) -> None:
        at = self._clock.now()
        for path, document in shelf.requirements.items():
            await self._mailbox.submit(c.ReadRequirements(path, document.requirements), READER)
        for spec in sorted(shelf.specs.values(), key=lambda item: item.id):
            await self._mailbox.submit(c.ReadSpec(spec, at, self._by_hand(spec.path)), READER)
        state = self._mailbox.state
        for path in tuple(state.requirements):
            if path not in shelf.requirements and path not in {problem.path for problem in shelf.problems}:
                await self._mailbox.submit(c.DropRequirements(path), READER)
        # A file that is there and cannot be read (saved as binary, no access) says nothing about its tasks.
        unreadable = {problem.path for problem in shelf.problems}
        present = {spec.id for spec in shelf.specs.values()}
        for known, spec in tuple(state.plan.specs.items()):
            if known not in present and spec.path not in unreadable:
                await self._mailbox.submit(c.DropSpec(known), READER)


def _parse(
    layout: Layout,
    wanted: Iterable[str],
    sources: Iterable[SpecSource],
    texts: Mapping[str, str],
    faults: tuple[Problem, ...],
) -> Shelf:
    requirements = {path: parse_requirement_document(layout, path, texts[path]) for path in wanted if path in texts}
    parsed = [parse_source(source, texts) for source in sources if source.path in texts]
    specs: dict[str, SpecDefinition] = {}
    holders: dict[SpecId, str] = {}
    problems = list(faults)
    for spec in parsed:
        holder = holders.setdefault(spec.id, spec.path)
        if holder == spec.path:
            specs[spec.path] = spec
        else:
            message = f"Spec {spec.id!r} stands in {holder} too; give one of them another id"
            problems.append(Problem("duplicate-spec", message, spec.path))
    return Shelf(layout, requirements, specs, dict(texts), tuple(problems))
