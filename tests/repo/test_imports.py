"""Import contracts, imports without side effects, and what starting up may cost."""

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.repo.tree import ROOT, module_of, tracked

MODULES = tuple(module_of(path) for path in tracked("server/specloom/*.py"))

LIGHT: dict[str, set[str]] = {
    "domain": {"rpds", "markdown_it", "mdurl"},
    "llm": set(),
    "tools": {"rpds", "markdown_it", "mdurl"},
    "agent": {"rpds", "markdown_it", "mdurl"},
}
"""Floor → all third-party packages that importing the whole of it may load: what each start pays for."""

BEFORE_INITIALIZE = {
    "_cffi_backend", "attr", "attrs", "cattr", "cattrs", "exceptiongroup", "lsprotocol", "pygls", "typing_extensions",
    "_distutils_hack",
}  # fmt: skip
"""What `specloom lsp` may have loaded when it answers `initialize`: pygls, what that needs, and what setuptools adds
to every start of an interpreter that it is installed for."""

WATCHED = """
import json, os, signal, sys, threading
effects, current, present = [], "", set(sys.modules)
WRITES = {"os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.chmod", "os.link", "os.symlink", "os.putenv",
          "os.chdir", "subprocess.Popen", "os.system", "os.fork", "os.exec", "socket.connect", "socket.bind",
          "socket.getaddrinfo", "signal.signal", "sqlite3.connect", "tempfile.mkstemp", "tempfile.mkdtemp"}
def hook(event, arguments):
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if event in WRITES or writes:
        effects.append([current, event, repr(arguments)[:120]])
sys.addaudithook(hook)
handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
for current in json.loads(sys.argv[1]):
    before = threading.active_count(), dict(os.environ), os.getcwd()
    __import__(current)
    if before != (threading.active_count(), dict(os.environ), os.getcwd()):
        effects.append([current, "threads, environment or folder", ""])
if handlers != [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]:
    effects.append([current, "signal handlers", ""])
loaded = {name.partition(".")[0] for name in set(sys.modules) - present}
print(json.dumps({"effects": effects, "loaded": sorted(loaded)}))
"""


def imported(modules: tuple[str, ...]) -> tuple[list[list[str]], set[str]]:
    """Imports in a fresh interpreter: side effects, and the third-party packages that are loaded afterwards."""
    run = subprocess.run(
        [sys.executable, "-B", "-W", "error", "-c", WATCHED, json.dumps(modules)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    *output, answer = run.stdout.splitlines()
    assert not output, "importing printed something"
    found = json.loads(answer)
    return found["effects"], third_party(set(found["loaded"]))


def third_party(packages: set[str]) -> set[str]:
    """Those that are installed beside us rather than with Python."""
    installed = Path(sysconfig.get_path("purelib")), Path(sysconfig.get_path("platlib"))
    names = {path.name.partition(".")[0] for folder in installed for path in folder.iterdir()}
    return (packages & names) - {"specloom"} - set(sys.stdlib_module_names)


def test_import_contracts_hold() -> None:
    run = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache", "--no-logo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stdout


def test_importing_every_module_has_no_side_effect() -> None:
    effects, _ = imported(MODULES)
    assert not effects


@pytest.mark.parametrize("floor", LIGHT)
def test_a_light_floor_loads_no_more_than_it_may(floor: str) -> None:
    modules = tuple(name for name in MODULES if name.startswith(f"specloom.{floor}"))
    assert modules
    assert imported(modules)[1] <= LIGHT[floor]


@pytest.mark.parametrize("name", ["specloom", "specloom.cli", "specloom.lsp", "specloom.store"])
def test_a_floor_named_but_not_used_costs_nothing(name: str) -> None:
    assert not imported((name,))[1]


def test_initialize_is_answered_before_anything_heavy_is_loaded() -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}})
    server = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "specloom", "lsp", "--standalone"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with server:
        assert server.stdin
        assert server.stdout
        server.stdin.write(f"Content-Length: {len(body)}\r\n\r\n{body}")
        server.stdin.flush()
        assert server.stdout.readline().startswith("Content-Length")
        server.kill()
        loaded = {
            line.rpartition("|")[2].strip().partition(".")[0] for line in server.communicate(timeout=20)[1].splitlines()
        }
    assert "pygls" in loaded
    assert third_party(loaded) <= BEFORE_INITIALIZE
