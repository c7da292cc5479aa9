"""One runtime a root: opened once, joined by all, closed unneeded; orders carry their sender's environment."""

import asyncio
import json
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from specloom import compose
from specloom.daemon.errors import NoDaemonError
from specloom.daemon.roots import Roots
from specloom.domain.origin import Origin
from specloom.domain.rejection import Rejected
from specloom.domain.runs import Budget, Scope
from specloom.engine.api import Runtime
from specloom.engine.runtime import ProjectRuntime
from specloom.llm.scripted.server import ScriptedServer
from specloom.lsp.editor_settings import EditorSettings
from specloom.lsp.hosting import Sender
from specloom.store.errors import StoreClosedError
from specloom.store.lock import writer_of
from tests.daemon.stage import DEADLINE
from tests.integration.projects import greeter, greeter_script, session

CLIENTS = 8
PATH = "/usr/local/bin:/usr/bin:/bin"


def sender(base_url: str = "", **environment: str) -> Sender:
    """A client whose editor names a model's address, if any."""
    models = {"models": {"default": {"model": "scripted-1", "base_url": base_url}}} if base_url else {}
    return Sender({"PATH": PATH, **environment}, EditorSettings(models))


@asynccontextmanager
async def roots(linger: float = 0.0) -> AsyncGenerator[Roots]:
    """Closed at the end."""
    made = Roots(lambda: compose, linger)
    try:
        yield made
    finally:
        await made.close()


async def closed(root: Path) -> None:
    """Waits until nobody holds the root's lock."""
    async with asyncio.timeout(DEADLINE):
        while await asyncio.to_thread(writer_of, root / ".specloom"):  # noqa: ASYNC110 - unannounced
            await asyncio.sleep(0.02)


async def test_clients_that_come_at_once_get_one_runtime(tmp_path: Path) -> None:
    root, everybody = greeter(tmp_path), asyncio.Barrier(CLIENTS)
    async with roots() as made:

        async def join(number: int) -> Runtime:
            async with made.joined(root, sender(), f"client-{number}") as runtime:
                await everybody.wait()
                return runtime

        found = await asyncio.gather(*(join(number) for number in range(CLIENTS)))
        assert len({id(runtime) for runtime in found}) == 1
        await closed(root)
        assert made.told() == []


async def test_folder_of_two_names_has_one_runtime_and_another_folder_of_a_name_has_its_own(tmp_path: Path) -> None:
    root, other = greeter(tmp_path / "root"), tmp_path / "Root"
    other.symlink_to(root)
    async with roots(linger=600.0) as made:

        async def join(name: Path) -> Runtime:
            async with made.joined(name, sender(), "one") as runtime:
                return runtime

        first, second = await asyncio.gather(join(other), join(root))
        assert first is second
        other.unlink()
        greeter(other)
        async with made.joined(other, sender(), "one") as runtime:
            assert runtime.state.id != first.state.id


async def test_a_root_that_could_not_be_opened_is_tried_again(tmp_path: Path) -> None:
    root = tmp_path / "later"
    async with roots() as made:
        for _ in range(2):
            with pytest.raises(Exception, match="is missing"):
                async with made.joined(root, sender(), "early"):
                    pass
        greeter(root)
        async with made.joined(root, sender(), "late") as runtime:
            assert runtime.state.name == "later"


async def test_a_root_stays_open_for_a_while_and_who_comes_back_finds_it(tmp_path: Path) -> None:
    root = greeter(tmp_path)
    async with roots(linger=600.0) as made:
        async with made.joined(root, sender(), "one") as before:
            pass
        async with made.joined(root, sender(), "two") as after:
            assert after is before
    assert await asyncio.to_thread(writer_of, root / ".specloom") is None


async def test_who_comes_while_a_root_is_closed_gets_a_fresh_one(tmp_path: Path) -> None:
    root = greeter(tmp_path)
    async with roots() as made:
        for number in range(5):
            async with made.joined(root, sender(), f"client-{number}") as runtime:
                assert await runtime.events(0, 1)
            # Somewhere between open, lingering and closing.
            await asyncio.sleep(0.02 * number)


