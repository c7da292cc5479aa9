"""VS Code's workbench as tests start it: served by code-server, shown in a real browser, nothing of the machine's own.

Refuses every address but loopback (the story does), and ends what it started whatever happens.
"""

import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

HERE = Path(__file__).parent / "vscode"
DEADLINE = 420.0
"""Seconds for one story of many steps, each with a deadline, on a machine that is busy with others."""
STARTING = 60.0
POLL = 0.05
LISTENS = re.compile(r"HTTP server listening on (http://[\d.:]+)/")
PATH = "/usr/local/bin:/usr/bin:/bin"
"""Of a person who has installed nothing of ours."""
QUIET: dict[str, Any] = {
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
    "workbench.welcomePage.walkthroughs.openOnInstall": False,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "chat.disableAIFeatures": True,
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "extensions.autoUpdate": False,
    "extensions.autoCheckUpdates": False,
    "extensions.ignoreRecommendations": True,
    "git.enabled": False,
    "editor.minimap.enabled": False,
    "files.autoSave": "off",
    "workbench.colorTheme": "Default Dark Modern",
}
"""Settings of a person who wants no company."""


@dataclass(frozen=True, slots=True)
class Installed:
    """What `scripts/install-vscode` brought."""

    node: Path
    entry: Path
    packages: Path
    chromium: Path


class Home:
    """The folders of one person: user data, extensions, XDG."""

    def __init__(self, folder: Path, installed: Installed, settings: Mapping[str, Any], **own: str) -> None:
        self.folder = folder
        self._installed = installed
        data = folder / "data"
        user = data / "User" / "settings.json"
        self._flags = ("--user-data-dir", str(data), "--extensions-dir", str(folder / "extensions"))
        user.parent.mkdir(parents=True)
        user.write_text(json.dumps(QUIET))
        # The window is a remote one: settings of a machine's scope are dropped from the user's file.
        (data / "Machine").mkdir()
        (data / "Machine" / "settings.json").write_text(json.dumps(dict(settings)))
        places = {f"XDG_{kind}_HOME": str(folder / kind.lower()) for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
        path = os.pathsep.join((str(installed.node.parent), PATH))
        gallery = {"EXTENSIONS_GALLERY": json.dumps({"serviceUrl": "", "itemUrl": ""})}
        self.environment = places | gallery | {"HOME": str(folder), "PATH": path, "LANG": "C.UTF-8", **own}

    def install(self, vsix: Path) -> None:
        """Installs an extension as a person does from its file."""
        run = subprocess.run(
            [*self._words(), "--install-extension", str(vsix)],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=STARTING,
            check=False,
        )
        assert run.returncode == 0, run.stdout + run.stderr

    @contextmanager
    def serving(self, *, trusted: bool = True) -> Generator[str]:
        """The address of the workbench while it is served; untrusted folders are asked about only on demand."""
        # The port is the system's choice: one that was looked for before may be somebody else's by now.
        words = ("--auth", "none", "--bind-addr", "127.0.0.1:0", "--disable-telemetry", "--disable-update-check")
        more = ("--disable-getting-started-override", "--ignore-last-opened")
        trust = ("--disable-workspace-trust",) if trusted else ()
        said = self.folder / "workbench.log"
        with (
            said.open("w") as log,
            subprocess.Popen(
                [*self._words(), *words, *more, *trust],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            ) as process,
        ):
            try:
                yield _healthy_address(said, process)
            finally:
                _end_group(process)

    def _words(self) -> list[str]:
        return [str(self._installed.node), str(self._installed.entry), *self._flags]


class Workbench:
    """A story that is played in a browser; it asks for what only the test can do by a line `<verb> <word>`."""

    def __init__(self, process: subprocess.Popen[str], verbs: Mapping[str, Callable[[str], None]]) -> None:
        self._process = process
        self._verbs = verbs
        self._log: list[str] = []
        self._reader = threading.Thread(target=self._read, args=(process.stdout,))
        self._reader.start()

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def must_pass(self) -> str:
        """Waits for the end and returns what was said; a story that failed shows its whole log."""
        try:
            status = self._process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            _end_group(self._process)
            self._reader.join()
        assert status == 0, f"exit status {status}\n" + "".join(self._log)
        return "".join(self._log)

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self._log.append(line)
            verb, _, word = line.strip().partition(" ")
            if verb in self._verbs:
                self._verbs[verb](word)


@contextmanager
def playing(
    story: str, installed: Installed, shots: Path, verbs: Mapping[str, Callable[[str], None]], **told: str
) -> Generator[Workbench]:
    """Plays `vscode/<story>.mjs`; screenshots go to `shots`, and `told` to its environment as `STORY_*`."""
    shots.mkdir(parents=True, exist_ok=True)
    places = {"STORY_PACKAGES": str(installed.packages), "STORY_CHROMIUM": str(installed.chromium)}
    words = {f"STORY_{name.upper()}": value for name, value in told.items()}
    with subprocess.Popen(
        [installed.node, HERE / f"{story}.mjs"],
        env={
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "STORY_SHOTS": str(shots),
            "HOME": str(shots),
            **places,
            **words,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield Workbench(process, verbs)
        finally:
            _end_group(process)


def _healthy_address(said: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + STARTING
    while not (told := LISTENS.search(said.read_text())) or not _healthy(told[1]):
        assert process.poll() is None, f"code-server ended with {process.returncode}\n{said.read_text()}"
        assert time.monotonic() < deadline, f"code-server does not answer within {STARTING:g} s\n{said.read_text()}"
        time.sleep(POLL)
    return told[1]


def _healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/healthz", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def _end_group(process: subprocess.Popen[Any]) -> None:
    for name in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, name)
            process.wait(5)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
