"""Events and numbers as people read them."""

import json
from dataclasses import MISSING, Field, fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.cli.failures import Exit, begun_small
from specloom.cli.views.endings import next_steps, total_line
from specloom.cli.views.event_lines import EventLines, run_end
from specloom.cli.views.event_text import event_text
from specloom.cli.views.formats import count, duration, elapsed, folded, money, one_line, tokens, visible, visible_line
from specloom.cli.views.session_lines import call_subject
from specloom.cli.views.summary import Counts, Worked, all_turns, count_tasks, exit_of_run, summary_json
from specloom.domain.budgets import Account, BudgetPart
from specloom.domain.budgets import Spent as UsedUp
from specloom.domain.events import EVENT_TYPES, Event, agents, documents, planning, proof, runs, tasks
from specloom.domain.evidence import Evidence, EvidenceKind
from specloom.domain.ids import (
    ApprovalId,
    AttemptId,
    CallId,
    CheckId,
    Digest,
    EditId,
    PlanId,
    RequirementId,
    SessionId,
    TaskId,
)
from specloom.domain.origin import Origin
from specloom.domain.problem import Problem
from specloom.domain.runs import Budget, PauseCause, RunOutcome, Scope
from specloom.domain.usage import UsageTotal
from specloom.engine.api import Published
from tests.cli.stories import AGENT, AT, RUN, Story, spec

SESSION = SessionId("s")


def test_every_kind_of_event_has_a_text() -> None:
    for kind in EVENT_TYPES:
        text = event_text(Published(7, AT, Origin("engine"), made(kind)))
        assert f"engine  {kind.__name__}" in text
        assert "\n" not in text


def test_a_file_name_with_a_line_break_stays_on_one_line() -> None:
    story = Story(spec(1, "Storage", 1)).run()
    story.tell(proof.EditSettled(EditId("e"), "a\nb.py", applied=True, in_buffer=False, digest=None))
    assert lines_of(story)[-1] == "deleted a\\nb.py"


def test_a_checkout_is_told_once_and_a_commit_not_at_all() -> None:
    story = Story(spec(1, "Storage", 1)).run()
    before = len(lines_of(story))
    story.tell(documents.HeadChanged("a" * 40, "b" * 40, "main", "main", "commit: work", files=False))
    assert len(lines_of(story)) == before
    story.tell(documents.HeadChanged("b" * 40, "c" * 40, "other", "main", "checkout: moving from main to other"))
    story.tell(runs.RunPausing(RUN, "HEAD changed from main (bbbbbbbb) to other (cccccccc); look"))
    assert lines_of(story)[before:] == ["HEAD changed from main (bbbbbbbb) to other (cccccccc)"]


def made(kind: type[Event]) -> Event:
    """An event with something short in every field that needs a value."""
    values = {field.name: _value(field) for field in fields(kind) if field.default is MISSING}
    return kind(**values)


def _value(field: "Field[Any]") -> Any:
    return {"int": 1, "bool": True, "float": 0.5}.get(str(getattr(field.type, "__name__", field.type)), "x\ny")


def lines_of(story: Story) -> list[str]:
    """Of all that was told, in order."""
    lines = EventLines()
    return [line.text for published, state in story.told for line in lines.of(published, state)]


def line_of(story: Story) -> str | None:
    """The last one, if the last event has one."""
    lines = EventLines()
    told = [lines.of(published, state) for published, state in story.told]
    return told[-1][-1].text if told[-1] else None


def test_a_verification_before_an_attempt_is_no_news() -> None:
    story = Story(spec(1, "Storage", 1)).run()
    task, check = TaskId("01/1.1"), CheckId("c-1")
    story.tell(proof.CheckRequested(check, task, None, proof.CheckPhase.BEFORE, "make test"))
    story.tell(proof.CheckSettled(check, task, 1, "", 0.3))
    assert line_of(story) is None
    story.tell(proof.CheckRequested(check, task, None, proof.CheckPhase.AFTER, "make test"))
    story.tell(proof.CheckSettled(check, task, 1, "", 0.3))
    assert line_of(story) == "verification failed: `make test` ended with 1 (0.3 s)"


