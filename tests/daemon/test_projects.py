"""The projects of a machine: listed, made, named and put away by any client, each order as often as one likes."""

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from specloom.daemon.client import DaemonClient, RefusedError, connected
from tests.daemon.stage import Stage
from tests.integration.projects import greeter


async def twice(client: DaemonClient, verb: str, **params: Any) -> dict[str, Any]:
    """The project after an order that was given two times."""
    order = params | {"commandId": uuid4().hex}
    first = await client.request(f"specloom/project/{verb}", order)
    again = await client.request(f"specloom/project/{verb}", order)
    told = ("id", "name", "alias", "uri", "archived")
    assert [first["project"][name] for name in told] == [again["project"][name] for name in told]
    return again["project"]


async def listed(client: DaemonClient, **params: Any) -> list[dict[str, Any]]:
    """All projects."""
    return (await client.request("specloom/project/list", params))["projects"]


async def refused(client: DaemonClient, verb: str, **params: Any) -> str:
    """Why an order is refused."""
    with pytest.raises(RefusedError) as caught:
        await client.request(f"specloom/project/{verb}", params)
    return caught.value.data["reason"]


async def test_projects_are_made_named_and_put_away(stage: Stage) -> None:
    one, two = (greeter(stage.logs.parent / name) for name in ("one", "two"))
    async with connected(stage.environment) as client:
        await client.initialize(one)
        await client.request("specloom/project/get", {})
        (seen,) = await listed(client)
        assert (seen["hosted"], seen["name"], seen["runState"]) == (True, "one", None)
        opened = await twice(client, "create", folder=one.as_uri(), name="First")
        assert (opened["hosted"], opened["name"], opened["uri"]) == (True, "First", one.resolve().as_uri())
        made = await twice(client, "create", folder=two.as_uri(), name="Second")
        assert {item["id"] for item in await listed(client)} == {opened["id"], made["id"]}
        assert await refused(client, "rename", project="project-", name="?") == "ambiguous-project"
        assert (await twice(client, "alias", project=made["id"], alias="side"))["alias"] == "side"
        assert await refused(client, "alias", project=opened["id"], alias="side") == "alias-taken"
        assert (await twice(client, "rename", project="si", name="Beside"))["name"] == "Beside"
        assert (await twice(client, "archive", project="side"))["archived"]
        assert [item["id"] for item in await listed(client)] == [opened["id"]]
        assert len(await listed(client, archived=True)) == 2
        assert await refused(client, "create", folder=(one / "none").as_uri(), name="?") == "no-folder"
    assert str(two.resolve()) in await command(stage, "status", "sid")
    acts = [json.loads(line) for line in (await audit(stage, two, "--json")).splitlines()]
    told = [("created the project", "Second"), ("gave the project an alias", "side")]
    told += [("renamed the project", "Second to Beside"), ("archived the project", "")]
    assert [(act["act"], act["subject"]) for act in acts] == told, "each once, though ordered twice"
    assert {(act["seq"], act["actor"], act["clientId"].partition(" ")[0]) for act in acts} == {
        (None, "user", "specloom")
    }
    assert "renamed the project: one to First" in await audit(stage, one)
    assert await audit(stage, one, "--since", "999") == ""
    assert await audit(stage, one, "--task", "01/1.1") == ""


async def audit(stage: Stage, root: Path, *options: str) -> str:
    """Who did what in a project."""
    return await command(stage, "events", "--audit", "--workspace", str(root), *options)


async def command(stage: Stage, *words: str) -> str:
    """What the command line tells."""
    process = await asyncio.create_subprocess_exec(
        "specloom",
        *words,
        cwd=Path("/"),
        env=stage.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return output.decode()
