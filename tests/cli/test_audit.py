"""`events --audit`: every act of a real run is a line, with who did it and by what rule; nothing else is."""

from collections.abc import Callable

from specloom.cli.failures import Exit
from specloom.llm.scripted import ScriptedServer
from tests.cli.conftest import Project, json_lines, write_session
from tests.cli.test_run import model

Start = Callable[..., ScriptedServer]
SETTINGS = '[permissions]\ndeny = ["run_command(curl *)"]\n'


def test_audit_tells_orders_permissions_calls_and_edits_with_their_rules(project: Project, scripted: Start) -> None:
    (project.root / "specloom.toml").write_text(SETTINGS)
    first = write_session("01/1.1", "greeting.txt", "hello\n")
    look = {"tool": "read_file", "input": {"path": "requirements.md"}}
    fetch = {"tool": "run_command", "input": {"command": "curl http://127.0.0.1:9"}}
    first["turns"].insert(0, {"answer": [look, fetch]})
    server = scripted({"sessions": [first, write_session("01/1.2", "farewell.txt", "goodbye\n")]})
    done = project.specloom("run", "--yes", *model(server))
    assert done.returncode == Exit.OK, done.stderr + done.stdout

    acts = json_lines(project.specloom("events", "--audit", "--json").stdout)
    told = [(act["actor"], act["act"], act["subject"]) for act in acts]
    assert ("user", "started a run", "the whole project, every question answered with yes") in told
    assert ("agent", "called write_file", "greeting.txt") in told
    assert ("agent", "created a file", "greeting.txt") in told
    assert not any("read_file" in act["act"] for act in acts)
    checks = [act for act in acts if act["act"] == "ran a verify command"]
    assert {act["subject"] for act in checks} == {"grep -q hello greeting.txt", "grep -q goodbye farewell.txt"}
    assert all(act["rule"] for act in checks)
    assert [act["seq"] for act in acts] == sorted({act["seq"] for act in acts})

    (denied,) = json_lines(project.specloom("events", "--audit", "--denied", "--json").stdout)
    assert (denied["act"], denied["subject"]) == ("was refused run_command", "curl http://127.0.0.1:9")
    assert (denied["agentId"], denied["taskId"], denied["allowed"]) == ("agent-1", "01/1.1", False)
    assert "curl" in denied["rule"]

    of_task = json_lines(project.specloom("events", "--audit", "--task", "01/1.2", "--json").stdout)
    assert {act["taskId"] for act in of_task} == {"01/1.2"}
    later = json_lines(project.specloom("events", "--audit", "--since", str(denied["seq"]), "--json").stdout)
    assert later == [act for act in acts if act["seq"] > denied["seq"]]
    agent = json_lines(project.specloom("events", "--audit", "--agent", "agent-1", "--json").stdout)
    assert agent
    assert agent == [act for act in acts if act["agentId"] == "agent-1"]

    lines = project.specloom("events", "--audit").stdout.splitlines()
    assert len(lines) == len(acts)
    assert any("agent-1    01/1.1 was refused run_command: curl http://127.0.0.1:9 (by " in line for line in lines)
    assert project.specloom("events", "--denied").returncode == Exit.USAGE
