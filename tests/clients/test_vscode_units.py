"""The parts of the VS Code extension that need no editor, and what a person is handed: manifest, package, lock file."""

import json
import re
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from specloom.lsp.names import COMMANDS
from tests.editors.installing import installed
from tests.editors.vscode_package import packaged
from tests.editors.vscode_workbench import Installed

# What is installed first has a deadline of its own.
pytestmark = pytest.mark.timeout(300, func_only=True)

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "clients" / "vscode"
MANIFEST: dict[str, Any] = json.loads((CLIENT / "package.json").read_text())
MOST_BYTES = 1_000_000
MOST_PICTURE_BYTES = 500_000


@pytest.fixture(scope="session")
def node() -> Path:
    """Node, with the packages of the extension installed; skips with the reason where that cannot be done."""
    return Path(installed("install-vscode-deps", needed=False)[0])


def ran(*words: str | Path, deadline: float = 120) -> str:
    done = subprocess.run(words, cwd=CLIENT, capture_output=True, text=True, timeout=deadline, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.xdist_group("vscode-build")
def test_every_type_holds(node: Path) -> None:
    ran(node, "node_modules/typescript/lib/tsc.js", "--noEmit", "-p", ".")


@pytest.mark.xdist_group("vscode-build")
def test_the_parts_without_an_editor_pass_their_own_tests(node: Path, tmp_path: Path) -> None:
    ran(node, "esbuild.mjs", "--units", f"--to={tmp_path}")
    told = ran(node, "--test", *sorted(tmp_path.glob("*.test.js")))
    assert re.search(r"^(# |ℹ )tests [1-9]\d", told, re.MULTILINE), told


@pytest.mark.xdist_group("vscode-build")
def test_the_package_is_small_and_holds_what_it_shows_and_nothing_else(node: Path) -> None:
    file = packaged(Installed(node, node, node, node), ROOT / ".cache" / "editors" / "extension")
    assert file.stat().st_size <= MOST_BYTES
    names = set(zipfile.ZipFile(file).namelist())
    assert {f"extension/{part}" for part in _files_named()} <= names
    assert not [name for name in names if re.search(r"\.ts$|\.map$|node_modules|test|\.npmrc", name)]
    page = zipfile.ZipFile(file).read("extension/readme.md").decode()
    assert "## Begin" in page
    assert "![" not in page, "the editor's page shows pictures from the web alone"


def test_every_command_that_is_offered_is_registered_and_none_is_the_servers() -> None:
    offered = {command["command"] for command in MANIFEST["contributes"]["commands"]}
    assert not offered & set(COMMANDS), "the language client registers the server's own"
    sources = "\n".join(file.read_text() for file in (CLIENT / "src").rglob("*.ts"))
    missing = [name for name in offered if not _registers(sources, name)]
    assert not missing
    contributes = MANIFEST["contributes"]
    linked = set(re.findall(r"command:(specloom\.[\w.]+)", json.dumps(contributes)))
    assert linked | {item["command"] for menu in contributes["menus"].values() for item in menu} <= offered


def test_commands_are_titled_alike_and_what_needs_a_server_says_so() -> None:
    always = {"newRequirements", "setKey", "forgetKey", "chooseServer", "restart", "showLog", "showServerProblem"}
    for command in MANIFEST["contributes"]["commands"]:
        assert command["category"] == "Specloom"
        needs = "specloom.server == running" in command.get("enablement", "")
        assert needs != (command["command"].removeprefix("specloom.") in always), command["command"]


def test_the_extension_runs_where_the_files_are_and_begins_only_with_what_it_is_for() -> None:
    assert MANIFEST["extensionKind"] == ["workspace"]
    assert MANIFEST["capabilities"]["untrustedWorkspaces"]["supported"] == "limited"
    assert all(event.startswith("workspaceContains:") for event in MANIFEST["activationEvents"])


def test_a_folders_own_settings_cannot_run_code_or_choose_who_gets_the_key() -> None:
    settings = {
        name: setting
        for group in MANIFEST["contributes"]["configuration"]
        for name, setting in group["properties"].items()
    }
    dangerous = re.compile(r"^specloom\.(server\.path|verify|permissions\..*|prices|state_dir|.*\.base_url)$")
    assert {name for name in settings if dangerous.match(name)}
    assert not [name for name, told in settings.items() if dangerous.match(name) and told["scope"] != "machine"]


def test_the_lock_file_names_no_registry() -> None:
    lock = (CLIENT / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert not re.search(r"https?://[^\"]*/-/", lock)


def test_the_pictures_of_the_readme_are_there_and_stay_small() -> None:
    named = re.findall(r"!\[[^\]]{20,}\]\(([^)]+)\)", (CLIENT / "README.md").read_text())
    pictures = [(CLIENT / name).read_bytes() for name in named]
    assert pictures
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    assert sum(map(len, pictures)) <= MOST_PICTURE_BYTES


def _files_named() -> set[str]:
    """Files that the manifest leads to."""
    walkthroughs = MANIFEST["contributes"]["walkthroughs"]
    pages = {step["media"]["markdown"] for each in walkthroughs for step in each["steps"]}
    view = {each["icon"] for each in MANIFEST["contributes"]["viewsContainers"]["activitybar"]}
    return {MANIFEST["main"].removeprefix("./"), MANIFEST["icon"], "dist/client.js", "dist/agent.js", *pages, *view}


def _registers(sources: str, command: str) -> bool:
    """Whether it stands in the table of commands, or is registered by its whole name."""
    short = re.escape(command.removeprefix("specloom."))
    return re.search(rf'^    {short}: |registerCommand\("specloom\.{short}"', sources, re.MULTILINE) is not None
