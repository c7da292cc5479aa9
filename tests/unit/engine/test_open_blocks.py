"""What is kept of the blocks that are open: the newest of it, within bounds, until their event is told."""

from hypothesis import given
from hypothesis import strategies as st

from specloom.domain.events import Event, agents, planning, runs
from specloom.domain.events.planning import PlanStage
from specloom.domain.evolve import EMPTY
from specloom.domain.ids import CallId, PlanId, RunId, SessionId, SpecId
from specloom.domain.origin import Origin
from specloom.domain.runs import RunOutcome
from specloom.domain.usage import UsageTotal
from specloom.engine.api import OutputChunk, Published
from specloom.engine.open_blocks import MOST_BLOCKS, MOST_KEPT, MOST_OF_BLOCK, PIECE
from specloom.engine.output import OutputHub

ONE, TWO, PLAN = SessionId("one"), SessionId("two"), PlanId("p")
FINISHED = agents.TurnFinished(ONE, 1, "[]", "end_turn", UsageTotal(), "m")
REQUESTED = agents.ToolRequested(ONE, CallId("c"), "run_command", "{}")
SETTLED = agents.ToolSettled(ONE, CallId("c"), "run_command", is_error=False, content="{}")


def tell(hub: OutputHub, *events: Event) -> None:
    """These are committed."""
    for event in events:
        hub.hear(Published(1, "2026-11-21T10:00:00.000Z", Origin("engine"), event), EMPTY)


def told(hub: OutputHub) -> list[tuple[str, str, str]]:
    """Session, block and text of all that is open."""
    assert all(chunk.from_start for chunk in hub.open.so_far())
    return [(chunk.session, chunk.block, chunk.text) for chunk in hub.open.so_far()]


def speaking() -> OutputHub:
    """Two sessions answer, one has a command that runs, and a spec is written."""
    hub = OutputHub()
    for session in (ONE, TWO):
        sink = hub.sink(session, 1)
        sink.delta(0, "thinking", "Let ")
        sink.delta(1, "tool_input", '{"a', "read_file")
        sink.delta(0, "thinking", "me")
    tell(hub, REQUESTED)
    for piece in ("12", "3"):
        hub.command(ONE, CallId("c")).chunk(piece)
        hub.spec(TWO, SpecId("01"), "specs/01-a.md", piece)
    return hub


ANSWER = [("one", "1.0", "Let me"), ("one", "1.1", '{"a')]
OTHER = [("two", "1.0", "Let me"), ("two", "1.1", '{"a')]
PRINTED, WRITTEN = [("one", "c", "123")], [("two", "01", "123")]


def test_each_block_is_kept_until_its_own_event_and_no_longer() -> None:
    cases: list[tuple[Event, list[tuple[str, str, str]]]] = [
        (FINISHED, OTHER + PRINTED + WRITTEN),
        (agents.TurnFailed(ONE, 1, "broken", "It broke"), OTHER + PRINTED + WRITTEN),
        (agents.TurnFinished(ONE, 11, "[]", "end_turn", UsageTotal(), "m"), ANSWER + OTHER + PRINTED + WRITTEN),
        (SETTLED, ANSWER + OTHER + WRITTEN),
        (agents.SessionEnded(ONE, "claimed"), OTHER + WRITTEN),
        (agents.SessionEnded(TWO, "ended"), ANSWER + PRINTED + WRITTEN),
        (planning.SpecWritten(PLAN, SpecId("01"), "", PlanStage.SPECS, ""), ANSWER + OTHER + PRINTED),
        (planning.SpecWritten(PLAN, SpecId("02"), "", PlanStage.SPECS, ""), ANSWER + OTHER + PRINTED + WRITTEN),
        (runs.RunFinished(RunId("r"), RunOutcome.CANCELLED), []),
        (planning.PlanFailed(PLAN, "It failed"), []),
    ]
    for event, rest in cases:
        hub = speaking()
        assert sorted(told(hub)) == sorted(ANSWER + OTHER + PRINTED + WRITTEN)
        tell(hub, event)
        assert sorted(told(hub)) == sorted(rest), event


