"""The terminal as a client of the daemon: many see one run, each may leave it, and none stops it by that."""

import asyncio
import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from specloom.cli.failures import Exit
from specloom.cli.queue import ELSEWHERE
from specloom.llm.scripted import ScriptedServer
from tests.cli.conftest import BOTH_TASKS, Project, Running, json_lines, new_project, until
from tests.cli.plans import plan_script
from tests.cli.terminals import HIDE, SHOW, Terminal, terminals
from tests.daemon.stage import Stage, begin, bridge, eventually, follow, said, staged

Start = Callable[..., ScriptedServer]
Begin = Callable[[Project], Callable[..., Running]]
SETTINGS = '[models.default]\nmodel = "scripted-1"\n'


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A user's folder without a daemon; whatever is started in it is ended."""
    with staged() as made:
        yield made


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    with terminals() as start:
        yield start


@pytest.fixture
def held(tmp_path: Path, stage: Stage, scripted: Start) -> tuple[Project, ScriptedServer]:
    """A project for the stage's daemon; the answers of its model do not begin before `go`, those to its second task
    before `on`."""
    script: dict[str, Any] = json.loads(json.dumps(BOTH_TASKS))
    script["sessions"][0]["turns"][0]["hold"] = "go"
    script["sessions"][1]["turns"][0]["hold"] = "on"
    server = scripted(script)
    project = new_project(tmp_path)
    (project.root / "specloom.toml").write_text(SETTINGS)
    project.environment |= {**stage.own, "ANTHROPIC_BASE_URL": server.base_url}
    return project, server


def detached(project: Project, *words: str) -> str:
    """Hands a run to the daemon; its id."""
    done = project.specloom("run", "--detach", "--yes", "--json", *words)
    assert done.returncode == Exit.OK, done.stderr
    (told,) = json_lines(done.stdout)
    return told["runId"]


def state_of(project: Project) -> str:
    """Of its run."""
    return json_lines(project.specloom("status", "--json").stdout)[0]["run"]["state"]


def let_go(server: ScriptedServer) -> None:
    """The model answers everything."""
    server.release("go")
    server.release("on")


def events_of(command: Running) -> list[dict[str, Any]]:
    """What it printed of the log."""
    return [line for line in json_lines("\n".join(command.lines)) if "seq" in line and line["type"] != "attached"]


async def test_two_terminals_and_an_editor_see_the_same_events(
    held: tuple[Project, ScriptedServer], stage: Stage, running: Begin
) -> None:
    project, server = held
    await asyncio.to_thread(detached, project)
    first, second = running(project)("attach", "--json"), running(project)("attach", "--json")
    async with bridge(stage) as (wire, _):
        await begin(wire, project.root)
        await follow(wire)
        for terminal in (first, second):
            await asyncio.to_thread(terminal.wait_for, '"type":"attached"')
        let_go(server)
        heard: list[dict[str, Any]] = []
        while not heard or heard[-1]["type"] != "runFinished":
            heard.append(await said(wire, "specloom/event"))
    last = heard[-1]["seq"]
    for terminal in (first, second):
        await asyncio.to_thread(terminal.wait_for, '"type":"runFinished"')
        # The stream is gathered for a moment, and may come behind the events.
        await asyncio.to_thread(terminal.wait_for, "I write greeting.txt now.")
        seen = {event["seq"]: event for event in events_of(terminal)}
        assert list(seen) == sorted(seen)
        assert [seen[event["seq"]] for event in heard if min(seen) <= event["seq"] <= last] == [
            event for event in heard if event["seq"] >= min(seen)
        ]
        output = [line for line in json_lines("\n".join(terminal.lines)) if line["type"] == "output"]
        assert "I write greeting.txt now." in "".join(line["text"] for line in output)


