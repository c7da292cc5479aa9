"""What a terminal says the agent is doing while sub-agents read for it."""

from specloom.cli.views.activity import Activity
from specloom.domain.events import agents
from specloom.domain.ids import CallId, SessionId, TaskId
from specloom.domain.usage import UsageTotal
from specloom.engine.api import OutputChunk
from tests.cli.stories import AGENT, Story, spec
from tests.cli.test_lines import lines_of

SENDER, FIRST, SECOND = SessionId("s"), SessionId("s-1"), SessionId("s-2")
TASK = TaskId("01/1")


def opened(session: SessionId, call: str = "") -> agents.SessionStarted:
    """A session; with a call, of a sub-agent."""
    role, parent = ("subagent", SENDER) if call else ("executor", None)
    sent = CallId(call) if call else None
    return agents.SessionStarted(session, AGENT, role, None, TASK, "m", "", (), parent=parent, call=sent)


def sent_two() -> Story:
    """An executor has sent two sub-agents."""
    story = Story(spec(1, "Storage", 1)).run()
    story.tell(opened(SENDER), agents.ToolRequested(SENDER, CallId("c-1"), "subagent", '{"task": "Where?"}'))
    return story.tell(opened(FIRST, "c-1"), opened(SECOND, "c-2"), agents.TurnRequested(FIRST, 1))


def seen(story: Story) -> Activity:
    """What is shown after all of it."""
    activity = Activity()
    for published, state in story.told:
        activity.hear(published, state)
    return activity


def test_subagents_at_work_are_counted_beside_who_sent_them() -> None:
    story = sent_two()
    assert (seen(story).role, seen(story).task, seen(story).step) == ("executor", TASK, "2 sub-agents reading")
    story.tell(agents.SessionEnded(SECOND, "claimed", "There."))
    assert seen(story).step == "1 sub-agent reading"
    story.tell(agents.SessionEnded(FIRST, "claimed", "Here."), agents.TurnRequested(SENDER, 2))
    assert (seen(story).role, seen(story).step) == ("executor", "waiting for the model")


def test_words_of_one_subagent_at_a_time_are_shown() -> None:
    activity = seen(sent_two())
    for session, text in ((FIRST, "I look "), (SECOND, "And I "), (FIRST, "around")):
        activity.hear_output(OutputChunk(session, "1.0", "text", text))
    assert (activity.words, activity.step) == ("I look around", "2 sub-agents reading")


def test_subagents_of_a_run_that_was_stopped_are_not_counted_in_the_next() -> None:
    story = sent_two()
    story.tell(agents.SessionEnded(FIRST, "cancelled"), agents.SessionEnded(SECOND, "cancelled"), opened(FIRST, "c-3"))
    assert seen(story).step == "1 sub-agent reading"


def test_turns_of_subagents_are_told_as_theirs() -> None:
    story = sent_two()
    calls = '[{"type": "tool_use", "id": "c", "name": "read_file", "input": {"path": "a.py"}}]'
    story.tell(agents.TurnFinished(FIRST, 1, calls, "tool_use", UsageTotal(), "m"))
    story.tell(agents.SessionEnded(FIRST, "claimed", "It is in a.py:3."))
    assert lines_of(story)[-2:] == ["sub-agent: read a.py", "sub-agent: It is in a.py:3."]


def test_a_turn_that_sends_one_is_told() -> None:
    story = Story(spec(1, "Storage", 1)).run()
    story.answer(("subagent", {"task": "Where is it?"}), ("read_file", {"path": "a.py"}))
    assert lines_of(story)[-1] == "send a sub-agent: Where is it?; read a.py"