async def test_nothing_is_opened_any_more_at_the_end(tmp_path: Path) -> None:
    async with roots() as made:
        await made.close()
        with pytest.raises(NoDaemonError, match="is ending"):
            async with made.joined(greeter(tmp_path), sender(), "late"):
                pass


async def test_who_waited_for_a_root_to_close_opens_nothing_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, closing, go = greeter(tmp_path), asyncio.Event(), asyncio.Event()
    async with roots() as made:
        async with made.joined(root, sender(), "first") as runtime:
            real = runtime.close

        async def slow() -> None:
            closing.set()
            await go.wait()
            await real()

        monkeypatch.setattr(runtime, "close", slow)

        async def join() -> None:
            async with made.joined(root, sender(), "late"):
                pass

        async with asyncio.timeout(DEADLINE):
            await closing.wait()
            late = asyncio.create_task(join())
            await asyncio.sleep(0)
            ending = asyncio.create_task(made.close())
            await asyncio.sleep(0)
            go.set()
            with pytest.raises(NoDaemonError, match="is ending"):
                await late
            await ending


async def test_a_root_that_was_deleted_and_made_again_is_fresh_to_who_comes(tmp_path: Path) -> None:
    root = greeter(tmp_path / "root")
    async with roots() as made:
        async with made.joined(root, sender(), "stays") as old:
            before = old.state.id
            await asyncio.to_thread(shutil.rmtree, root)
            with pytest.raises(Exception, match="is missing"):
                async with made.joined(root, sender(), "early"):
                    pass
            await asyncio.to_thread(greeter, root)
            async with made.joined(root, sender(), "comes") as fresh, made.joined(root, sender(), "too") as same:
                assert fresh is same
                assert fresh.state.id != before
                assert await asyncio.to_thread(writer_of, root / ".specloom")
        await closed(root)
    with pytest.raises(StoreClosedError):
        await old.events(0, 1)


async def test_a_client_that_vanishes_while_the_root_opens_takes_it_from_nobody(tmp_path: Path) -> None:
    root = greeter(tmp_path)
    async with roots(linger=600.0) as made:

        async def join(name: str) -> str:
            async with made.joined(root, sender(), name) as runtime:
                return runtime.state.name

        gone, stays = asyncio.create_task(join("gone")), asyncio.create_task(join("stays"))
        await asyncio.sleep(0)
        gone.cancel()
        assert await stays == root.name


def addresses(runtime: Runtime) -> set[str]:
    """Where the models are asked."""
    return {runtime.host_of(role) for role in ("planner", "executor")}


async def test_the_latest_editor_that_sets_anything_counts_and_its_going_takes_nothing_back(tmp_path: Path) -> None:
    root = greeter(tmp_path)
    async with roots() as made, made.joined(root, sender("http://127.0.0.1:1001"), "one") as runtime:
        async with made.joined(root, sender(), "sets nothing"):
            assert addresses(runtime) == {"127.0.0.1:1001"}
        async with made.joined(root, sender("http://127.0.0.1:1002"), "two"):
            assert addresses(runtime) == {"127.0.0.1:1002"}
        assert addresses(runtime) == {"127.0.0.1:1002"}


async def order(runtime: Runtime, client: str) -> Any:
    """An unattended run of the first task."""
    return await runtime.start_run(Scope("task", "01/1.1"), Budget(), Origin("user", client), unattended=True)


def keys(server: ScriptedServer) -> set[str]:
    """That requests came with."""
    return {request.headers.get("x-api-key", "") for request in server.requests if request.path.endswith("/messages")}


