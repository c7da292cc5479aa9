"""What a session is told between its own calls: who changed what, what is gone, and that it has too much open."""

import asyncio
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from specloom.agent.context.collection import Collector
from specloom.agent.context.keeper import ContextKeeper, KeeperPorts, OpenLimits
from specloom.agent.context.watch import Watch
from specloom.agent.session import Conversation, SessionSetup, say
from specloom.domain.events import agents
from specloom.domain.ids import digest_of
from specloom.llm.messages import AssistantMessage, Text, ToolResult, ToolUse, UserMessage
from specloom.tools.changes import UNCHANGED
from specloom.tools.ports import ReadMemory
from specloom.workspace.ports import MissingFileError, TextSnapshot
from tests.unit.agent.context_world import EAGER, SETUP, Anybody, Log

TEXT = "".join(f"line {number}\n" for number in range(1, 41))


@dataclass
class Shelf:
    """Texts by path, each with the number of its changes; counts how often one is read."""

    texts: dict[str, str] = field(default_factory=dict[str, str])
    changes: int = 0
    read_paths: list[str] = field(default_factory=list[str])

    def put(self, path: str, text: str) -> None:
        self.texts[path] = text
        self.changes += 1

    async def stamps(self, paths: Sequence[str]) -> Mapping[str, Hashable]:
        return {path: self.changes for path in paths if path in self.texts}

    async def read(self, path: str) -> TextSnapshot:
        self.read_paths.append(path)
        if path not in self.texts:
            raise MissingFileError(f"{path!r} does not exist")
        return snapshot(path, self.texts[path])


class Still:
    """A clock that stands."""

    def now(self) -> str:
        return "2026-11-21T00:00:00.000Z"

    def monotonic(self) -> float:
        return 0.0


@dataclass
class Desk:
    """A session that has nothing but a keeper."""

    shelf: Shelf
    memory: ReadMemory
    keeper: ContextKeeper
    setup: SessionSetup = SETUP
    log: Log = field(default_factory=Log)
    conversation: Conversation = field(default_factory=lambda: Conversation([say("Work.")]))

    def open(self, path: str, text: str = TEXT) -> None:
        self.shelf.put(path, text)
        self.memory.show(snapshot(path, text))

    async def request(self) -> str:
        """What is said to the model since its last answer, before the next request."""
        before = len(self.conversation.book.entries)
        await self.keeper.before_request(self.setup, self.conversation, self.log)
        new = range(before, len(self.conversation.book.entries))
        told = "\n".join(self.conversation.text_of(number) for number in new)
        self.conversation.add_answer(AssistantMessage((Text.of("Yes."),)))
        return told

    def noted(self, kind: type[agents.AgentEvent]) -> int:
        return sum(isinstance(event, kind) for event in self.log.noted)


def snapshot(path: str, text: str) -> TextSnapshot:
    return TextSnapshot(path, text, digest_of(text.encode()))


@pytest.fixture
def desk() -> Desk:
    shelf, memory = Shelf(), ReadMemory()
    ports = KeeperPorts(
        Watch(shelf, memory), Anybody(), Still(), lambda text: text.replace("sk-1", "***"), lambda: OpenLimits(2, 900)
    )
    return Desk(shelf, memory, ContextKeeper(ports))


async def test_a_change_by_the_user_is_told_with_present_numbers_and_by_whom(desk: Desk) -> None:
    desk.open("a.py")
    assert await desk.request() == ""
    desk.shelf.put("a.py", "above\n" + TEXT)
    told = await desk.request()
    assert told.startswith("a.py was changed by the user.")
    assert "1 | above" in told
    assert "Old lines 1-40 → 2-41" in told
    assert await desk.request() == "", "once"


async def test_a_change_by_a_command_names_the_command(desk: Desk) -> None:
    desk.open("a.py")
    await desk.request()
    async with desk.keeper.ports.watch.during("make fmt"):
        desk.shelf.put("a.py", TEXT.replace("line 7\n", "LINE 7\n"))
    assert "a.py was changed by your command `make fmt`." in await desk.request()


async def test_both_are_named_when_both_changed_it(desk: Desk) -> None:
    desk.open("a.py")
    await desk.request()
    desk.shelf.put("a.py", TEXT.replace("line 2\n", "LINE 2\n"))
    async with desk.keeper.ports.watch.during("make fmt"):
        desk.shelf.put("a.py", TEXT.replace("line", "LINE"))
    assert "changed by the user and your command `make fmt`" in await desk.request()


async def test_a_change_in_many_places_shows_the_file_as_it_stands(desk: Desk) -> None:
    desk.open("a.py")
    await desk.request()
    rows = TEXT.splitlines(keepends=True)
    desk.shelf.put("a.py", "".join(row.upper() if at % 3 == 0 else row for at, row in enumerate(rows)))
    told = await desk.request()
    assert told.startswith("a.py as it stands now (40 lines); it was changed by the user.")
    assert "40 | LINE 40" in told


async def test_a_file_that_is_gone_is_open_no_more(desk: Desk) -> None:
    desk.open("a.py")
    await desk.request()
    del desk.shelf.texts["a.py"]
    assert "a.py is gone" in await desk.request()
    assert desk.memory.bases == {}
    added = next(event for event in desk.log.noted if isinstance(event, agents.MessageAdded))
    assert added.shown == (("a.py", ""),)


