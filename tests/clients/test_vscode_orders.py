"""What the server would take for a task stands in the menus of VS Code's tree, each by the word that its row has."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from specloom.lsp.protocol_project import TaskOrder
from specloom.lsp.wire_orders import RUN_METHOD, TASK_ORDERS

MANIFEST: dict[str, Any] = json.loads((Path(__file__).parents[2] / "clients" / "vscode" / "package.json").read_text())
MENU = MANIFEST["contributes"]["menus"]["view/item/context"]
WHEN = re.compile(r"viewItem =~ /(.+?)/(?: |$)")


@pytest.mark.parametrize("order", TASK_ORDERS, ids=lambda order: order.title)
def test_every_order_of_the_servers_table_has_a_place_of_its_own_in_the_menu(order: TaskOrder) -> None:
    word = "verify" if order.doubtful else "run" if order.method == RUN_METHOD else order.method.rsplit("/", 1)[-1]
    places = [
        found for item in MENU if item["command"] == f"specloom.{word}Task" and (found := WHEN.search(item["when"]))
    ]
    assert any(re.search(place[1], f"task.done.leaf.{word}") for place in places)
    assert not any(re.search(place[1], "task.done.leaf.proof") for place in places)
