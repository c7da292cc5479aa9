"""Who comes in the middle of an answer is told all of it, once: from memory, then live, whatever happens meanwhile."""

import asyncio
import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import example, given
from hypothesis import strategies as st

from specloom.domain.events import agents, planning
from specloom.domain.events.agents import AgentEvent
from specloom.domain.evolve import EMPTY
from specloom.domain.ids import CallId, PlanId, SessionId, SpecId
from specloom.domain.origin import Origin
from specloom.domain.usage import UsageTotal
from specloom.engine.api import Published
from specloom.engine.output import CommandOutput, OutputHub, TurnSink
from specloom.llm.scripted.server import ScriptedServer
from specloom.lsp.features.output import Said, SharedOutput
from tests.integration.projects import WRITES, greeter, session
from tests.lsp.editor import Editor, editing

PATH = "specs/01-a.md"
Block = tuple[str, str, str]


class Late:
    """What a client shows that holds to the protocol."""

    def __init__(self, open_before: frozenset[Block]) -> None:
        self.shown: dict[Block, str] = {}
        self.open_before = open_before

    def heard(self, said: Said) -> None:
        """As `OutputStream` does."""
        for part in said.frames.split(b"Content-Length: ")[1:]:
            params = json.loads(part.partition(b"\r\n\r\n")[2])["params"]
            key = (params["sessionId"], params["block"], params["kind"])
            assert params["dropped"] == 0
            self.shown[key] = ("" if params["fromStart"] else self.shown[key]) + params["text"]


class Talk:
    """Two sessions that talk, and all who ever came to listen."""

    def __init__(self) -> None:
        self.hub, self.shared, self.stack = OutputHub(), SharedOutput(), ExitStack()
        runtime = SimpleNamespace(watch_output=self.hub.watch, said_so_far=self.hub.open.so_far, state=EMPTY)
        self.hosted = cast("Any", SimpleNamespace(runtime=runtime))
        self.open: dict[Block, str] = {}
        self.late: list[Late] = []
        self.turns = {"a": 1, "b": 1}
        self.sinks: dict[str, TurnSink] = {}
        self.calls: dict[str, CommandOutput] = {}
        for each in self.turns:
            self._turn(each)

    def _turn(self, session: str) -> None:
        self.sinks[session] = self.hub.sink(SessionId(session), self.turns[session])
        call = CallId(f"call-{self.turns[session]}")
        self.calls[session] = self.hub.command(SessionId(session), call)
        self._commit(agents.ToolRequested(SessionId(session), call, "run_command", "{}"))

    def say(self, session: str, what: str, text: str) -> None:
        """More of a block."""
        turn = self.turns[session]
        if what == "command":
            key = (session, f"call-{turn}", what)
            self.calls[session].chunk(text)
        elif what == "spec":
            key = (session, "01", what)
            self.hub.spec(SessionId(session), SpecId("01"), PATH, text)
        else:
            key = (session, f"{turn}.{len(what)}", what)
            self.sinks[session].delta(len(what), cast("Any", what), text)
        self.open[key] = self.open.get(key, "") + text

    def end(self, session: str, how: str) -> None:
        """The event of something is committed."""
        name, turn = SessionId(session), self.turns[session]
        call = CallId(f"call-{turn}")
        answered: dict[str, AgentEvent | planning.SpecWritten] = {
            "finished": agents.TurnFinished(name, turn, "[]", "end_turn", UsageTotal(), "m"),
            "failed": agents.TurnFailed(name, turn, "broken", "It broke"),
            "settled": agents.ToolSettled(name, call, "run_command", is_error=False, content="{}"),
            "written": planning.SpecWritten(PlanId("p"), SpecId("01"), PATH, planning.PlanStage.SPECS, ""),
        }
        self._commit(answered[how])
        over: dict[str, Callable[[Block], bool]] = {
            "finished": lambda key: key[:1] == (session,) and key[1].startswith(f"{turn}."),
            "settled": lambda key: key[:2] == (session, call),
            "written": lambda key: key[2] == "spec",
        }
        is_over = over["finished" if how == "failed" else how]
        self.open = {key: text for key, text in self.open.items() if not is_over(key)}
        if how in ("failed", "settled"):
            # A failed turn is asked again by the same number; a call that is settled is followed by another.
            self.turns[session] += how == "settled"
            self.end(session, "finished") if how == "settled" else None
            self._turn(session)

    def _commit(self, event: AgentEvent | planning.SpecWritten) -> None:
        self.hub.hear(Published(1, "2026-11-21T10:00:00.000Z", Origin("engine"), event), EMPTY)

    def come(self) -> None:
        """One more listens from now on; nothing waits then for the others."""
        late = Late(frozenset(self.open))
        leaving = ExitStack()
        leaving.enter_context(self.shared.joined(cast("Any", late), self.hosted))
        self.stack.push(leaving)
        self.late.append(late)
        self.look()

    def look(self) -> None:
        """Everybody shows what is open."""
        for late in self.late:
            assert {key: late.shown.get(key) for key in self.open} == self.open
        newest = self.late[-1]
        assert set(newest.shown) == newest.open_before, "and nothing that the log holds"


