"""Clients for the engine's tests: a person who answers, and an editor with documents open, both of real code."""

import asyncio
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Literal

from specloom.domain.ids import digest_of
from specloom.engine.api import Question
from specloom.engine.runtime import ProjectRuntime
from specloom.workspace.ports import Applied, EditResult, FileChange, NotApplied, Refusal, TextSnapshot

_NUMBERS = count(1)


class Person:
    """Answers questions by a rule, and remembers what was asked and told. Has no documents open."""

    def __init__(self, answers: Callable[[Question], str | None], *, final: bool = False, name: str = "") -> None:
        self.id = name or f"person-{next(_NUMBERS)}"
        self.final = final
        self.questions: list[Question] = []
        self.told: list[tuple[str, str]] = []
        self._answers = answers

    async def ask(self, question: Question) -> str | None:
        self.questions.append(question)
        return self._answers(question)

    async def tell(self, level: Literal["info", "warning", "error"], message: str) -> None:
        self.told.append((level, message))

    async def apply(self, change: FileChange) -> EditResult:
        return NotApplied(Refusal.CLIENT_REFUSED, f"{change.path} is not open", None)

    async def save(self, paths: tuple[str, ...], deadline: float) -> tuple[str, ...]:
        del deadline
        return paths


def agrees(question: Question) -> str:
    """Yes to everything."""
    return question.choices[0]


def denies(question: Question) -> str:
    """No to everything."""
    return question.choices[-1]


class Editor(Person):
    """Holds buffers as an editor does: versions, undo, dirty until saved, edits refused when they come too late."""

    def __init__(self, runtime: ProjectRuntime, *, saves: bool = True) -> None:
        super().__init__(agrees, name="editor")
        self.saves = saves
        """Whether a request to save is followed."""
        self.refuses = 0
        """How many edits to come are refused."""
        self.saving = asyncio.Event()
        """Set once a save was asked for."""
        self.undo: list[tuple[str, str]] = []
        self._runtime = runtime
        self._texts: dict[str, tuple[str, int]] = {}

    def open(self, path: str) -> None:
        """Opens a file as it is on disk."""
        text = (self._root / path).read_text() if (self._root / path).exists() else ""
        self._texts[path] = (text, 1)
        self._runtime.documents.open(path, text, 1, self)

    def type(self, path: str, text: str) -> None:
        """The buffer's whole text is now this."""
        version = self._texts[path][1] + 1
        self._texts[path] = (text, version)
        self._runtime.documents.change(path, text, version, self)

    def text(self, path: str) -> str:
        """What the buffer holds."""
        return self._texts[path][0]

    def version(self, path: str) -> int:
        """Of the buffer."""
        return self._texts[path][1]

    def write(self, path: str) -> None:
        """Saves the buffer."""
        (self._root / path).write_text(self.text(path))
        self._runtime.documents.saved(path, self)

    async def apply(self, change: FileChange) -> EditResult:
        """As `workspace/applyEdit` with a version: refused when the buffer has moved on."""
        await asyncio.sleep(0)
        present, version = self._texts[change.path]
        if self.refuses:
            self.refuses -= 1
            return NotApplied(Refusal.CLIENT_REFUSED, "the editor said no", self._snapshot(change.path))
        if change.base is None or (change.base.text, change.base.version) != (present, version):
            return NotApplied(Refusal.CHANGED_MEANWHILE, "somebody typed", self._snapshot(change.path))
        self.undo.append((change.path, present))
        self.type(change.path, change.new_text)
        return Applied(self._snapshot(change.path), in_buffer=True)

    async def save(self, paths: tuple[str, ...], deadline: float) -> tuple[str, ...]:
        """As `specloom/document/save`."""
        del deadline
        self.saving.set()
        if not self.saves:
            return paths
        for path in paths:
            await asyncio.to_thread(self.write, path)
        return ()

    def undo_last(self) -> None:
        """As `u`: the text before the newest edit of ours."""
        path, text = self.undo.pop()
        self.type(path, text)

    def _snapshot(self, path: str) -> TextSnapshot:
        text, version = self._texts[path]
        return TextSnapshot(path, text, digest_of(text), version, dirty=True)

    @property
    def _root(self) -> Path:
        return self._runtime.root