def test_leaving_by_ctrl_c_leaves_the_run_going(held: tuple[Project, ScriptedServer], running: Begin) -> None:
    project, server = held
    detached(project)
    watching = running(project)("attach")
    watching.wait_for("attached: running, the whole project")
    watching.interrupt()
    assert watching.end() == Exit.OK
    assert "the run goes on" in watching.wait_for("detached")
    joining = running(project)("run")
    joining.wait_for("the run of the whole project goes on in the daemon")
    joining.interrupt()
    assert joining.end() == Exit.INTERRUPTED
    assert "paused" not in "".join(joining.lines)
    again = running(project)("run", "--json")
    again.wait_for("goes on in the daemon")
    let_go(server)
    assert again.end() == Exit.OK, again.errors
    summary = json_lines(again.lines[-1])[0]
    assert (summary["type"], summary["tasks"]["done"], summary["turns"]) == ("summary", 2, 4)


def test_a_run_is_paused_taken_up_and_ended_from_other_commands(
    held: tuple[Project, ScriptedServer], running: Begin
) -> None:
    project, server = held
    refused = project.specloom("run", "--pause")
    assert (refused.returncode, "nothing" in refused.stderr) == (Exit.USAGE, True)
    run = detached(project)
    second = project.specloom("run", "--detach")
    assert second.returncode == Exit.USAGE
    assert "`specloom run --cancel` ends it" in second.stderr
    pausing = running(project)("run", "--pause")
    pausing.wait_for("pausing: what is in flight ends first")
    server.release("go")
    assert pausing.end() == Exit.OK, pausing.errors
    assert pausing.lines[-1] == "paused; `specloom run` goes on"
    assert detached(project) == run
    ended = project.specloom("run", "--cancel", "--json")
    assert ended.returncode == Exit.OK, ended.stderr
    assert [(line["runId"], line["state"]) for line in json_lines(ended.stdout)] == [(run, "finished")]
    assert project.specloom("run", "--cancel").returncode == Exit.USAGE


def test_an_order_to_a_daemon_that_stands_still_names_it_and_what_to_do(
    held: tuple[Project, ScriptedServer], stage: Stage
) -> None:
    project, _ = held
    detached(project)
    pid = stage.pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        refused = project.specloom("run", "--pause")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert refused.returncode == Exit.USAGE
    assert f"(pid {pid}) has this project and does not answer here" in refused.stderr
    assert f"end it (`kill -9 {pid}`)" in refused.stderr


def test_an_order_from_where_another_daemon_is_met_says_that_it_may_be_given_elsewhere(
    held: tuple[Project, ScriptedServer], tmp_path: Path
) -> None:
    project, _ = held
    detached(project)
    elsewhere = tmp_path / "other"
    elsewhere.mkdir(mode=0o700)
    there = dict(project.environment)
    project.environment["SPECLOOM_RUNTIME_DIR"] = str(elsewhere)
    refused = project.specloom("run", "--pause")
    project.environment |= there
    assert (refused.returncode, "another XDG_RUNTIME_DIR" in refused.stderr) == (Exit.USAGE, True), refused.stderr
    assert project.specloom("run", "--cancel").returncode == Exit.OK


def test_model_and_endpoint_of_an_order_go_with_it_to_the_daemon(
    held: tuple[Project, ScriptedServer], running: Begin
) -> None:
    project, server = held
    del project.environment["ANTHROPIC_BASE_URL"]
    (project.root / "specloom.toml").unlink()
    detached(project, "--model", "scripted-1", "--base-url", server.base_url)
    joining = running(project)("attach")
    joining.wait_for("attached: ")
    let_go(server)
    joining.wait_for("run completed")
    server.check()


def asking(command: str) -> dict[str, Any]:
    """A model that wants to run a command first; its next answer waits for `go`."""
    script: dict[str, Any] = json.loads(json.dumps(BOTH_TASKS))
    turns = script["sessions"][0]["turns"]
    turns[0]["hold"] = "go"
    turns.insert(0, {"answer": [{"tool": "run_command", "input": {"command": command}}], "hold": "ask"})
    return script


