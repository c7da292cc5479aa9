"""Which requests are in flight, and how long their models have said nothing."""

from specloom.domain.events import Event, agents, planning, runs
from specloom.domain.evolve import EMPTY, evolve
from specloom.domain.ids import AgentId, PlanId, RunId, SessionId, SpecId
from specloom.domain.origin import Origin
from specloom.domain.usage import UsageTotal
from specloom.engine.api import OutputChunk, Published
from specloom.engine.waiting import SILENT_AFTER, ModelWatch

AT = "2026-11-21T10:00:00.000Z"
ONE, TWO = SessionId("one"), SessionId("two")


class Watched:
    """A watch with a clock that is set by hand."""

    def __init__(self) -> None:
        self.time = 100.0
        self.watch = ModelWatch(lambda: self.time)
        self.state = EMPTY

    def tell(self, *events: Event) -> "Watched":
        """These happen."""
        for event in events:
            self.state = evolve(self.state, event, AT, self.state.seq + 1)
            self.watch.hear(Published(self.state.seq, AT, Origin("engine"), event), self.state)
        return self

    def ask(self, session: SessionId, model: str = "m-1") -> "Watched":
        """A session opens and sends its first request."""
        started = agents.SessionStarted(session, AgentId("a"), "executor", None, None, model, "", ())
        return self.tell(started, agents.TurnRequested(session, 1))

    def say(self, session: SessionId, text: str = "Hm.") -> None:
        """The model begins, or goes on."""
        self.watch.hear_output(OutputChunk(session, "1.0", "text", text))

    @property
    def told(self) -> str:
        """What a person is told."""
        silence = self.watch.silence()
        return silence.told("host:1") if silence is not None else ""


def test_a_silence_is_told_with_model_place_and_seconds_when_it_is_long() -> None:
    known = Watched().ask(ONE)
    known.time += SILENT_AFTER - 0.1
    assert known.told == ""
    known.time += 5.5
    assert known.told == "still waiting for m-1 at host:1 (20 s)"


def test_each_piece_of_the_answer_begins_the_count_anew() -> None:
    known = Watched().ask(ONE)
    assert known.watch.unanswered
    known.time += 14
    known.say(ONE)
    assert not known.watch.unanswered
    known.time += 14
    assert known.told == ""
    known.time += 2
    assert known.told.endswith("(16 s)"), "a stream that stalls is silent, too"


def test_nothing_is_waited_for_before_a_request_and_after_its_answer() -> None:
    known = Watched()
    assert not known.watch.unanswered
    known.ask(ONE).tell(agents.TurnFinished(ONE, 1, "[]", "end_turn", UsageTotal(), "m-1"))
    known.time += 60
    assert (known.told, known.watch.unanswered) == ("", False)
    run = runs.RunPaused(RunId("r"), "x")
    for ending in (agents.SessionEnded(ONE, "claimed"), agents.TurnFailed(ONE, 1, "status", "no"), run):
        known.ask(ONE).tell(ending)
        assert not known.watch.unanswered, ending


def test_between_two_tries_the_request_counts_as_unanswered() -> None:
    known = Watched().ask(ONE)
    known.say(ONE)
    known.tell(agents.TurnFailed(ONE, 1, "broken-stream", "cut", 30.0))
    assert known.watch.unanswered


def test_a_spec_that_streams_is_an_answer_that_comes_in() -> None:
    known = Watched().ask(ONE)
    known.say(ONE)
    known.tell(planning.SpecGenerating(PlanId("p"), SpecId("01"), "specs/01.md", planning.PlanStage.SPECS))
    assert not known.watch.unanswered
    known.time += 30
    assert known.told


def test_one_that_answers_beside_one_that_does_not_is_not_cut_off() -> None:
    known = Watched().ask(ONE, "slow").ask(TWO, "quick")
    known.time += 20
    known.say(TWO)
    assert not known.watch.unanswered
    assert known.told.startswith("still waiting for slow")
