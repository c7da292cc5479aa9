"""What a workbench costs while something goes on: CPU of its processes by kind. Refuses to count the server of ours."""

from dataclasses import dataclass, field

import psutil


@dataclass(slots=True)
class Costs:
    """CPU seconds between `begin` and `end` of what this process started, by kind."""

    seconds: dict[str, float] = field(default_factory=dict[str, float])
    _before: dict[str, float] = field(default_factory=dict[str, float])

    def begin(self) -> None:
        """Counts from now on."""
        self._before = _used()

    def end(self) -> None:
        """Keeps what was used since."""
        self.seconds = {kind: round(used - self._before.get(kind, 0.0), 2) for kind, used in _used().items()}


def _used() -> dict[str, float]:
    found: dict[str, float] = {}
    for process in psutil.Process().children(recursive=True):
        try:
            kind, times = _kind(" ".join(process.cmdline())), process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        if kind:
            found[kind] = found.get(kind, 0.0) + times.user + times.system
    return found


def _kind(command: str) -> str:
    """`extensions`: their host, ours among them; `pages`: workbench and webviews; the rest of either."""
    if "--type=extensionHost" in command:
        return "extensions"
    if "chromium" in command:
        return "pages" if "--type=renderer" in command else "browser"
    return "workbench server" if "code-server" in command else ""
