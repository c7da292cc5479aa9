"""Runs verify commands, recorded before and after. Refuses to run what nobody granted: the caller asks first."""

import asyncio
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from specloom.domain.events import proof
from specloom.domain.events.proof import CheckPhase
from specloom.domain.ids import AttemptId, CheckId, Digest, TaskId
from specloom.domain.ports import Ids
from specloom.engine.mailbox import Mailbox
from specloom.engine.options import EngineOptions
from specloom.workspace.orphans import Orphans
from specloom.workspace.ports import WorkspaceError
from specloom.workspace.process import ProcessResult, run
from specloom.workspace.shielding import to_the_end

STOPPED = "stopped: the run was cancelled or Specloom was closed while it ran"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One execution of a verify command."""

    check: CheckId
    command: str
    exit_code: int | None
    output: str
    digest: Digest | None
    timed_out: bool
    duration_s: float

    @property
    def passed(self) -> bool:
        """Only an exit code of 0 proves anything."""
        return self.exit_code == 0

    @property
    def ended(self) -> str:
        """How it ended, for messages."""
        return "did not end in time" if self.timed_out else f"exited with {self.exit_code}"


@dataclass(frozen=True, slots=True)
class Checker:
    """Runs commands in the root, in the environment of the run."""

    root: Path
    mailbox: Mailbox
    ids: Ids
    options: EngineOptions
    orphans: Orphans
    rule_of: Callable[[str], str]
    """By which grant a command may run."""

    async def run(
        self, commands: Iterable[str], task: TaskId, attempt: AttemptId | None, phase: CheckPhase
    ) -> tuple[CheckResult, ...]:
        """Runs commands one after the other; all of them before an attempt, else up to the first that fails."""
        results: list[CheckResult] = []
        for command in commands:
            result = await self._run(command, task, attempt, phase)
            results.append(result)
            if not result.passed and phase is not CheckPhase.BEFORE:
                break
        return tuple(results)

    async def _run(self, command: str, task: TaskId, attempt: AttemptId | None, phase: CheckPhase) -> CheckResult:
        check = CheckId(self.ids.new("check"))
        requested = proof.CheckRequested(check, task, attempt, phase, command, self.rule_of(command))
        try:
            # What is handed to the log is committed, also when whoever waits for it is cancelled: it needs its end.
            await to_the_end(self.mailbox.record(requested))
            result = await self._process(check, command)
        except asyncio.CancelledError:
            await to_the_end(self.mailbox.record(proof.CheckSettled(check, task, None, "", 0.0, note=STOPPED)))
            raise
        settled = proof.CheckSettled(
            check, task, result.exit_code, result.output, round(result.duration_s, 3), result.timed_out
        )
        await to_the_end(self.mailbox.record(settled))
        return result

    async def _process(self, check: CheckId, command: str) -> CheckResult:
        limit = self.options.limits.verify_timeout_s
        try:
            ended = await self._ended(check, command, limit)
        except WorkspaceError as error:
            return CheckResult(check, command, None, f"could not be started: {error}", None, False, 0.0)
        output = self.options.redact(ended.output)
        if ended.timed_out:
            output += f"\n(stopped after {limit:g} seconds)"
        return CheckResult(check, command, ended.exit_code, output, ended.digest, ended.timed_out, ended.duration_s)

    async def _ended(self, check: CheckId, command: str, limit: float) -> ProcessResult:
        """Also ends what left the command's session (`setsid`): the next check must not meet it."""
        environment = {**self.options.environment, **self.orphans.environment(check)}
        try:
            return await run(
                command, self.root, environment, limit, on_start=partial(self.orphans.register, str(check))
            )
        finally:
            await to_the_end(self.orphans.end(check))


def named_paths(command: str) -> tuple[str, ...]:
    """Words of a command that could be paths below the root, `path::node` cut at the colons; nothing is looked up."""
    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    found = (word.split("::", 1)[0].removeprefix("./") for word in words if not word.startswith("-"))
    return tuple(dict.fromkeys(path for path in found if _may_be_path(path)))


def _may_be_path(word: str) -> bool:
    parts = PurePosixPath(word).parts
    return bool(parts) and not word.startswith(("/", "~")) and ".." not in parts and ("/" in word or "." in word)


def is_test_file(path: str) -> bool:
    """Whether a path looks like a test by the conventions of common test runners."""
    pure = PurePosixPath(path)
    stem = pure.name.split(".")[0]
    in_folder = any(part in {"tests", "test", "__tests__", "spec"} for part in pure.parts[:-1])
    named = (
        stem.startswith("test_") or stem.endswith(("_test", "_spec")) or ".test." in pure.name or ".spec." in pure.name
    )
    return in_folder or named


def feedback(results: Iterable[CheckResult], limit: int = 12_000) -> str:
    """What the next attempt is told of failed commands: command, exit code, and the end of the output."""
    return "\n\n".join(_report(result, limit) for result in results if not result.passed)


def _report(result: CheckResult, limit: int) -> str:
    text = result.output.strip()
    if not text:
        return f"`{result.command}` {result.ended} and printed nothing"
    shown = text if len(text) <= limit else f"… {len(text) - limit} characters left out …\n{text[-limit:]}"
    fence = "````" if "```" in shown else "```"
    return f"`{result.command}` {result.ended}:\n\n{fence}\n{shown}\n{fence}"