def begun_asking(project: Project, scripted: Start) -> tuple[Project, ScriptedServer]:
    """A run in the daemon that asks for one command once its model may answer."""
    server = scripted(asking("touch made-by-command"))
    project.environment["ANTHROPIC_BASE_URL"] = server.base_url
    assert project.specloom("approve", "--yes").returncode == Exit.OK
    assert project.specloom("run", "--detach").returncode == Exit.OK
    return project, server


def test_a_question_that_is_answered_in_one_terminal_vanishes_in_the_other(
    held: tuple[Project, ScriptedServer], scripted: Start, terminal: Callable[..., Terminal]
) -> None:
    project, server = begun_asking(held[0], scripted)
    first, second = terminal(project, "attach"), terminal(project, "attach")
    for screen in (first, second):
        screen.wait_for("say something to the agent, or /help")
    server.release("ask")
    for screen in (first, second):
        screen.wait_for("    touch made-by-command")
        screen.wait_for("[y]es / [n]o: ")
    first.type("y\n")
    second.wait_for(ELSEWHERE[:40])
    second.type("thanks\n")
    until(lambda: "thanks" in project.specloom("events", "--json").stdout, "the words are in the log")
    until((project.root / "made-by-command").exists, "the command")
    for screen in (first, second):
        screen.type("\x03")
        assert screen.end() == Exit.OK
        assert "the run goes on" in screen.text
        assert screen.raw.rindex(SHOW) > screen.raw.rindex(HIDE)


def test_a_run_that_is_left_says_that_it_asks_first_and_a_grant_answers_it(
    held: tuple[Project, ScriptedServer], running: Begin
) -> None:
    project, server = held
    done = project.specloom("run", "--detach")
    assert done.returncode == Exit.OK, done.stderr
    assert "it asks first, as 2 proposals of this repository" in done.stderr
    watching = running(project)("attach", "--json")
    until(lambda: "this project proposes" in project.specloom("approve").stdout, "it asks")
    granted = project.specloom("approve", "--yes")
    assert granted.stdout.endswith("answered: Allow once\n"), granted.stdout + granted.stderr
    let_go(server)
    watching.wait_for('"type":"runFinished"')
    assert project.specloom("status").stdout.count("2/2 done") == 1


def test_a_question_is_listed_with_its_exact_words_and_answered_by_a_command(
    held: tuple[Project, ScriptedServer], scripted: Start, running: Begin
) -> None:
    project, server = begun_asking(held[0], scripted)
    watching = running(project)("attach", "--json")
    watching.wait_for('"type":"attached"')
    server.release("ask")
    watching.wait_for('"type":"approvalAsked"')
    for words in (("attach",), ("run", "--yes")):
        # No person is there to be asked, and the order of somebody else is not answered by our `--yes`.
        running(project)(*words).wait_for("it asks: touch made-by-command; `specloom approve` lists it")
    listed = json_lines(project.specloom("approve", "--json").stdout)
    (question,) = [line for line in listed if line["type"] == "question"]
    assert question["subject"] == "touch made-by-command"
    told = project.specloom("approve").stdout
    assert "    touch made-by-command\n" in told
    assert f'`specloom approve {question["id"]} --choice …`: "Allow once"' in told
    done = project.specloom("approve", question["id"][-8:], "--deny")
    assert (done.returncode, done.stdout) == (Exit.OK, "answered: Deny\n"), done.stderr
    watching.wait_for('"type":"approvalAnswered"')
    assert project.specloom("approve", question["id"], "--yes").returncode == Exit.USAGE
    server.release("go")
    watching.wait_for('"type":"taskDone"')
    assert not (project.root / "made-by-command").exists()


def test_a_run_that_asks_is_paused_without_an_answer_and_asks_again_when_it_goes_on(
    held: tuple[Project, ScriptedServer], scripted: Start
) -> None:
    project, server = begun_asking(held[0], scripted)
    server.release("ask")
    until(lambda: "touch made-by-command" in project.specloom("approve").stdout, "it asks")
    assert "next      `specloom attach` shows the run and puts what it asks" in project.specloom("status").stdout
    paused = project.specloom("run", "--pause")
    assert (paused.returncode, paused.stdout) == (Exit.OK, "paused; `specloom run` goes on\n"), paused.stderr
    assert "touch made-by-command" not in project.specloom("approve").stdout
    assert project.specloom("run", "--detach").returncode == Exit.OK
    until(lambda: "touch made-by-command" in project.specloom("approve").stdout, "it asks again")
    assert not (project.root / "made-by-command").exists()


