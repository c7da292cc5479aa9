"""This client as the engine knows it: changes and saves its open documents, asks and tells its person.

Refuses to believe an answer: only the text that comes back counts. Clients answer `applied: true` for edits that they
dropped (Neovim, a stale version), errors (eglot), `null`, or nothing.
"""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from lsprotocol import types

from specloom.domain.ids import digest_of
from specloom.domain.merge import Merged, merge
from specloom.engine.api import Question
from specloom.lsp.buffers import Buffer, Buffers
from specloom.lsp.capabilities import applies_edits, puts_questions, saves_documents, versions_edits
from specloom.lsp.disk import text_on_disk
from specloom.lsp.outgoing import Outgoing
from specloom.lsp.text_edits import line_edits
from specloom.lsp.uris import Places
from specloom.workspace.encoding import encode
from specloom.workspace.ports import Applied, EditResult, FileChange, NotApplied, Refusal, TextSnapshot

ANSWER_DEADLINE = 4.0
"""Seconds that a client has to answer an edit."""
ECHO_DEADLINE = 4.0
"""Seconds in which the changed text must come back; Neovim debounces its changes by 150 ms."""
UNSURE_DEADLINE = 1.0
"""The same for a client that did not say that it changed the text."""
DISK_EVERY = 0.25
"""Seconds between looks at the disk, for clients that save without saying so."""
ASK_DEADLINE = 3600.0
MOST_CHOICES = 4
"""More buttons than that are cut off by some clients."""

_LEVELS = {
    "info": types.MessageType.Info,
    "warning": types.MessageType.Warning,
    "error": types.MessageType.Error,
}


