"""Diagnostics of a document are made anew when they may differ, and its text is not read for the same ones again."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from lsprotocol import types

from specloom.domain.problem import Problem, Span
from specloom.domain.project import ProjectState
from specloom.lsp.buffers import Buffers
from specloom.lsp.features.diagnostics import Announcer
from specloom.lsp.positions import TextLines

PATH = "specs/01-one.md"


class Root:
    """One root of a client, with one spec on disk."""

    def __init__(self, text: str) -> None:
        self.state = ProjectState()
        self.problems = {PATH: (Problem("task-failed", "It failed", PATH, Span(0, 1, 0, 2)),)}
        self.pushed: list[types.PublishDiagnosticsParams] = []
        self.reads = 0
        self.places = SimpleNamespace(uri_of="file:///place/{}".format)
        self.runtime = SimpleNamespace(spec_at=self._spec_at, requirements_at=dict[str, object]().get)
        outgoing = SimpleNamespace(capabilities=types.ClientCapabilities(), notify=self._notify)
        self.connection = SimpleNamespace(
            buffers=Buffers(), roots=(self,), outgoing=outgoing, until_below=self._until_below, start=self._start
        )
        self.change(text)
        self._tasks: list[asyncio.Task[Any]] = []
        self._announcer = Announcer(cast("Any", self))

    def change(self, text: str) -> None:
        """Another text, parsed."""
        self.text, self.document = text, object()

    def _spec_at(self, path: str) -> object:
        assert path == PATH
        return self.document

    def path_of(self, uri: str) -> str:
        """As `Hosted` does."""
        return uri.removeprefix("file:///place/")

    async def text_at(self, path: str) -> TextLines:
        """As `Hosted` does."""
        assert path == PATH
        self.reads += 1
        return TextLines(self.text)

    async def announced(self) -> None:
        """An event was committed, and told."""
        self._announcer.soon()
        async with asyncio.timeout(20):
            await asyncio.gather(*self._tasks)

    def _start(self, work: Any, name: str) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    def _notify(self, method: str, params: Any) -> None:
        assert method == types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS
        self.pushed.append(params)

    async def _until_below(self, _: int) -> None:
        return


async def test_a_document_is_not_read_again_for_problems_that_were_told() -> None:
    root = Root("abc")
    for _ in range(3):
        await root.announced()
    assert (root.reads, len(root.pushed)) == (1, 1)


async def test_a_changed_text_moves_what_is_told_of_it_although_the_problems_are_the_same() -> None:
    root = Root("abc")
    await root.announced()
    root.change("\N{GRINNING FACE}bc")
    await root.announced()
    assert [params.diagnostics[0].range.start.character for params in root.pushed] == [1, 2]


async def test_problems_that_change_and_go_are_told() -> None:
    root = Root("abc")
    await root.announced()
    root.problems = {PATH: (Problem("task-failed", "It failed again", PATH, Span(0, 1, 0, 2)),)}
    await root.announced()
    root.problems = {}
    await root.announced()
    root.problems = {PATH: (Problem("task-failed", "It failed again", PATH, Span(0, 1, 0, 2)),)}
    await root.announced()
    told = [[found.message for found in params.diagnostics] for params in root.pushed]
    assert told == [["It failed"], ["It failed again"], [], ["It failed again"]]
