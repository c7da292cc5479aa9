"""`specloom plan` as a process."""

from collections.abc import Callable
from pathlib import Path

import pytest

from specloom.cli.failures import CommandError, Exit
from specloom.cli.plan import requirements_path
from specloom.llm.scripted import ScriptedServer
from tests.cli.conftest import BOTH_TASKS, REQUIREMENTS, Project, json_lines
from tests.cli.plans import plan_script
from tests.cli.test_run import model, summary_of

Start = Callable[..., ScriptedServer]


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
