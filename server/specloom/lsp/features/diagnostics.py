"""Pushes diagnostics of all documents, answers pulls for open ones, and asks for refreshes when states change.

Refuses to do both for one document: a client that pulls shows what was pushed too, and each problem would stand twice.
"""

import asyncio
from dataclasses import dataclass

from lsprotocol import types

from specloom.domain.problem import Problem
from specloom.domain.project import ProjectState
from specloom.engine.api import Published
from specloom.lsp.capabilities import pulls_diagnostics, refreshes
from specloom.lsp.diagnostics import diagnostic_of
from specloom.lsp.editor_settings import PLACE
from specloom.lsp.positions import TextLines
from specloom.lsp.serving import Hosted
from specloom.lsp.throttle import Throttle

DELAY = 0.05
MOST_QUEUED = 512 * 1024
"""Bytes waiting for the client beyond which nothing is announced."""
REFRESH_DEADLINE = 5.0
_REFRESHES = (
    ("code_lens", types.WORKSPACE_CODE_LENS_REFRESH),
    ("inlay_hint", types.WORKSPACE_INLAY_HINT_REFRESH),
)


@dataclass(frozen=True, slots=True)
class Basis:
    """What diagnostics of a document were made of."""

    problems: tuple[Problem, ...]
    version: int | None
    """Of the client's buffer."""
    document: object
    """As last parsed: the same object as long as its text is the same; `None` for what is not parsed by us."""

    def holds(self, now: "Basis") -> bool:
        """Whether they would be the same again, so that the text need not be read for it."""
        same = self.document is not None and self.document is now.document
        return same and (self.version, self.problems) == (now.version, now.problems)


class Announcer:
    """Keeps the client's diagnostics, lenses and hints true."""

    def __init__(self, hosted: Hosted) -> None:
        self._hosted = hosted
        self._pushed: dict[str, list[types.Diagnostic]] = {}
        self._bases: dict[str, Basis] = {}
        self._pulled: dict[str, tuple[Problem, ...]] = {}
        self._seen: tuple[object, ...] = ()
        self._stopped = False
        self.soon = Throttle(hosted.connection.start, "announce", DELAY, self._announce)
        """Asks for a look at everything."""

    def stop(self) -> None:
        """The root is closed: what was said of its documents is taken back."""
        self._stopped = True
        for path in self._pushed:
            params = types.PublishDiagnosticsParams(uri=self._hosted.places.uri_of(path), diagnostics=[])
            self._hosted.connection.outgoing.notify(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, params)
        self._pushed.clear()
        self._bases.clear()

    def heard(self, published: Published, state: ProjectState) -> None:
        """An event was committed."""
        del published, state
        self.soon()

    async def _announce(self, _: tuple[str, ...]) -> None:
        # Newer ones take the place of those that a client does not read.
        await self._hosted.connection.until_below(MOST_QUEUED)
        if self._stopped:
            return
        await self._announce_problems()
        seen = _visible(self._hosted)
        if _is_same(self._seen, seen):
            return
        self._seen = seen
        capabilities = self._hosted.connection.outgoing.capabilities
        wanted = [method for name, method in _REFRESHES if refreshes(capabilities, name)]
        await asyncio.gather(*(self._refresh(method) for method in wanted))

    async def _announce_problems(self) -> None:
        hosted = self._hosted
        pulls = pulls_diagnostics(hosted.connection.outgoing.capabilities)
        is_open = {path for buffer in hosted.connection.buffers.all() if (path := hosted.path_of(buffer.uri))}
        problems = dict(hosted.problems)
        # The editor's settings are no document: what is wrong with them was a message.
        problems.pop(PLACE, None)
        if len(hosted.connection.roots) > 1:
            # A file in two roots is told of by the deeper one.
            problems = {
                path: found for path, found in problems.items() if hosted.answers_for(hosted.places.uri_of(path))
            }
        pulled = {path: problems.pop(path, ()) for path in is_open} if pulls else {}
        for path in {*problems, *self._pushed}:
            await self._push(path, problems.get(path, ()))
        if pulled != self._pulled:
            self._pulled = pulled
            await self._refresh(types.WORKSPACE_DIAGNOSTIC_REFRESH)

    async def _push(self, path: str, problems: tuple[Problem, ...]) -> None:
        basis = self._basis(path, problems)
        if (before := self._bases.get(path)) is not None and before.holds(basis):
            return
        lines = await self._hosted.text_at(path) if problems else None
        lines = lines or TextLines("", self._hosted.connection.buffers.encoding)
        found = [diagnostic_of(problem, lines) for problem in problems]
        if found:
            self._bases[path] = basis
        else:
            self._bases.pop(path, None)
        if found == self._pushed.get(path, []):
            return
        if found:
            self._pushed[path] = found
        else:
            del self._pushed[path]
        uri = self._hosted.places.uri_of(path)
        buffer = self._hosted.connection.buffers.get(uri)
        version = None if buffer is None else buffer.version
        params = types.PublishDiagnosticsParams(uri=uri, diagnostics=found, version=version)
        self._hosted.connection.outgoing.notify(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, params)

    def _basis(self, path: str, problems: tuple[Problem, ...]) -> Basis:
        runtime = self._hosted.runtime
        buffer = self._hosted.connection.buffers.get(self._hosted.places.uri_of(path))
        document = runtime.spec_at(path) or runtime.requirements_at(path)
        return Basis(problems, None if buffer is None else buffer.version, document)

    async def _refresh(self, method: str) -> None:
        await self._hosted.connection.outgoing.request(method, None, REFRESH_DEADLINE)


def _visible(hosted: Hosted) -> tuple[object, ...]:
    """What lenses and hints are made of."""
    state, run, planning = hosted.state, hosted.state.run, hosted.state.planning
    shown_run = None if run is None else (run.id, run.state, run.reason)
    shown_plan = None if planning is None else (planning.id, planning.state, planning.writing)
    opened = tuple(buffer.uri for buffer in hosted.connection.buffers.all())
    return state.tasks, state.plan, state.approvals, state.requirements, shown_run, shown_plan, opened


def _is_same(before: tuple[object, ...], now: tuple[object, ...]) -> bool:
    """Maps are compared by identity: they are persistent, and comparing them is as dear as showing them."""
    return len(before) == len(now) and all(
        old is new or (isinstance(old, tuple | None) and old == new) for old, new in zip(before, now, strict=True)
    )


async def diagnostic(hosted: Hosted, params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
    """`textDocument/diagnostic`: everything that is wrong with one open document."""
    uri = params.text_document.uri
    path, lines = hosted.path_of(uri), hosted.lines_of(uri)
    problems = () if path is None else hosted.problems.get(path, ())
    text = lines or TextLines("", hosted.connection.buffers.encoding)
    return types.RelatedFullDocumentDiagnosticReport([diagnostic_of(problem, text) for problem in problems])
