"""The watcher, on a real file system: news once, echoes never, folders that come and go."""

import asyncio
import shutil
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from watchfiles import Change

from specloom.domain.ids import digest_of
from specloom.llm.scripted.server import ScriptedServer
from specloom.workspace.documents import OpenDocuments
from specloom.workspace.own_writes import OwnWrites
from specloom.workspace.ports import Applied, FileChange
from specloom.workspace.watcher import FileEvent, Watcher
from specloom.workspace.workspace import Workspace
from tests.integration.projects import hosted
from tests.integration.stage import project, task, until
from tests.integration.watches import AWATCH, without_watches


@dataclass
class News:
    """What was delivered."""

    events: list[FileEvent] = field(default_factory=list[FileEvent])
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def deliver(self, events: tuple[FileEvent, ...]) -> None:
        self.events += events
        self.came.set()

    async def next(self, seconds: float = 10.0) -> list[FileEvent]:
        """The next delivery, with all that came before it."""
        async with asyncio.timeout(seconds):
            await self.came.wait()
        self.came.clear()
        events, self.events = self.events, []
        return events


def follows(path: str) -> bool:
    return path in {"requirements.md", "specloom.toml"} or (path.startswith("specs/") and path.endswith(".md"))


@pytest.fixture
def news() -> News:
    return News()


@pytest.fixture
async def watcher(tmp_path: Path, news: News) -> AsyncIterator[Watcher]:
    root = tmp_path / "root"
    await asyncio.to_thread(root.mkdir)
    await asyncio.to_thread((root / "requirements.md").write_text, "one")
    watcher = Watcher(root, follows, ("specs", ".kiro/specs"), news.deliver)
    await watcher.start()
    yield watcher
    await watcher.stop()


async def write(path: Path, text: str) -> None:
    """At once: of a file that is emptied first, a watcher may tell that, too."""
    await asyncio.to_thread(_written, path, text)


def _written(path: Path, text: str) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(path)


async def test_change_creation_and_deletion_are_told(watcher: Watcher, news: News) -> None:
    await write(watcher.root / "requirements.md", "two")
    assert await news.next() == [FileEvent("requirements.md", "changed")]
    await write(watcher.root / "specloom.toml", "")
    assert await news.next() == [FileEvent("specloom.toml", "changed")]
    await asyncio.to_thread((watcher.root / "requirements.md").unlink)
    assert await news.next() == [FileEvent("requirements.md", "deleted")]


async def test_other_files_and_touched_ones_are_no_news(watcher: Watcher, news: News) -> None:
    await write(watcher.root / "other.md", "x")
    await asyncio.to_thread((watcher.root / "requirements.md").touch)
    await write(watcher.root / "requirements.md", "one")
    await write(watcher.root / "specloom.toml", "last")
    assert await news.next() == [FileEvent("specloom.toml", "changed")]


async def test_folder_that_appears_is_followed_with_what_is_in_it(watcher: Watcher, news: News) -> None:
    await asyncio.to_thread((watcher.root / "specs" / "deep").mkdir, parents=True)
    await write(watcher.root / "specs" / "deep" / "01.md", "x")
    assert await news.next() == [FileEvent("specs/deep/01.md", "changed")]
    await write(watcher.root / "specs" / "deep" / "01.md", "y")
    assert await news.next() == [FileEvent("specs/deep/01.md", "changed")]


async def test_folder_that_goes_and_comes_back_is_followed_again(watcher: Watcher, news: News) -> None:
    folder = watcher.root / "specs"
    for text in ("first", "second"):
        await asyncio.to_thread(folder.mkdir)
        await write(folder / "01.md", text)
        assert await news.next() == [FileEvent("specs/01.md", "changed")]
        await asyncio.to_thread((folder / "01.md").unlink)
        await asyncio.to_thread(folder.rmdir)
        assert await news.next() == [FileEvent("specs/01.md", "deleted")]


@pytest.mark.parametrize("name", ["specs", "."])
async def test_folder_that_is_replaced_at_once_is_followed_again(watcher: Watcher, news: News, name: str) -> None:
    folder, aside = watcher.root / name, watcher.root.parent / "aside"
    await asyncio.to_thread((watcher.root / "specs").mkdir)
    await write(watcher.root / "specs/a.md", "one")
    await news.next()
    await asyncio.to_thread(shutil.copytree, folder, aside)
    await asyncio.to_thread(shutil.rmtree, folder)
    await asyncio.to_thread(aside.rename, folder)
    await write(watcher.root / "specs/a.md", "two")
    await news.next()
    await watcher.look()
    news.events.clear()
    await write(watcher.root / "specs/a.md", "three")
    while FileEvent("specs/a.md", "changed") not in news.events:
        await asyncio.wait_for(news.came.wait(), 10)
        news.came.clear()


async def test_replaced_file_is_one_change(watcher: Watcher, news: News) -> None:
    await write(watcher.root / "new", "replaced")
    await asyncio.to_thread((watcher.root / "new").replace, watcher.root / "requirements.md")
    assert await news.next() == [FileEvent("requirements.md", "changed")]


async def test_own_write_is_no_news_but_the_next_of_others_is(watcher: Watcher, news: News) -> None:
    workspace = await asyncio.to_thread(Workspace.at, watcher.root)
    watcher.own_writes = workspace.own_writes
    base = await workspace.read("requirements.md")
    assert isinstance(await workspace.apply(FileChange("requirements.md", "ours", base)), Applied)
    await write(watcher.root / "specloom.toml", "marker")
    assert await news.next() == [FileEvent("specloom.toml", "changed")]
    await write(watcher.root / "requirements.md", "theirs")
    assert await news.next() == [FileEvent("requirements.md", "changed")]
    await write(watcher.root / "requirements.md", "ours")
    assert await news.next() == [FileEvent("requirements.md", "changed")]