def test_a_denial_names_what_was_denied_and_why() -> None:
    story = Story(spec(1, "Storage", 1)).run()
    story.tell(agents.ApprovalAsked(ApprovalId("a"), "command", "rm -r x", "why", None, None))
    story.tell(agents.ApprovalAnswered(ApprovalId("a"), allowed=False, rule="no client", reason="use --yes"))
    assert line_of(story) == "denied: rm -r x (use --yes)"


def called(name: str, answer: str, *, is_error: bool = False, **values: object) -> tuple[Event, Event]:
    """A tool call and its answer."""
    session, call = SessionId("s"), CallId("c")
    result = json.dumps({"type": "tool_result", "tool_use_id": "c", "content": answer})
    return (
        agents.ToolRequested(session, call, name, json.dumps(values)),
        agents.ToolSettled(session, call, name, is_error, result),
    )


def test_a_command_and_who_allowed_it_are_one_line() -> None:
    story = Story(spec(1, "Storage", 1)).run()
    requested, settled = called("run_command", "ok", command="make test")
    story.tell(requested, agents.ApprovalAsked(ApprovalId("a"), "command", "make test", "why", None, None))
    story.tell(agents.ApprovalAnswered(ApprovalId("a"), allowed=True, rule="--yes"), settled)
    assert [line for line in lines_of(story) if "make test" in line] == ["$ make test (allowed by --yes)"]


def test_a_command_that_was_granted_shows_before_it_ends() -> None:
    story = Story(spec(1, "Storage", 1)).run()
    story.start("01/1.1")
    requested, settled = called("run_command", "ok", command="true")
    story.tell(requested)
    assert line_of(story) == "$ true"
    story.tell(settled)
    assert lines_of(story).count("$ true") == 1


def test_a_refused_edit_is_told_once_with_its_reason() -> None:
    story = Story(spec(1, "Storage", 1)).run()
    story.tell(*called("edit_file", "not changed: read a.py first\nmore", is_error=True, path="a.py"))
    assert line_of(story) == "a.py not changed: read a.py first"
    requested, settled = called("edit_file", "not changed: it moved", is_error=True, path="b.py")
    edit = EditId("e")
    story.tell(requested, proof.EditRequested(edit, AttemptId("t"), "b.py", "x", None, Digest("d")))
    story.tell(proof.EditSettled(edit, "b.py", applied=False, in_buffer=True, digest=None, reason="it moved"), settled)
    assert [line for line in lines_of(story) if line.startswith("b.py")] == ["b.py not changed: it moved"]


def test_a_turn_that_only_reads_is_one_line() -> None:
    calls = [("read_file", {"path": "a.py"}), ("read_file", {"path": "b.py"}), ("grep_search", {"pattern": "def"})]
    story = Story(spec(1, "Storage", 1)).run().answer(*calls)
    assert line_of(story) == "read a.py, b.py; search for def"
    story.answer(("read_file", {"path": "a.py"}), ("write_file", {"path": "c.py"}))
    assert line_of(story) is None


def test_a_session_that_goes_on_says_which_one_it_continues_and_why() -> None:
    story = Story(spec(1, "Storage", 1)).run()
    third, second = SessionId("s-3"), SessionId("s-2")
    why = "window 91% full"
    goes_on = agents.SessionStarted(
        third, AGENT, "executor", None, None, "m", "", (), previous=second, number=3, because=why
    )
    assert line_of(story.tell(goes_on)) == f"session 3 continues session 2 ({why})"
    reads = agents.SessionStarted(SessionId("s-4"), AGENT, "summariser", None, None, "m", "", (), previous=third)
    assert line_of(story.tell(reads)) is None


def test_a_session_ends_with_its_closing_words_on_one_line() -> None:
    story = Story(spec(1, "Storage", 1)).run()
    session = SessionId("s")
    story.tell(agents.SessionStarted(session, AGENT, "executor", None, None, "m", "", ()))
    story.tell(agents.SessionEnded(session, "claimed", "Written.\nBoth files greet."))
    assert line_of(story) == "executor: Written. Both files greet."


def test_a_review_is_told_when_it_begins() -> None:
    story = Story(spec(1, "Storage", 1)).run()
    story.tell(agents.SessionStarted(SessionId("s"), AGENT, "reviewer", None, None, "m", "", ()))
    assert line_of(story) == "a reviewer looks at what was done"


