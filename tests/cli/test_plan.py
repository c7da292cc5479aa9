"""`specloom plan` as a process."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from specloom.cli.failures import CommandError, Exit
from specloom.cli.plan import requirements_path
from specloom.llm.scripted import ScriptedServer
from tests.cli.conftest import BOTH_TASKS, REQUIREMENTS, Project, json_lines, write_session
from tests.cli.plans import BODY, OUTLINE, TASKS, plan_script
from tests.cli.test_run import model, summary_of

Start = Callable[..., ScriptedServer]
PARTING = """\
- [ ] 1 Write the parting
  - _Requirements: R1.2_
  - _Verify: `grep -q bye parting.txt`_
"""


def two_specs(**last: Any) -> dict[str, Any]:
    """A plan and the work on it; `last` goes to the turn that writes the tasks of the second spec."""
    first = OUTLINE["specs"][0]
    second = {**first, "id": "02", "slug": "parting", "title": "Parting", "requirements": ["R1.2"]}
    outline = {**OUTLINE, "specs": [{**first, "requirements": ["R1.1", "R1.2"]}, second]}

    def session(first: str, *answer: dict[str, Any], **turn: Any) -> dict[str, Any]:
        return {"name": first, "first": first, "turns": [{"answer": list(answer), **turn}]}

    return {
        "sessions": [
            session("# Outline: requirements.md", {"tool": "submit_outline", "input": outline}),
            session("# Write spec 01: ", {"text": BODY}),
            session("# Write spec 02: ", {"text": BODY}),
            session("# Write the tasks of spec 01: ", {"text": TASKS}),
            session("# Write the tasks of spec 02: ", {"text": PARTING}, **last),
            *BOTH_TASKS["sessions"],
            write_session("02/1", "parting.txt", "bye\n"),
        ]
    }


def test_a_plan_ends_with_a_table_of_specs_and_the_next_step(empty: Project, scripted: Start) -> None:
    (empty.root / "requirements.md").write_text(REQUIREMENTS)
    server = scripted(plan_script())
    done = empty.specloom("plan", *model(server))
    assert done.returncode == Exit.OK, done.stdout + done.stderr
    assert "planning specs from requirements.md" in done.stdout
    assert "plan finished: 1 spec, 2 tasks" in done.stdout
    assert [row.split() for row in done.stdout.splitlines() if "specs/01-greeting.md" in row][-1] == [
        "01",
        "Greeting",
        "2",
        "-",
        "specs/01-greeting.md",
    ]
    assert "next: `specloom run` works through what is left" in done.stdout
    server.check()


def test_run_plans_first_where_there_are_no_specs(empty: Project, scripted: Start) -> None:
    (empty.root / "requirements.md").write_text(REQUIREMENTS)
    server = scripted({"sessions": [*plan_script()["sessions"], *BOTH_TASKS["sessions"]]})
    done = empty.specloom("run", "--yes", "--json", *model(server))
    assert done.returncode == Exit.OK, done.stdout + done.stderr
    summary = summary_of(done.stdout)
    assert summary["tasks"]["done"] == 2
    assert summary["turns"] == 3 + 4
    server.check()


def test_a_plan_in_json_ends_with_a_summary(empty: Project, scripted: Start) -> None:
    (empty.root / "requirements.md").write_text(REQUIREMENTS)
    done = empty.specloom("plan", "--json", *model(scripted(plan_script())))
    assert summary_of(done.stdout)["tasks"]["pending"] == 2
    assert {"planStarted", "specWritten", "planFinished"} <= {line["type"] for line in json_lines(done.stdout)}


def test_the_requirements_option_counts_from_here_and_from_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "wishes.md").write_text("")
    monkeypatch.chdir(tmp_path / "docs")
    assert requirements_path("wishes.md", tmp_path) == "docs/wishes.md"
    assert requirements_path("docs/wishes.md", tmp_path) == "docs/wishes.md"
    assert requirements_path(None, tmp_path) is None


@pytest.mark.parametrize(("stated", "said"), [("nowhere.md", "no such file"), ("/etc/hostname", "outside of")])
def test_requirements_elsewhere_are_refused(tmp_path: Path, stated: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        requirements_path(stated, tmp_path)


def test_a_run_goes_on_with_a_plan_that_was_left_half_and_never_calls_the_half_complete(
    empty: Project, scripted: Start
) -> None:
    (empty.root / "requirements.md").write_text(REQUIREMENTS)
    refused = {"status": 401, "message": "invalid x-api-key", "times": "always"}
    server = scripted(two_specs(fault=refused))
    assert empty.specloom("plan", "--yes", *model(server)).returncode == Exit.INCOMPLETE
    status = empty.specloom("status").stdout
    assert "goes on where it was, and `specloom run` does so first: 02 without tasks yet" in " ".join(status.split())

    failed = empty.specloom("run", "--yes", *model(server))
    assert failed.returncode == Exit.INCOMPLETE, failed.stdout
    assert "run started" not in failed.stdout

    one = empty.specloom("run", "01", "--yes", *model(server))
    assert one.returncode == Exit.OK, one.stdout + one.stderr
    again = empty.specloom("run", "--yes", *model(scripted(two_specs())))
    assert again.returncode == Exit.OK, again.stdout + again.stderr
    assert "wrote the tasks of specs/02-parting.md" in again.stdout
    assert "3/3 done" in again.stdout


def test_the_end_of_a_run_tells_of_a_requirement_that_changed_since_its_spec_was_written(
    empty: Project, scripted: Start
) -> None:
    document = empty.root / "requirements.md"
    document.write_text(REQUIREMENTS)
    server = scripted(two_specs())
    assert empty.specloom("plan", "--yes", *model(server)).returncode == Exit.OK
    first = empty.specloom("run", "--yes", *model(server))
    assert "was changed since" not in first.stdout
    document.write_text(REQUIREMENTS.replace("says goodbye", "says farewell"))
    again = empty.specloom("run", "--yes", *model(server))
    assert "warning: Requirement R1.2 was changed since spec 02 was written" in again.stdout, again.stdout