def test_what_is_typed_goes_to_the_agent_and_orders_to_the_run(
    held: tuple[Project, ScriptedServer], terminal: Callable[..., Terminal]
) -> None:
    project, server = held
    detached(project)
    screen = terminal(project, "attach")
    screen.wait_for("say something to the agent, or /help")
    screen.type("say moin, toop\x7f\x7f\x7f\x7f not hello")
    screen.wait_for("> say moin,  not hello")
    screen.type("\n")
    screen.wait_for("1 not heard yet")
    screen.type("/puase\n")
    screen.wait_for("did you mean /pause?")
    screen.type("/pause\n")
    until(lambda: state_of(project) == "pausing", "the run pauses")
    server.release("go")
    screen.wait_for("paused")
    prompts = [event for event in json_lines(project.specloom("events", "--json").stdout) if "prompt" in event["type"]]
    assert [event["text"] for event in prompts if event["type"] == "promptQueued"] == ["say moin,  not hello"]
    screen.type("/cancel\n")
    screen.wait_for("run cancelled")
    screen.type("q\n")
    assert screen.end() == Exit.OK
    assert "nothing is running" in screen.text


def test_who_comes_in_the_middle_of_an_answer_sees_what_was_said_of_it(
    tmp_path: Path, stage: Stage, scripted: Start, running: Begin, terminal: Callable[..., Terminal]
) -> None:
    script: dict[str, Any] = json.loads(json.dumps(BOTH_TASKS))
    script["sessions"][0]["turns"][0] |= {"hold": "go", "hold_after_events": 4}
    server, project = scripted(script), new_project(tmp_path)
    (project.root / "specloom.toml").write_text(SETTINGS)
    project.environment |= {**stage.own, "ANTHROPIC_BASE_URL": server.base_url}
    words = "I write greeting.txt now."
    detached(project)
    running(project)("attach", "--json").wait_for(words)
    late = running(project)("attach", "--json")
    late.wait_for(words)
    screen = terminal(project, "attach")
    screen.wait_for(words)
    screen.type("q\n")
    assert screen.end() == Exit.OK
    server.release("go")
    late.wait_for('"type":"runFinished"')
    said = [line for line in json_lines("\n".join(late.lines)) if line["type"] == "output" and line["block"] == "1.0"]
    assert [(line["text"], line["fromStart"]) for line in said[:1]] == [(words, True)]


async def test_a_killed_daemon_is_started_again_and_no_event_is_missed(
    held: tuple[Project, ScriptedServer], stage: Stage, running: Begin
) -> None:
    project, server = held
    await asyncio.to_thread(detached, project)
    watching = running(project)("attach", "--json")
    await asyncio.to_thread(watching.wait_for, '"type":"attached"')
    before = await asyncio.to_thread(stage.pid)
    os.kill(before, signal.SIGKILL)
    await asyncio.to_thread(watching.wait_for, "the daemon is gone; starting it again")
    await asyncio.to_thread(watching.wait_for, "attached again")
    await asyncio.to_thread(watching.wait_for, '"type":"runPaused"')
    await eventually(lambda: stage.pid() != before, "another daemon")
    let_go(server)
    await asyncio.to_thread(detached, project)
    await asyncio.to_thread(watching.wait_for, '"type":"runFinished"')
    seqs = [event["seq"] for event in events_of(watching)]
    start = next(line["seq"] for line in json_lines("\n".join(watching.lines)) if line["type"] == "attached")
    assert seqs == list(range(start + 1, start + 1 + len(seqs)))


