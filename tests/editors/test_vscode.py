"""A real VS Code workbench in a real browser drives the whole job through our extension."""

from pathlib import Path

import pytest

from tests.editors.vscode_workbench import Home, Installed, playing
from tests.integration.projects import greeter

pytestmark = pytest.mark.editor


def test_the_workbench_shows_a_folder(workbench: Installed, shots: Path, tmp_path: Path) -> None:
    root = greeter(tmp_path / "greeter")
    home = Home(tmp_path / "home", workbench, {})
    with home.serving() as address, playing("opens", workbench, shots, {}, address=address, root=str(root)) as story:
        story.must_pass()