def test_each_fault_of_a_plan_has_a_line_of_its_own() -> None:
    story = Story()
    story.tell(planning.PlanRefused(PlanId("p"), 1, (Problem("x", "one", "a.md"), Problem("x", "two", "a.md"))))
    assert lines_of(story)[-3:] == ["sent back to the planner, to be mended (2 faults):", "- one", "- two"]


def test_what_a_plan_leaves_out_is_named_with_the_reason() -> None:
    story = Story()
    story.tell(planning.OutlineAccepted(PlanId("p"), "{}", ((RequirementId("R6.1"), "it comes\nlater"),)))
    assert line_of(story) == "out of scope: R6.1: it comes later"


def test_a_run_that_goes_on_names_the_task_it_is_at() -> None:
    story = Story(spec(1, "Storage", 2)).run()
    story.start("01/1.2")
    story.tell(runs.RunPausing(RUN, "paused by the user"), runs.RunPaused(RUN, "paused by the user"))
    assert lines_of(story)[-1:] == ["paused"]
    story.tell(runs.RunResumed(RUN))
    assert lines_of(story)[-2:] == ["run goes on", "▶ 01/1.2 Step 2 of Storage (resumed)"]


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ((True,), "proven"),
        ((False,), "proven (its command passed before, too)"),
        ((False, False), "proven (its commands passed before, too)"),
        ((True, False), "proven (`check 2` passed before, too)"),
    ],
)
def test_a_command_that_proves_little_is_named(verdicts: tuple[bool, ...], said: str) -> None:
    story = Story(spec(1, "Storage", 1)).run()
    attempt = story.start("01/1.1")
    proofs = tuple(
        Evidence(EvidenceKind.COMMAND, AT, attempt, command=f"check {number}", exit_code=0, discriminating=verdict)
        for number, verdict in enumerate(verdicts, start=1)
    )
    story.tell(tasks.TaskDone(TaskId("01/1.1"), proofs, attempt))
    assert line_of(story) == f"✓ 01/1.1 Step 1 of Storage: {said}"


def test_a_stale_proof_says_that_it_is_looked_at_again_in_this_run() -> None:
    story = Story(spec(1, "Storage", 1)).run().prove(["01/1.1"])
    stale = tasks.ProofStale(TaskId("01/1.1"), ("a.py",))
    story.tell(stale)
    assert line_of(story) == (
        "01/1.1 Step 1 of Storage: proof stale, changed since: a.py; will be verified again at the end of the run"
    )
    story.tell(runs.RunFinished(RUN, RunOutcome.COMPLETED), stale)
    assert line_of(story) == "01/1.1 Step 1 of Storage: proof stale, changed since: a.py"


def test_retries_say_how_often_and_when_and_their_reason_once() -> None:
    story = Story(spec(1, "Storage", 1))
    for asked, wait in enumerate((1.0, 2.0), start=1):
        story.tell(agents.TurnFailed(SESSION, 1, "overloaded", "the host answered 529", wait, asked=asked, tries=11))
    story.tell(agents.TurnFailed(SESSION, 1, "broken-stream", "it went silent", 4.0, asked=3, tries=11))
    assert lines_of(story)[-3:] == [
        "the model did not answer: the host answered 529; asking again in 1.0 s (try 2 of 11)",
        "no answer again, for the same reason; asking again in 2.0 s (try 3 of 11)",
        "the model did not answer: it went silent; asking again in 4.0 s (try 4 of 11)",
    ]


def test_a_fault_that_ends_a_run_is_told_once_and_whole() -> None:
    story = Story(spec(1, "Storage", 1)).run()
    attempt = story.start("01/1.1")
    why = f"the host answered 400: {'no money, ' * 100}none; settle the account's billing"
    story.tell(agents.SessionStarted(SESSION, AGENT, "executor", attempt, TaskId("01/1.1"), "m", "", ()))
    story.tell(agents.TurnFailed(SESSION, 1, "billing", why))
    story.tell(tasks.TaskReleased(TaskId("01/1.1"), attempt, why))
    story.tell(runs.RunFinished(RUN, RunOutcome.FAULT, why))
    assert lines_of(story)[-2:] == [
        "· 01/1.1 Step 1 of Storage: waits again",
        f"run stopped: {why}",
    ]