def test_what_comes_behind_the_event_of_its_block_is_kept_for_nobody() -> None:
    hub = OutputHub()
    sink, printing = hub.sink(ONE, 1), hub.command(ONE, CallId("c"))
    sink.delta(0, "text", "Well")
    tell(hub, REQUESTED)
    tell(hub, FINISHED, SETTLED, runs.RunPaused(RunId("r"), "for a while"))
    for _ in range(3):
        sink.delta(0, "text", "x" * PIECE)
        printing.chunk("a job of it goes on")
    assert told(hub) == []
    hub.sink(ONE, 2).delta(0, "text", "Now")
    assert told(hub) == [("one", "2.0", "Now")]


def test_a_job_that_prints_when_its_session_has_ended_opens_no_block_and_begins_none() -> None:
    for ends in ((SETTLED, agents.SessionEnded(ONE, "rotated")), (agents.SessionEnded(ONE, "cancelled"),)):
        hub, heard = OutputHub(), list[OutputChunk]()

        def hear(chunk: OutputChunk, heard: list[OutputChunk] = heard) -> None:
            heard.append(chunk)

        tell(hub, REQUESTED)
        with hub.watch(hear):
            hub.command(ONE, CallId("c")).chunk("it began")
            tell(hub, *ends)
            hub.command(ONE, CallId("c")).chunk("it goes on")
        assert told(hub) == []
        assert [(chunk.text, chunk.from_start) for chunk in heard] == [("it began", True), ("it goes on", False)]


def test_a_call_by_the_name_of_an_earlier_one_of_its_session_opens_a_block_again() -> None:
    hub = OutputHub()
    for text in ("first", "second"):
        tell(hub, REQUESTED)
        hub.command(ONE, CallId("c")).chunk(text)
        assert told(hub) == [("one", "c", text)]
        tell(hub, SETTLED)


def test_another_try_at_a_turn_begins_its_blocks_anew() -> None:
    hub = OutputHub()
    hub.sink(ONE, 1).delta(0, "text", "broken")
    hub.sink(ONE, 1).delta(0, "text", "whole")
    assert told(hub) == [("one", "1.0", "whole")]


@given(st.lists(st.tuples(st.integers(0, MOST_BLOCKS + 6), st.integers(0, 3 * MOST_OF_BLOCK)), max_size=40), st.data())
def test_however_much_is_said_the_newest_of_it_is_kept_and_the_rest_counted(
    pieces: list[tuple[int, int]], data: st.DataObject
) -> None:
    hub, said = OutputHub(), dict[str, str]()
    sinks = {number: hub.sink(SessionId(f"s{number}"), 1) for number in range(MOST_BLOCKS + 7)}
    for number, size in pieces:
        text = (f"{number} says {size}; " * (size // 8 + 1))[:size]
        step = data.draw(st.sampled_from((size or 1, 5000, MOST_OF_BLOCK)))
        for at in range(0, size, step):
            sinks[number].delta(0, "text", text[at : at + step])
        said[f"s{number}"] = said.get(f"s{number}", "") + text
    kept = hub.open.so_far()
    assert len(kept) <= MOST_BLOCKS
    assert sum(len(chunk.text) for chunk in kept) <= MOST_KEPT
    for chunk in kept:
        _is_the_end(chunk, said[chunk.session])
    if len(said) <= 3 and len(kept) == len(said):
        assert all(len(chunk.text) == min(len(said[chunk.session]), MOST_OF_BLOCK) for chunk in kept)


def _is_the_end(chunk: OutputChunk, said: str) -> None:
    assert len(chunk.text) <= MOST_OF_BLOCK
    assert said.endswith(chunk.text)
    assert chunk.dropped + len(chunk.text) == len(said)