class ClientPort:
    """Implements `engine.api.Client`."""

    final = False

    def __init__(self, client_id: str, outgoing: Outgoing, buffers: Buffers, places: Places) -> None:
        self.id = client_id
        self._outgoing = outgoing
        self._buffers = buffers
        self._places = places

    async def apply(self, change: FileChange) -> EditResult:
        """One undo step of as few lines as the change needs; believed when the text has come back."""
        buffer = self._buffer_of(change.path)
        base = change.base
        if buffer is None or base is None:
            return NotApplied(Refusal.CLIENT_REFUSED, f"{change.path!r} is not open in this editor", None)
        if buffer.text != base.text:
            return _changed(change.path, _snapshot(base, buffer))
        if change.new_text == base.text:
            return Applied(_snapshot(base, buffer), in_buffer=True)
        if not applies_edits(self._outgoing.capabilities):
            message = f"the editor that has {change.path!r} open takes no edits; close the file there, then try again"
            return NotApplied(Refusal.CLIENT_REFUSED, message, _snapshot(base, buffer))
        answer = await self._outgoing.request(
            types.WORKSPACE_APPLY_EDIT, self._edit(buffer, change.new_text, change.label), ANSWER_DEADLINE
        )
        return await self._believe(change, base, answer)

    async def save(self, paths: tuple[str, ...], deadline: float) -> tuple[str, ...]:
        """Asks for documents to be saved; answers those still dirty after `deadline` seconds."""
        asking = asyncio.create_task(self._ask_to_save(paths, deadline))
        try:
            async with asyncio.timeout(deadline):
                while dirty := await self._dirty(paths):
                    await _first_of(self._buffers.news(), asyncio.sleep(DISK_EVERY))
        except TimeoutError:
            dirty = await self._dirty(paths)
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        return dirty

    async def ask(self, question: Question) -> str | None:
        """The chosen text; `None` when the person dismissed it, or it is not put this way to this client."""
        if not 0 < len(question.choices) <= MOST_CHOICES or puts_questions(self._outgoing.capabilities):
            return None
        answer = await self._choose(f"{question.purpose}\n\n{question.subject}", question.choices, ASK_DEADLINE)
        return answer if answer in question.choices else None

    async def tell(self, level: Literal["info", "warning", "error"], message: str) -> None:
        """Shows a message."""
        self._outgoing.show(_LEVELS[level], message)

    def _buffer_of(self, path: str) -> Buffer | None:
        found = (buffer for buffer in self._buffers.all() if self._places.path_of(buffer.uri) == path)
        return next(found, None)

    def _edit(self, buffer: Buffer, new_text: str, label: str) -> types.ApplyWorkspaceEditParams:
        edits = line_edits(buffer.lines, new_text)
        if versions_edits(self._outgoing.capabilities):
            document = self._outgoing.versioned(buffer.uri, buffer.version)
            edit = types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(document, edits)])
        else:
            edit = types.WorkspaceEdit(changes={buffer.uri: edits})
        return types.ApplyWorkspaceEditParams(edit=edit, label=label or None)

    async def _believe(self, change: FileChange, base: TextSnapshot, answer: Any) -> EditResult:
        """What became of an edit, by the text that comes back."""
        claimed = getattr(answer, "applied", None)
        await self._echo(change, base, 0.0 if claimed is False else ECHO_DEADLINE if claimed else UNSURE_DEADLINE)
        present = self._buffer_of(change.path)
        if present is None:
            return _changed(change.path, None)
        snapshot = _snapshot(base, present)
        if _holds(present.text, change, base):
            return Applied(snapshot, in_buffer=True)
        if present.text != base.text:
            return _changed(change.path, snapshot)
        if claimed is False:
            reason = getattr(answer, "failure_reason", None) or "it gave no reason"
            return NotApplied(
                Refusal.CLIENT_REFUSED, f"the editor refused to change {change.path!r}: {reason}", snapshot
            )
        message = f"the editor did not change {change.path!r}; read the file again before the next change"
        return NotApplied(Refusal.CLIENT_SILENT, message, snapshot)

    async def _echo(self, change: FileChange, base: TextSnapshot, deadline: float) -> None:
        """Returns when the buffer holds the change, was closed, or the deadline is over."""
        try:
            async with asyncio.timeout(deadline):
                while (buffer := self._buffer_of(change.path)) is not None:
                    if _holds(buffer.text, change, base):
                        return
                    if buffer.text == base.text:
                        await self._buffers.news()
                        continue
                    # Typed over: if the edit is in at all, the client tells of it with its next change.
                    async with asyncio.timeout(UNSURE_DEADLINE):
                        await self._buffers.news()
        except TimeoutError:
            return

    async def _ask_to_save(self, paths: tuple[str, ...], deadline: float) -> None:
        uris = [buffer.uri for path in paths if (buffer := self._buffer_of(path)) is not None]
        if saves_documents(self._outgoing.capabilities):
            await self._outgoing.request("specloom/document/save", {"uris": uris}, deadline)
            return
        files = "1 file" if len(paths) == 1 else f"{len(paths)} files"
        await self._choose(f"Save {files} so that verification can run: {', '.join(paths)}", ("OK",), deadline)

    async def _choose(self, message: str, choices: tuple[str, ...], deadline: float) -> str | None:
        params = types.ShowMessageRequestParams(
            types.MessageType.Info, message, [types.MessageActionItem(choice) for choice in choices]
        )
        answer = await self._outgoing.request(types.WINDOW_SHOW_MESSAGE_REQUEST, params, deadline)
        return getattr(answer, "title", None)

    async def _dirty(self, paths: tuple[str, ...]) -> tuple[str, ...]:
        texts = {path: buffer.text for path in paths if (buffer := self._buffer_of(path)) is not None}
        return await asyncio.to_thread(_differing, self._places.root, texts)


def _differing(root: Path, texts: dict[str, str]) -> tuple[str, ...]:
    """Paths whose text on disk is another one."""
    return tuple(path for path, text in texts.items() if text_on_disk(root / path) != text)


def _holds(text: str, change: FileChange, base: TextSnapshot) -> bool:
    """Whether a text is the changed one, perhaps with more typed since.

    Editors that end each file with a line end, as Neovim does, add one that is missing.
    """
    if text in {change.new_text, base.text}:
        return text == change.new_text
    if not change.new_text.endswith(("\n", "\r")) and text in {change.new_text + "\n", change.new_text + "\r\n"}:
        return True
    merged = merge(base.text, change.new_text, text)
    return isinstance(merged, Merged) and merged.text == text


def _snapshot(base: TextSnapshot, buffer: Buffer) -> TextSnapshot:
    try:
        data = encode(buffer.text, base.encoding, base.bom)
    except UnicodeEncodeError:
        data = buffer.text.encode("utf-8", "surrogatepass")
    dirty = base.dirty or buffer.text != base.text
    return replace(base, text=buffer.text, digest=digest_of(data), version=buffer.version, dirty=dirty)


def _changed(path: str, present: TextSnapshot | None) -> NotApplied:
    message = f"{path!r} was changed in the editor meanwhile; read it again and repeat the change"
    return NotApplied(Refusal.CHANGED_MEANWHILE, message, present)


async def _first_of(*waits: Any) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