def test_an_agent_is_called_by_its_role_also_after_a_resume() -> None:
    story = Story(spec(1, "Storage", 1)).run()
    attempt = story.start("01/1.1")
    story.tell(agents.SessionStarted(SESSION, AGENT, "reviewer", attempt, TaskId("01/1.1"), "m", "", ()))
    resumed = EventLines()
    story.tell(agents.SessionEnded(SESSION, "claimed", "All of it is there."))
    assert [line.text for line in resumed.of(*story.told[-1])] == ["reviewer: All of it is there."]


@pytest.mark.parametrize(
    ("raw", "subject"),
    [
        ('{"path": "a.py", "content": "x"}', "a.py"),
        ('{"command": "ls\\n-la"}', "ls -la"),
        ('{"pattern": "def "}', "def"),
        ("{", ""),
        ("[1]", ""),
        ('{"path": 3}', ""),
    ],
)
def test_a_call_is_named_by_its_subject(raw: str, subject: str) -> None:
    assert call_subject(raw) == subject


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (duration(0.04), "<0.1 s"),
        (duration(9.96), "10.0 s"),
        (duration(59.6), "1:00"),
        (duration(3725), "1:02:05"),
        (elapsed(65.9), "1:05"),
        (tokens(999), "999"),
        (tokens(12_345), "12.3k"),
        (tokens(999_960), "1.00M"),
        (money(None), "cost unknown"),
        (money(0.0), "$0.00"),
        (money(0.004), "<$0.01"),
        (money(1234.5), "$1,234.50"),
        (count(1, "task"), "1 task"),
        (count(0, "task"), "0 tasks"),
        (one_line("a\n b\tc\x1b[2J"), "a b c [2J"),
        (one_line("abcdef", 4), "abc…"),
        (visible("ok\n\ttab"), "ok\n\ttab"),
        (visible("a\x1bb\x07\x9b"), "a\\x1bb\\x07\\x9b"),
        (visible("a\u202eb\U000e0001"), "a\\u202eb\\U000e0001"),
        (visible_line("a\nb\tc\u2028"), "a\\nb\\tc\\u2028"),
    ],
)
def test_numbers_and_texts_are_short_and_harmless(shown: str, expected: str) -> None:
    assert shown == expected


def test_what_is_folded_stands_below_its_own_beginning() -> None:
    assert folded("  - one two three\n  2. four five six", 12) == (
        "  - one two\n    three\n  2. four\n     five\n     six"
    )


@given(st.text())
def test_what_is_visible_steers_no_terminal(text: str) -> None:
    assert all(char.isprintable() or char in "\n\t" for char in visible(text))
    assert visible(visible(text)) == visible(text)


def worked(story: Story, since: int = 0) -> Worked:
    """What a command that listens from there on takes for its work."""
    heard = Worked()
    for published, _ in story.told[since:]:
        heard.hear(published)
    return heard


def test_turns_and_tokens_are_those_of_the_whole_run_and_its_plan_whichever_process_worked_on_them() -> None:
    story = Story(spec(1, "Storage", 1))
    story.tell(planning.PlanStarted(PlanId("p"), "requirements.md", planning.PlanStage.SPECS, ""))
    story.turn(UsageTotal(100, 10), "planner").tell(planning.PlanFailed(PlanId("p"), "closed"))
    story.tell(planning.PlanStarted(PlanId("q"), "requirements.md", planning.PlanStage.SPECS, ""))
    story.turn(UsageTotal(100, 10), "planner").tell(planning.PlanFinished(PlanId("q"), ()))
    story.run().turn(UsageTotal(10, 1)).tell(runs.RunPaused(RUN, "closed"))
    left = len(story.told)
    story.tell(runs.RunResumed(RUN), runs.RunPaused(RUN, "a limit"), runs.RunResumed(RUN))
    story.turn(UsageTotal(10, 1), "reviewer")
    whole, later = worked(story).spent(story.state), worked(story, left).spent(story.state)
    assert (whole.turns, whole.planning, whole.usage, whole.resumed) == (4, 2, UsageTotal(220, 22), False)
    assert (later.turns, later.planning, later.usage, later.resumed) == (2, 0, UsageTotal(20, 2), True)
    assert total_line(Counts(), whole, 3.0) == "4 turns (2 of them planning) · 220 in, 22 out, $0.00 · 3.0 s"
    assert total_line(Counts(), later, 3.0) == "2 turns · 20 in, 2 out, $0.00 · 3.0 s since it went on"
    assert all_turns(story.state) == 4


