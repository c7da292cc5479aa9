"""The first message of an attempt: the spec without repetition, claims marked and bounded, the last attempt told."""

from dataclasses import replace

import pytest

from specloom.agent.briefing import CLAIM_SHOWN, RAN_SHOWN, Briefing, LastAttempt, Proof, Ran, fenced, render
from specloom.agent.spec_text import whole_spec
from specloom.domain.documents.specs import parse_spec
from specloom.domain.ids import TaskId
from specloom.domain.project import Word

PATH = "specs/01-greeter.md"
SPEC = """---
id: "01"
title: Greeter
requirements: ["R1@39c891f54f6b"]
---

# Greeter

## Purpose

- Greets.

## Tasks

- [x] 1 Words
  - for both tasks below: English
  - [x] 1.1 First
    - detail of the first
    - _Verify: `true`_

    a paragraph of the first
  - [ ] 1.2 Second
    - detail of the second
- [ ] 2 Third
  - detail of the third
    and its continuation

Behind the tasks.

## Notes

- kept
"""
WHOLE = parse_spec(PATH, SPEC)


def briefing(last: LastAttempt | None = None, *proofs: Proof, verify: tuple[str, ...] = ("a", "b", "c")) -> Briefing:
    task = next(item for item in WHOLE.tasks if item.number == "1.2")
    text = whole_spec(SPEC)
    return Briefing(task, 2 if last else 1, PATH, text, (), (), proofs, verify, last, (), ())


def test_the_whole_spec_stands_there_without_its_front_matter() -> None:
    shown = whole_spec(SPEC)
    assert shown == SPEC.partition("---\n\n")[2].strip()
    assert "39c891f54f6b" not in shown


def test_files_that_stand_beside_the_tasks_are_part_of_the_spec() -> None:
    shown = whole_spec("- [ ] 1 Do", (("specs/design.md", "# Design\n"),))
    assert shown == "From specs/design.md:\n\n# Design\n\n- [ ] 1 Do"


def test_the_task_and_the_whole_spec_are_in_the_first_message() -> None:
    message = render(briefing())
    assert message.startswith("# Task 01/1.2 (attempt 1): Second")
    assert whole_spec(SPEC) in message


def test_claim_of_an_earlier_task_is_bounded_and_marked_as_its_executors_words() -> None:
    long = Proof(TaskId("01/1.1"), "First", "done", (), ("a.py",), "built\nthus " + "x" * 1000)
    told = render(briefing(None, long))
    said = next(line for line in told.splitlines() if line.startswith("  said: "))
    assert said.startswith("  said: built thus xxx")
    assert len(said) == len("  said: ") + CLAIM_SHOWN
    assert "nobody verified it" in told
    assert "nobody verified it" not in render(briefing(None, Proof(TaskId("01/1.1"), "First", "done", (), ())))


def test_second_attempt_is_told_claim_files_and_commands_of_the_first() -> None:
    told = render(briefing(LastAttempt("`b` exited with 1:\n\nboom", "All is done.", ("a.py", "t.py"))))
    assert "`b` exited with 1" in told
    assert "Of the other verify commands: `a` passed, `c` was not run any more" in told
    assert "Files changed by the attempts so far, which stand as they left them: a.py, t.py" in told
    assert "The executor had claimed (its own words, unverified): All is done." in told


@pytest.mark.parametrize("feedback", ["the attempt used up its 30 turns", "The greeting is missing"])
def test_nothing_is_said_of_commands_where_none_failed(feedback: str) -> None:
    told = render(briefing(LastAttempt(feedback)))
    assert feedback in told
    assert "other verify commands" not in told
    assert "had claimed" not in told


def test_first_attempt_is_told_of_no_attempt_before() -> None:
    assert "last attempt" not in render(briefing())


def test_an_attempt_after_one_without_a_verdict_is_told_how_that_ended_and_what_it_ran() -> None:
    ran = (Ran("make", "exit code 2"), Ran("sed -i s/a/b/ x", "its outcome is unknown"))
    told = render(briefing(LastAttempt("`b` exited with 1", "I look.", ("a.py",), "the run was cancelled", ran)))
    assert "The last attempt ended before it was verified\n\nIt ended: the run was cancelled" in told
    assert "The executor said last (its own words, unverified): I look." in told
    assert "- `make`: exit code 2\n- `sed -i s/a/b/ x`: its outcome is unknown" in told
    assert "of an attempt before that one, failed\n\n`b` exited with 1" in told


def test_commands_that_are_not_shown_are_counted() -> None:
    ran = tuple(Ran(f"echo {number}", "exit code 0") for number in range(RAN_SHOWN + 2))
    told = render(briefing(LastAttempt("failed", ran=ran)))
    assert "- 2 earlier commands not shown here\n- `echo 2`: exit code 0" in told
    assert f"- `echo {RAN_SHOWN + 1}`" in told


def test_words_of_a_person_stand_in_the_briefing_as_they_are() -> None:
    words = 'Metres.\n```\n## never "feet"\n```'
    told = render(replace(briefing(), words=(Word(1, 2, 'answering "Which unit?"', words),)))
    assert f'Attempt 1, session 2, answering "Which unit?":\n\n{fenced(words)}' in told
