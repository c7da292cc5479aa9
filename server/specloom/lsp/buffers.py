"""The texts that this client has open, exactly as it sent them. Refuses to read a disk.

Texts and versions are taken the moment a notification arrives; who waits for a text is woken by each change.
"""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from lsprotocol import types

from specloom.lsp.positions import TextLines, changed


@dataclass(frozen=True, slots=True)
class Buffer:
    """One open document."""

    uri: str
    lines: TextLines
    version: int

    @property
    def text(self) -> str:
        """The whole text."""
        return self.lines.text


class Buffers:
    """All open documents of one client."""

    def __init__(self) -> None:
        self.encoding: str = types.PositionEncodingKind.Utf16.value
        self._followers: list[Follower] = []
        self._open: dict[str, Buffer] = {}
        self._news = asyncio.Event()

    def open(self, item: types.TextDocumentItem) -> None:
        """The client opened a document, or opened it again."""
        opened = Buffer(item.uri, self._lines(item.text), item.version)
        self._open[item.uri] = opened
        for follower in tuple(self._followers):
            follower.opened(opened)
        self._wake()

    def change(self, params: types.DidChangeTextDocumentParams) -> None:
        """The client changed a document; one that it never opened is passed over."""
        uri = params.text_document.uri
        known = self._open.get(uri)
        if known is None:
            return
        text = known.text
        for event in params.content_changes:
            text = changed(text, event, self.encoding)
        after = replace(known, lines=self._lines(text), version=params.text_document.version)
        self._open[uri] = after
        for follower in tuple(self._followers):
            follower.changed(after)
        self._wake()

    def save(self, uri: str) -> None:
        """The client saved a document."""
        known = self._open.get(uri)
        if known is None:
            return
        for follower in tuple(self._followers):
            follower.saved(known)
        self._wake()

    def close(self, uri: str) -> None:
        """The client closed a document."""
        known = self._open.pop(uri, None)
        if known is not None:
            for follower in tuple(self._followers):
                follower.closed(known)
        self._wake()

    @contextmanager
    def followed(self, follower: "Follower") -> Generator[None]:
        """Tells the follower of all that is open, and of every change while the context is open."""
        self._followers.append(follower)
        try:
            for buffer in self.all():
                follower.opened(buffer)
            yield
        finally:
            self._followers.remove(follower)

    def get(self, uri: str) -> Buffer | None:
        """The open document at a URI."""
        return self._open.get(uri)

    def all(self) -> tuple[Buffer, ...]:
        """Every open document."""
        return tuple(self._open.values())

    async def news(self) -> None:
        """Returns after the next open, change, save or close."""
        await self._news.wait()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _lines(self, text: str) -> TextLines:
        return TextLines(text, self.encoding)


class Follower(Protocol):
    """Hears of documents; must return at once."""

    def opened(self, buffer: Buffer) -> None:
        """It is open, maybe again."""
        ...

    def changed(self, buffer: Buffer) -> None:
        """Its text is another one."""
        ...

    def saved(self, buffer: Buffer) -> None:
        """The client saved it."""
        ...

    def closed(self, buffer: Buffer) -> None:
        """It is not open any more."""
        ...
