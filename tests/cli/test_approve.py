"""`specloom approve`: what is proposed is listed, granted and taken back without a run."""

import json

import pytest

from specloom.cli.answers import chosen, named
from specloom.cli.arguments import parse
from specloom.cli.failures import CommandError, Exit
from specloom.domain.ids import ApprovalId
from specloom.domain.project import ApprovalRecord
from tests.cli.conftest import BOTH_TASKS, Project
from tests.cli.stories import AT
from tests.cli.test_run import Start, model

SETTINGS = '[permissions]\nallow = ["run_command(make *)"]\ndeny = ["run_command(git push *)"]\n'
PROPOSED = [
    'permissions.allow = ["run_command(make *)"]',
    "grep -q hello greeting.txt",
    "grep -q goodbye farewell.txt",
]


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_what_the_repository_proposes_is_granted_listed_and_taken_back(project: Project) -> None:
    (project.root / "specloom.toml").write_text(SETTINGS)
    told = project.specloom("approve", "--json")
    assert told.returncode == 0
    assert lines(told.stdout) == [{"type": "proposal", "text": text} for text in PROPOSED]
    assert project.specloom("approve", "--yes").returncode == 0
    grants = lines(project.specloom("approve", "--json").stdout)
    assert [(item["type"], item["scope"], item["text"]) for item in grants] == [
        ("grant", "project", text) for text in PROPOSED
    ]
    taken = project.specloom("approve", "--revoke", str(grants[0]["id"]))
    assert taken.stdout == f"taken back: {PROPOSED[0]}\n"
    assert lines(project.specloom("approve", "--json").stdout)[0] == {"type": "proposal", "text": PROPOSED[0]}


def test_nobody_at_the_terminal_grants_nothing(project: Project) -> None:
    for _ in range(2):
        done = project.specloom("approve", stdin="y\n")
        assert done.stdout.startswith("This repository proposes, and it does not count until you allow it:\n")
        assert "`specloom approve --yes`" in done.stderr
        assert done.returncode == 0


def test_a_grant_that_does_not_exist_cannot_be_taken_back(project: Project) -> None:
    done = project.specloom("approve", "--revoke", "none")
    assert done.returncode == Exit.USAGE
    assert done.stderr == "specloom: there is no grant 'none'; `specloom approve` lists them\n"


def test_without_proposals_and_grants_it_says_so(empty: Project) -> None:
    assert empty.specloom("approve").stdout == "nothing is granted, and nothing is proposed\n"


def test_granted_verify_commands_run_without_a_question(project: Project, scripted: Start) -> None:
    assert project.specloom("approve", "--yes").returncode == 0
    done = project.specloom("run", *model(scripted(BOTH_TASKS)))
    assert (done.returncode, "2/2 done" in done.stdout) == (Exit.OK, True)
    before = project.specloom("approve").stdout
    assert "grep -q hello greeting.txt" in before
    folder = project.root.parent / "home/.local/state/specloom/grants"
    assert [oct(path.stat().st_mode & 0o777) for path in (folder, *folder.glob("*.json"))] == ["0o700", "0o600"]
    assert not [path for path in project.root.rglob("*.json") if "grep" in path.read_text()]


def test_an_unknown_profile_is_a_usage_error(empty: Project) -> None:
    assert empty.specloom("run", "--profile", "everything").returncode == Exit.USAGE


def question(number: int, *choices: str) -> ApprovalRecord:
    return ApprovalRecord(ApprovalId(f"approval-{number}"), "command", "make", "", None, None, AT, choices)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["approval-12", "--yes"], "Allow once"),
        (["2", "--deny"], "Deny"),
        (["approval-12", "--choice", "For this task"], "For this task"),
        (["approval-3", "--choice", "whatever I say"], "whatever I say"),
    ],
)
def test_a_question_is_named_in_part_and_answered_in_its_own_words(words: list[str], said: str) -> None:
    open_ones = (question(12, "Allow once", "For this task", "Deny"), question(3))
    arguments = parse(["approve", *words])
    assert chosen(arguments, named(open_ones, arguments.question)) == said


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["nobody", "--yes"], "no question 'nobody' waits"),
        (["approval", "--yes"], "may be approval-12 or approval-3"),
        (["approval-12"], "say what to answer with --choice: Allow once, Deny"),
        (["approval-12", "--choice", "Perhaps"], "is none of: Allow once, Deny"),
        (["approval-3", "--yes"], "what the agent shall be told"),
    ],
)
def test_an_answer_that_fits_no_question_is_refused(words: list[str], reason: str) -> None:
    open_ones = (question(12, "Allow once", "Deny"), question(3))
    arguments = parse(["approve", *words])
    with pytest.raises(CommandError, match=reason):
        chosen(arguments, named(open_ones, arguments.question))


def test_yes_and_no_at_once_is_refused() -> None:
    with pytest.raises(CommandError, match="--deny: not allowed with argument --yes"):
        parse(["approve", "approval-1", "--yes", "--deny"])