WORDS = st.text("ab\n☃", min_size=1, max_size=5)
SAYS = st.tuples(
    st.just("say"), st.sampled_from("ab"), st.sampled_from(("text", "thinking", "tool_input", "command", "spec")), WORDS
)
ENDS = st.tuples(st.just("end"), st.sampled_from("ab"), st.sampled_from(("failed", "settled", "written")))
STEPS = st.one_of(SAYS, SAYS, SAYS, ENDS, st.tuples(st.just("come")), st.tuples(st.just("wait")))


@given(st.lists(STEPS, max_size=40))
@example([("come",), ("say", "a", "text", "broken"), ("end", "a", "failed"), ("say", "a", "text", "whole")])
def test_whoever_comes_whenever_sees_exactly_what_is_open_once(steps: list[tuple[str, ...]]) -> None:
    async def story() -> None:
        talk = Talk()
        with talk.stack:
            for name, *rest in steps:
                if name == "wait":
                    await asyncio.sleep(0)
                else:
                    getattr(talk, name)(*rest)
            talk.come()

    asyncio.run(story())


SAID = "I look at it word by word, and then I write it. " * 5
HELD: dict[str, Any] = {"answer": [{"text": SAID}, WRITES[0]["answer"][1]], "hold": "turn", "hold_after_events": 9}
BEGUN = SAID[:48]
"""What six deltas of it say."""


async def test_a_window_that_is_reloaded_in_the_middle_of_an_answer_shows_all_of_it_once(tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    script = {"sessions": [session("1.1", "# Task 01/1.1 (attempt 1)", turns=[HELD, WRITES[1]])]}
    async with ScriptedServer(script, delta_chars=8) as server, editing(root, options=settings(server)) as editor:
        await editor.subscribe(output=True)
        await editor.command("specloom.run.start", {"scope": {"kind": "task", "id": "01/1.1"}})
        await editor.until(lambda: _shown(editor) == BEGUN, "the begin of the answer")
        for since in (0, editor.events[-1]["seq"], None):
            editor.output.clear()
            await editor.subscribe(output=True, since=since)
            await editor.until(lambda: editor.output, "what was said so far")
            assert [(piece["text"], piece["fromStart"]) for piece in editor.output] == [(BEGUN, True)]
        server.release("turn")
        await editor.event("turnFinished", turn=1)
        assert _shown(editor).startswith(BEGUN), "it went on where it was"
        assert SAID.startswith(_shown(editor))
        editor.output.clear()
        await editor.subscribe(output=True)
        await editor.event("runFinished")
        assert not [piece for piece in editor.output if piece["block"].startswith("1.")]


def settings(server: ScriptedServer) -> dict[str, Any]:
    """The editor's settings for a scripted model."""
    return {"models": {"default": {"model": "scripted-1", "base_url": server.base_url}}}


def _shown(editor: Editor) -> str:
    shown = ""
    for piece in editor.output:
        if (piece["kind"], piece["block"]) == ("text", "1.0"):
            shown = piece["text"] if piece["fromStart"] else shown + piece["text"]
    return shown


PRINTS = {"tool": "run_command", "input": {"command": "echo begun; until [ -e go ]; do sleep 0.05; done; echo ended"}}


async def test_whoever_comes_while_a_command_runs_is_told_what_it_printed_until_it_has_ended(tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    turns = [{"answer": [PRINTS]}, {"answer": [{"text": "Well"}], "hold": "turn"}]
    script = {"sessions": [session("1.1", "# Task 01/1.1 (attempt 1)", turns=turns)]}
    async with ScriptedServer(script) as server, editing(root, options=settings(server)) as editor:
        await editor.subscribe(output=True)
        await editor.command("specloom.run.start", {"scope": {"kind": "task", "id": "01/1.1"}})
        await editor.until(lambda: _printed(editor), "what it prints")
        for _ in range(2):
            editor.output.clear()
            await editor.subscribe(output=True)
            await editor.until(lambda: _printed(editor), "what it printed")
            assert _printed(editor) == [("begun\n", True)]
        (root / "go").touch()
        await editor.event("toolSettled")
        # The stream is gathered for a moment, and may come behind the event.
        await editor.until(lambda: any("ended" in text for text, _ in _printed(editor)), "its last words")
        editor.output.clear()
        seen = await editor.subscribe(output=True)
        await editor.until(lambda: any(event["seq"] >= seen for event in editor.events), "all events")
        assert not _printed(editor)
        server.release("turn")


def _printed(editor: Editor) -> list[tuple[str, bool]]:
    return [(piece["text"], piece["fromStart"]) for piece in editor.output if piece["kind"] == "command"]