def reads(conversation: Conversation, path: str, text: str, number: int) -> None:
    """The session reads a file."""
    raw = {"type": "tool_use", "id": f"c{number}", "name": "read_file", "input": {"path": path}}
    call = ToolUse(f"c{number}", "read_file", {"path": path}, raw)
    conversation.add_answer(AssistantMessage((call,)))
    conversation.add_user(UserMessage((ToolResult.of(call.id, f"{path} (40 lines)\n{text}"),)))


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (None, "[read_file a.py: the file is gone]"),
        ("x\n" * 40_000, "[read_file a.py: outdated, the file was changed since]"),
    ],
)
async def test_views_of_a_file_that_is_gone_do_not_say_that_it_was_closed(
    desk: Desk, after: str | None, said: str
) -> None:
    desk.keeper.collector = Collector(EAGER)
    desk.open("a.py")
    reads(desk.conversation, "a.py", TEXT * 10, 1)
    await desk.request()
    if after is None:
        del desk.shelf.texts["a.py"]
    else:
        desk.shelf.put("a.py", after)
    await desk.request()
    await desk.request()
    assert desk.conversation.text_of(2) == said


async def test_a_session_that_was_given_more_turns_is_still_tidied(desk: Desk) -> None:
    desk.keeper.collector = Collector(EAGER)
    desk.setup = replace(SETUP, max_turns=2)
    desk.open("a.py")
    reads(desk.conversation, "a.py", TEXT * 10, 1)
    await desk.request()
    desk.conversation.add_answer(AssistantMessage((Text.of("What is behind a collapse costs. " * 200),)))
    reads(desk.conversation, "a.py", TEXT * 10, 2)
    await desk.request()
    await desk.request()
    assert desk.noted(agents.ContextCollapsed)


async def test_views_of_a_file_that_the_agent_deleted_say_so(desk: Desk) -> None:
    desk.keeper.collector = Collector(EAGER)
    desk.open("lib/a.py")
    reads(desk.conversation, "lib/a.py", TEXT * 10, 1)
    await desk.request()
    desk.memory.close("lib/a.py")
    raw = {"type": "tool_use", "id": "d", "name": "delete_file", "input": {"path": "lib"}}
    desk.conversation.add_answer(AssistantMessage((ToolUse("d", "delete_file", {"path": "lib"}, raw),)))
    desk.conversation.add_user(UserMessage((ToolResult.of("d", "lib deleted with 1 file: lib/a.py"),)))
    await desk.request()
    await desk.request()
    assert desk.conversation.text_of(2) == "[read_file lib/a.py: the file is gone]"


async def test_an_edit_that_found_nothing_to_change_behind_a_read_makes_no_news_of_what_was_read(desk: Desk) -> None:
    desk.open("a.py")
    await desk.request()
    now = TEXT.replace("line 2\n", "")
    desk.open("a.py", now)
    answers = {
        "r": (
            "read_file",
            "a.py (39 lines)\n" + "\n".join(f"{n} | {row}" for n, row in enumerate(now.splitlines(), 1)),
        ),
        "e": ("edit_file", f"a.py {UNCHANGED}"),
    }
    calls = [
        ToolUse(call, name, {"path": "a.py"}, {"type": "tool_use", "id": call, "name": name, "input": {"path": "a.py"}})
        for call, (name, _) in answers.items()
    ]
    desk.conversation.add_answer(AssistantMessage(tuple(calls)))
    desk.conversation.add_user(UserMessage(tuple(ToolResult.of(call, said) for call, (_, said) in answers.items())))
    assert await desk.request() == ""


async def test_what_is_told_is_redacted_and_recorded_as_it_is_sent(desk: Desk) -> None:
    desk.open("a.py")
    await desk.request()
    desk.shelf.put("a.py", TEXT + "key sk-1\n")
    told = await desk.request()
    added = next(event for event in desk.log.noted if isinstance(event, agents.MessageAdded))
    assert "41 | key ***" in told
    assert "41 | key ***" in added.content
    assert added.shown == (("a.py", digest_of((TEXT + "key sk-1\n").encode())),)


async def test_a_file_whose_stamp_is_the_same_is_not_read_again(desk: Desk) -> None:
    desk.open("a.py")
    for _ in range(5):
        await desk.request()
    assert desk.shelf.read_paths == ["a.py"]


async def test_a_crowd_of_files_is_warned_of_once_a_crossing(desk: Desk) -> None:
    for name in ("a.py", "b.py"):
        desk.open(name, "x\n")
    assert await desk.request() == ""
    desk.open("c.py", "x\n")
    assert "3 files, 6 characters" in await desk.request()
    assert await desk.request() == ""
    assert desk.noted(agents.OpenFilesWarned) == 1
    desk.memory.close("c.py")
    await desk.request()
    desk.open("c.py", TEXT * 4)
    assert "3 files" in await desk.request()
    assert desk.noted(agents.OpenFilesWarned) == 2


async def test_much_text_is_warned_of_too(desk: Desk) -> None:
    desk.open("a.py", TEXT * 3)
    assert "1 file, 933 characters" in await desk.request()


async def test_everything_that_was_told_goes_out_as_words_of_ours(desk: Desk) -> None:
    desk.open("a.py")
    await desk.request()
    desk.shelf.put("a.py", "above\n" + TEXT)
    await desk.request()
    newest = [message for message in desk.conversation.messages if isinstance(message, UserMessage)][-1]
    assert all(isinstance(block, Text) for block in newest.blocks)


async def test_large_files_are_compared_beside_the_loop(desk: Desk) -> None:
    """Whoever shares the loop goes on meanwhile."""
    large = "".join(f"line {number} of a large file\n" for number in range(60_000))
    desk.open("a.py", large)
    await desk.request()
    desk.shelf.put("a.py", "above\n" + large)
    working = asyncio.create_task(desk.request())
    turns = 0
    while not working.done():
        await asyncio.sleep(0)
        turns += 1
    assert "Old lines 1-60000 → 2-60001" in working.result()
    assert turns > 10