async def test_stopped_watcher_is_silent_and_starts_again(watcher: Watcher, news: News) -> None:
    await watcher.stop()
    await watcher.stop()
    await write(watcher.root / "requirements.md", "while stopped")
    await watcher.start()
    await write(watcher.root / "specloom.toml", "marker")
    assert await news.next() == [FileEvent("specloom.toml", "changed")]


async def test_failing_receiver_is_told_at_the_stop(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def fail(events: tuple[FileEvent, ...]) -> None:
        raise LookupError(events[0].path)

    logged = asyncio.Event()
    caplog.handler.addFilter(lambda _: logged.set() is None)
    watcher = Watcher(tmp_path, follows, (), fail)
    await watcher.start()
    await write(tmp_path / "requirements.md", "x")
    async with asyncio.timeout(10):
        await logged.wait()
    with pytest.raises(LookupError, match=r"requirements\.md"):
        await watcher.stop()


def test_register_forgets_what_did_not_happen() -> None:
    register = OwnWrites()
    register.remember("a", digest_of("x"))
    assert register.is_echo("a", digest_of("x"))
    assert not register.is_echo("b", digest_of("x"))
    register.forget("a")
    assert not register.is_echo("a", digest_of("x"))


def test_documents_know_nothing_of_a_file_never_opened() -> None:
    documents = OpenDocuments()
    assert documents.find("a") is None
    assert documents.paths() == documents.dirty_paths() == ()


async def test_stop_at_any_moment_ends_the_watch(tmp_path: Path, news: News) -> None:
    """Among others while it begins again for a new folder."""
    watcher = Watcher(tmp_path, follows, ("specs",), news.deliver)
    for steps in range(30):
        await watcher.start()
        folder = tmp_path / "specs" / str(steps)
        await asyncio.to_thread(folder.mkdir, parents=True)
        await asyncio.sleep(steps * 0.004)
        async with asyncio.timeout(10):
            await watcher.stop()


async def test_files_are_looked_at_again_and_again_where_the_system_has_no_watches_left(
    tmp_path: Path, news: News, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(AWATCH, without_watches)
    watcher = Watcher(tmp_path, follows, ("specs",), news.deliver)
    await watcher.start()
    try:
        await write(tmp_path / "requirements.md", "two")
        assert await news.next() == [FileEvent("requirements.md", "changed")]
        assert "raise fs.inotify.max_user_watches" in watcher.trouble
        assert watcher.trouble in caplog.text
    finally:
        await watcher.stop()


async def test_a_watcher_that_ended_says_so(tmp_path: Path) -> None:
    ended = asyncio.Event()

    async def breaks(_: tuple[FileEvent, ...]) -> None:
        ended.set()
        raise ValueError("a bug")

    watcher = Watcher(tmp_path, follows, ("specs",), breaks)
    await watcher.start()
    assert watcher.trouble == ""
    await write(tmp_path / "requirements.md", "two")
    await ended.wait()
    async with asyncio.timeout(10):
        while not watcher.trouble:  # noqa: ASYNC110 - the task that ends is its own
            await asyncio.sleep(0.01)
    assert "start Specloom again" in watcher.trouble
    with pytest.raises(ValueError, match="a bug"):
        await watcher.stop()


async def test_what_somebody_else_heard_of_is_told_once(watcher: Watcher, news: News) -> None:
    await write(watcher.root / "requirements.md", "two")
    await asyncio.gather(*(watcher.look() for _ in range(5)))
    await write(watcher.root / "specloom.toml", "last")
    found: list[FileEvent] = []
    while FileEvent("specloom.toml", "changed") not in found:
        found += await news.next()
    assert found.count(FileEvent("requirements.md", "changed")) == 1


class Held:
    """A system that tells of changes when it is let, and of all at once."""

    def __init__(self) -> None:
        self.let = asyncio.Event()

    async def __call__(self, *folders: Path, **options: Any) -> AsyncGenerator[set[tuple[Change, str]]]:
        del options
        while True:
            await self.let.wait()
            self.let.clear()
            yield {(Change.modified, str(folder)) for folder in folders}


@pytest.mark.parametrize("taken_back", ["change", "creation", "removal"])
async def test_what_was_read_before_it_was_taken_back_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken_back: str
) -> None:
    held = Held()
    monkeypatch.setattr(AWATCH, held)
    root = project(tmp_path / "p", task(1, "true"))
    other, both = root / "specs" / "02-other.md", "# Other\n\n## Tasks\n\n- [ ] 1 Other\n"
    await write(other, both) if taken_back == "removal" else None
    async with ScriptedServer({"sessions": []}, keep=None) as server, hosted(root, server) as runtime:
        first = runtime.state.graph.order
        await (asyncio.to_thread(other.unlink) if taken_back == "removal" else write(other, both))
        if taken_back == "change":
            await runtime.look()
            first = runtime.state.graph.order
            await write(other, both.replace("1 Other", "7 Other"))
        await runtime.refresh()
        assert runtime.state.graph.order != first
        await (asyncio.to_thread(other.unlink) if taken_back == "creation" else write(other, both))
        held.let.set()
        await until(runtime, lambda state: state.graph.order == first)