def test_a_run_of_another_terminal_is_watched_from_its_log(
    held: tuple[Project, ScriptedServer], running: Begin
) -> None:
    project, server = held
    own = running(project)("run", "--yes")
    own.wait_for("run started")
    watching = running(project)("attach")
    watching.wait_for("attached: running, the whole project")
    watching.wait_for("specloom run in greeter (pid ")
    paused = project.specloom("run", "--pause")
    assert (paused.returncode, "press Ctrl-C there" in paused.stderr) == (Exit.USAGE, True), paused.stderr
    handed = project.specloom("run", "--detach")
    assert (handed.returncode, "press Ctrl-C there" in handed.stderr) == (Exit.USAGE, True), handed.stderr
    leaving = running(project)("attach")
    leaving.wait_for("what it does is shown from its log")
    leaving.interrupt()
    leaving.wait_for("the run goes on where it was started")
    let_go(server)
    watching.wait_for("run completed")
    assert own.end() == Exit.OK
    watching.interrupt()
    assert watching.end() == Exit.OK


def test_a_plan_is_made_by_the_daemon_that_hosts_the_root(
    held: tuple[Project, ScriptedServer], scripted: Start, running: Begin
) -> None:
    project, _ = held
    detached(project)
    assert project.specloom("run", "--cancel").returncode == Exit.OK
    project.environment["ANTHROPIC_BASE_URL"] = scripted(plan_script()).base_url
    (project.root / "specs" / "01-greeting.md").unlink()
    watching = running(project)("attach")
    watching.wait_for("attached: cancelled")
    done = project.specloom("plan", "--yes", "--json")
    assert done.returncode == Exit.OK, done.stderr
    watching.wait_for("plan finished")
    started = next(event for event in json_lines(done.stdout) if event["type"] == "planStarted")
    assert started["clientId"].startswith("specloom lsp-")


def test_a_run_that_is_handed_over_where_nothing_is_planned_is_planned_first(
    held: tuple[Project, ScriptedServer], scripted: Start, running: Begin
) -> None:
    project, _ = held
    server = scripted({"sessions": [*plan_script()["sessions"], *BOTH_TASKS["sessions"]]})
    project.environment["ANTHROPIC_BASE_URL"] = server.base_url
    (project.root / "specs" / "01-greeting.md").unlink()
    detached(project)
    watching = running(project)("attach")
    watching.wait_for("completed")
    watching.interrupt()
    assert watching.end() == Exit.OK
    server.check()


def test_a_run_is_not_handed_over_after_a_plan_that_failed(
    held: tuple[Project, ScriptedServer], scripted: Start
) -> None:
    project, _ = held
    script = plan_script(fault={"status": 401, "times": "always"})
    project.environment["ANTHROPIC_BASE_URL"] = scripted(script).base_url
    (project.root / "specs" / "01-greeting.md").unlink()
    done = project.specloom("run", "--detach", "--yes")
    assert (done.returncode, "the plan has failed: " in done.stderr) == (Exit.USAGE, True), done.stderr
    assert "nothing was started" in done.stderr


def test_a_script_ends_at_a_limit_and_the_question_stays_for_a_person(held: tuple[Project, ScriptedServer]) -> None:
    project, server = held
    (project.root / "specloom.toml").write_text(SETTINGS + "[budget]\nturns = 1\n")
    let_go(server)
    assert project.specloom("approve", "--yes").returncode == Exit.OK
    assert project.specloom("run", "--detach").returncode == Exit.OK
    until(lambda: state_of(project) == "paused", "the limit")
    done = project.specloom("run", "--json")
    assert done.returncode == Exit.BUDGET, done.stderr
    assert json_lines(done.stdout)[-1]["tasks"]["done"] == 0
    (question,) = [
        line for line in json_lines(project.specloom("approve", "--json").stdout) if line["type"] == "question"
    ]
    assert question["kind"] == "budget"
    assert project.specloom("approve", question["id"], "--deny").returncode == Exit.OK
    until(lambda: state_of(project) == "finished", "the run ends")
