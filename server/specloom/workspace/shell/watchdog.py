"""Ends an agent's sessions when Specloom is gone, however it went. Refuses to know why: the pipe's end is enough.

A bash in a session of its own reads who is guarded from a pipe that only Specloom holds open. It ignores the signals
that a terminal sends, and clears away the folder that the shells used.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from specloom.workspace.process_group import end_process
from specloom.workspace.process_start import start

DEADLINE = 5.0
SCRIPT = r"""
trap '' HUP INT QUIT TERM PIPE
send() {
  local leader stat line
  for leader in "${!held[@]}"; do kill -s "$1" -- "-$leader" 2>/dev/null && left=1; done
  [ -r /proc/self/stat ] || return
  for stat in /proc/[0-9]*/stat; do
    IFS= read -r line 2>/dev/null <"$stat" || continue
    set -- "$1" ${line##*) }
    [ "$2" != Z ] && [ -n "${held[$5]}" ] && kill -s "$1" "${stat//[!0-9]/}" 2>/dev/null && left=1
  done
}
while IFS= read -r line; do
  case $line in
    +*) held[${line#+}]=1 ;;
    -*) unset "held[${line#-}]" ;;
  esac
done
left=
send TERM
for wait in 1 0.2 0.2 0.2; do
  [ -n "$left" ] || break
  sleep "$wait"
  left=
  send KILL
done
rm -rf -- "$1"
"""


@dataclass(slots=True)
class Watchdog:
    """One guard for all shells of an agent; started again should a command have killed it."""

    bash: str
    env: Mapping[str, str]
    folder: Path
    """Removed when Specloom is gone."""
    _guarded: set[int] = field(default_factory=set[int])
    _process: asyncio.subprocess.Process | None = None

    async def guard(self, leader: int) -> None:
        """From here on the session `leader` ends with Specloom. Raises `ProcessStartError`."""
        self._guarded.add(leader)
        if self._process is not None and self._process.returncode is None:
            self._say(f"+{leader}")
            return
        await self._close()
        argv = (self.bash, "--noprofile", "--norc", "-c", SCRIPT, "specloom-watchdog", str(self.folder))
        self._process = await start(argv, Path("/"), self.env, stdin=asyncio.subprocess.PIPE)
        for known in self._guarded:
            self._say(f"+{known}")

    def release(self, leader: int) -> None:
        """The session has ended; its number may soon be somebody else's."""
        self._guarded.discard(leader)
        if self._process is not None and self._process.returncode is None:
            self._say(f"-{leader}")

    async def close(self) -> None:
        """Lets it go. What is still guarded ends."""
        await self._close()

    def _say(self, line: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())

    async def _close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(DEADLINE):
                await process.wait()
        except TimeoutError:
            await end_process(process)
