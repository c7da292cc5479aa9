"""The same `commandId` twice is one effect: of every order on the wire, at once and after a restart."""

from pathlib import Path
from typing import Any

from specloom.engine.trust import ALWAYS
from specloom.llm.scripted.server import ScriptedServer
from specloom.lsp.methods import METHODS
from specloom.lsp.protocol import Order, OrderResult
from tests.integration.projects import WRITES, greeter, session
from tests.lsp.editor import Editor, editing
from tests.lsp.test_scenario import settings

ONE, TWO = "01/1.1", "01/1.2"
TASK = {"scope": {"kind": "task", "id": ONE}}
AGENT = "agent-1"
ORDERS = tuple(name for name, method in METHODS.items() if method.changes)


def test_every_order_takes_a_command_id_and_says_whether_it_was_repeated() -> None:
    for name in ORDERS:
        method = METHODS[name]
        assert isinstance(method.params, type), name
        assert issubclass(method.params, Order), name
        assert method.result is not None, name
        assert issubclass(method.result, OrderResult), name


def script() -> dict[str, Any]:
    """A plan whose answers are held back; a task whose first attempt is held back, and whose second one is blocked."""
    asks = [{"answer": [{"text": "?"}], "hold": "plan"}]
    blocked = [{"answer": [{"tool": "report_blocked", "input": {"reason": "no access"}}]}]
    return {
        "sessions": [
            session("outline", "# Outline", turns=asks, optional=True),
            session("tasks", "# Write the tasks", turns=asks, optional=True),
            session("spec", "# Write the spec", turns=asks, optional=True),
            session("1.1", f"# Task {ONE} (attempt 1)", turns=[WRITES[0] | {"hold": "turn"}, *WRITES[1:]]),
            session("1.1 again", f"# Task {ONE} (attempt 2)", turns=blocked),
        ]
    }


class Orders:
    """Gives each order twice, and remembers it."""

    def __init__(self, editor: Editor) -> None:
        self._editor = editor
        self.given: dict[str, tuple[str, dict[str, Any]]] = {}

    async def give(self, method: str, **params: Any) -> dict[str, Any]:
        """The answer to the first time; the second time was no effect."""
        name = f"{method}#{len(self.given)}"
        first = await self._editor.request(method, params | {"commandId": name})
        assert first["repeated"] is False, name
        self.given[name] = (method, params)
        again = await repeated(self._editor, name, method, params)
        assert {key: again[key] for key in again if key.endswith("Id")} == {
            key: first[key] for key in first if key.endswith("Id")
        }
        return first


async def repeated(editor: Editor, name: str, method: str, params: dict[str, Any]) -> dict[str, Any]:
    """The answer to an order that was given before."""
    answer = await editor.request(method, params | {"commandId": name})
    assert answer["repeated"] is True, name
    return answer


async def _documents(orders: Orders) -> None:
    await orders.give("specloom/credential/set", key="no-real-key-1")
    await orders.give("specloom/task/skip", taskId=TWO)
    await orders.give("specloom/task/retry", taskId=TWO)
    await orders.give("specloom/spec/generate")
    await orders.give("specloom/spec/cancel")
    await orders.give("specloom/task/extract", specId="01")
    await orders.give("specloom/spec/cancel")
    await orders.give("specloom/spec/settle", specId="01", choice="continue")
    await orders.give("specloom/spec/cancel")


async def _run(orders: Orders, editor: Editor, server: ScriptedServer) -> None:
    await orders.give("specloom/run/start", **TASK)
    asked = await editor.event("approvalAsked")
    await orders.give("specloom/approval/answer", approvalId=asked["approvalId"], choice=ALWAYS)
    await editor.event("turnRequested", agentId=AGENT)
    prompt = await orders.give("specloom/agent/prompt", agentId=AGENT, text="Use tabs")
    await orders.give("specloom/prompt/withdraw", promptId=prompt["promptId"])
    await orders.give("specloom/run/pause", when="now")
    await editor.event("runPaused")
    await orders.give("specloom/run/resume")
    await orders.give("specloom/run/cancel")
    server.release("turn")
    await editor.event("runFinished")
    again = await orders.give("specloom/run/start", **TASK)
    await editor.event("taskBlocked", taskId=ONE)
    # As long as it goes on, it would begin the task anew as soon as that may be.
    await editor.event("runFinished", runId=again["runId"])
    await orders.give("specloom/task/unblock", taskId=ONE)
    await orders.give("specloom/task/skip", taskId=ONE)
    await orders.give("specloom/task/reset", taskId=ONE)
    (grant, *_) = (await editor.request("specloom/grant/list", {}))["grants"]
    await orders.give("specloom/grant/revoke", grantId=grant["id"])


async def test_every_order_given_again_changes_nothing_not_even_after_a_restart(tmp_path: Path) -> None:
    root, environment = greeter(tmp_path / "greeter"), {"XDG_STATE_HOME": str(tmp_path / "state")}
    async with ScriptedServer(script()) as server:
        async with editing(root, options=settings(server), environment=environment) as editor:
            editor.answer = lambda _: None
            await editor.subscribe()
            orders = Orders(editor)
            await _documents(orders)
            await _run(orders, editor, server)
        assert {method for method, _ in orders.given.values()} == set(ORDERS)
        async with editing(root, options=settings(server), environment=environment) as editor:
            before = await editor.request("specloom/project/get", {})
            for name, (method, params) in orders.given.items():
                await repeated(editor, name, method, params)
            after = await editor.request("specloom/project/get", {})
            assert (after["seq"], after["run"]) == (before["seq"], before["run"])