async def test_an_order_is_carried_out_with_the_key_and_the_environment_of_its_sender(tmp_path: Path) -> None:
    root = greeter(tmp_path, spec())
    shows = [
        {"answer": [{"tool": "run_command", "input": {"command": "echo env=$VIRTUAL_ENV key=$ANTHROPIC_API_KEY."}}]},
        {"expect": "env=/two key=.", "answer": [{"tool": "write_file", "input": {"path": "done", "content": "x\n"}}]},
        {"answer": [{"text": "Done."}]},
    ]
    async with (
        ScriptedServer({"sessions": [session("1", "# Task 01/1.1", turns=shows)]}, key="key-two") as server,
        roots() as made,
        made.joined(root, sender(server.base_url, ANTHROPIC_API_KEY="key-one", VIRTUAL_ENV="/one"), "one") as runtime,
    ):
        async with made.joined(root, sender(server.base_url, ANTHROPIC_API_KEY="key-two", VIRTUAL_ENV="/two"), "two"):
            assert not isinstance(await order(runtime, "two"), Rejected)
            # While it goes on, the other one's order changes nothing.
            refused = await order(runtime, "one")
            assert isinstance(refused, Rejected)
            assert refused.code == "run-active"
        await runtime.wait_idle()
        server.check()
        assert keys(server) == {"key-two"}
    assert (root / "done").exists()


async def test_a_client_that_names_a_root_twice_and_drops_one_still_orders_with_its_own_key(tmp_path: Path) -> None:
    root = greeter(tmp_path, spec())
    done = [
        {"answer": [{"tool": "write_file", "input": {"path": "done", "content": "x\n"}}]},
        {"answer": [{"text": "Done."}]},
    ]
    async with (
        ScriptedServer({"sessions": [session("1", "# Task 01/1.1", turns=done)]}, key="key-two") as server,
        roots() as made,
        made.joined(root, sender(server.base_url, ANTHROPIC_API_KEY="key-one"), "one"),
        made.joined(root, sender(server.base_url, ANTHROPIC_API_KEY="key-two"), "two") as runtime,
    ):
        # As an editor does whose folder is also reached by a link.
        async with made.joined(root, sender(server.base_url, ANTHROPIC_API_KEY="key-two"), "two"):
            pass
        assert not isinstance(await order(runtime, "two"), Rejected)
        await runtime.wait_idle()
        assert keys(server) == {"key-two"}


def spec() -> str:
    """One task that a file proves."""
    return (
        '---\nid: "01"\ntitle: One\ndepends_on: []\nrequirements: []\n---\n\n# One\n\n## Tasks\n\n'
        "- [ ] 1.1 Write done\n  - _Verify: `test -f done`_\n"
    )


async def test_a_key_is_not_sent_to_an_address_that_another_client_named(tmp_path: Path) -> None:
    root = greeter(tmp_path, spec())
    async with (
        roots() as made,
        made.joined(root, sender(ANTHROPIC_API_KEY="key-one"), "one") as runtime,
        made.joined(root, sender("https://elsewhere.invalid"), "two"),
    ):
        refused = await order(runtime, "one")
        assert isinstance(refused, Rejected)
        assert refused.code == "no-key"
        assert "elsewhere.invalid" in refused.message
        assert "key-one" not in refused.message


async def test_what_is_told_of_roots_holds_no_key(tmp_path: Path) -> None:
    root = greeter(tmp_path)
    async with roots() as made, made.joined(root, sender(ANTHROPIC_API_KEY="sk-planted"), "one") as runtime:
        assert isinstance(runtime, ProjectRuntime)
        assert "sk-planted" not in json.dumps(made.told()) + repr(sender(ANTHROPIC_API_KEY="sk-planted"))
        assert made.works == ()


async def test_a_root_at_work_is_not_closed_when_its_clients_have_gone(tmp_path: Path) -> None:
    root = greeter(tmp_path)
    async with ScriptedServer(greeter_script()) as server, roots() as made:
        async with made.joined(root, sender(server.base_url), "one") as runtime:
            answer = await runtime.start_run(Scope(), Budget(), Origin("user", "one"), unattended=True)
            assert not isinstance(answer, Rejected)
        assert made.works
        await closed(root)
        server.check()