def test_the_summary_adds_up_and_an_unknown_price_stays_unknown() -> None:
    story = Story(spec(1, "Storage", 4)).run().prove(["01/1.1"])
    story.turn(UsageTotal(10, 5, 3, 2, 0.25)).turn(UsageTotal(1, 1, 0, 0, None))
    story.start("01/1.2")
    story.tell(tasks.TaskSkipped(TaskId("01/1.4")))
    summary = summary_json(count_tasks(story.state, Scope()), worked(story).spent(story.state), 1.23456)
    assert summary["tasks"] == {"total": 4, "done": 1, "failed": 0, "blocked": 0, "skipped": 1, "pending": 2}
    assert summary["turns"] == 2
    assert summary["usage"] == {"input": 11, "output": 6, "cacheRead": 3, "cacheWrite": 2, "costUsd": None}
    assert summary["wall_s"] == 1.235


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (RunOutcome.COMPLETED, Exit.OK),
        (RunOutcome.FAULT, Exit.USAGE),
        (RunOutcome.BUDGET, Exit.BUDGET),
    ],
)
def test_the_first_status_that_applies_is_taken(outcome: RunOutcome, status: Exit) -> None:
    story = Story(spec(1, "Storage", 1)).run().prove(["01/1.1"])
    story.tell(runs.RunFinished(RUN, outcome))
    assert exit_of_run(story.state, count_tasks(story.state, Scope())) is status


def test_unfinished_tasks_are_status_1_and_a_pause_for_budget_is_3() -> None:
    story = Story(spec(1, "Storage", 1)).run()
    story.tell(runs.RunFinished(RUN, RunOutcome.INCOMPLETE))
    assert exit_of_run(story.state, count_tasks(story.state, Scope())) is Exit.INCOMPLETE
    story.tell(runs.RunStarted(RUN, Scope(), Budget(turns=1), unattended=False))
    story.turn(UsageTotal(1, 1))
    story.tell(runs.RunPaused(RUN, "the budget of 1 turns is used up", PauseCause.BUDGET))
    assert exit_of_run(story.state, count_tasks(story.state, Scope())) is Exit.BUDGET


def test_a_message_goes_on_in_small_letters_but_not_a_name_in_capitals() -> None:
    assert begun_small("The run pauses") == "the run pauses"
    assert begun_small("HEAD changed; the run pauses") == "HEAD changed; the run pauses"


def test_a_run_that_used_up_its_budget_is_told_as_that() -> None:
    assert run_end(RunOutcome.BUDGET, "the budget of 3 turns is used up") == (
        "run out of budget: the budget of 3 turns is used up"
    )


@pytest.mark.parametrize(
    ("part", "when"),
    [(BudgetPart.RUN, ""), (BudgetPart.DAY, "once that day is over, or with more in `[budget.day]`, ")],
)
def test_no_further_run_is_advised_where_the_day_has_nothing_left_for_it(part: BudgetPart, when: str) -> None:
    story = Story(spec(1, "Storage", 1)).run()
    reached = Account(part, Budget(turns=3), Budget(), UsedUp(turns=3)).reached()
    assert reached is not None
    story.tell(runs.RunFinished(RUN, RunOutcome.BUDGET, reached.text))
    assert next_steps(story.state, Scope()) == [f"{when}`specloom run` works through what is left"]


def test_while_somebody_plans_the_next_step_is_to_look_and_not_to_plan_again() -> None:
    story = Story().tell(planning.PlanStarted(PlanId("plan-1"), "requirements.md", planning.PlanStage.SPECS))
    assert next_steps(story.state, Scope()) == ["`specloom attach` shows the plan"]
    assert "`specloom plan`" in next_steps(story.state, Scope(), stopped=True)[0]


def test_what_was_not_allowed_is_to_be_allowed_and_not_looked_at_again() -> None:
    story = Story(spec(1, "Storage", 1)).run()
    story.tell(tasks.TaskBlocked(TaskId("01/1.1"), "`true` was not allowed", ungranted=("true",)))
    story.tell(runs.RunFinished(RUN, RunOutcome.INCOMPLETE))
    (step,) = next_steps(story.state, Scope())
    assert "`specloom approve`" in step
    assert "`specloom run`" in step
