"""Makes evidence of what ran, and tells when it no longer counts. Refuses to digest anything but the present files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from specloom.domain.evidence import Evidence, EvidenceKind, FileDigest
from specloom.domain.ids import AttemptId, Digest, digest_of
from specloom.engine.verification.checks import CheckResult, is_test_file, named_paths
from specloom.workspace.ports import WorkspaceError
from specloom.workspace.workspace import Workspace

MOST_BYTES = 64 * 1024 * 1024
MOST_FILES = 400
"""Files behind one proof; a command that names a large folder is not digested beyond that."""


async def files_behind(workspace: Workspace, changed: Iterable[str], commands: Iterable[str]) -> tuple[str, ...]:
    """The paths behind a proof: what the task changed and what its commands name, folders unfolded."""
    paths = dict.fromkeys(changed)
    for command in commands:
        for name in named_paths(command):
            paths.update(dict.fromkeys(await _unfold(workspace, name)))
    return tuple(paths)[:MOST_FILES]


async def _unfold(workspace: Workspace, name: str) -> tuple[str, ...]:
    try:
        await workspace.list_folder(name)
    except WorkspaceError:
        return (name,) if await _exists(workspace, name) else ()
    return await workspace.walk(name)


async def _exists(workspace: Workspace, path: str) -> bool:
    return (await digest_at(workspace, path)) is not None


async def digest_at(workspace: Workspace, path: str) -> Digest | None:
    """Digest of a file as it stands (buffer over disk); `None` where there is none or it cannot be read."""
    found = await digests(workspace, (path,))
    return found[path]


async def digests(workspace: Workspace, paths: Iterable[str]) -> Mapping[str, Digest | None]:
    """Digests of files as they stand."""
    found: dict[str, Digest | None] = {}
    for path in paths:
        try:
            found[path] = (await workspace.read(path)).digest
        except WorkspaceError:
            found[path] = await _digest_of_bytes(workspace, path)
    return found


async def digests_on_disk(workspace: Workspace, paths: Iterable[str]) -> Mapping[str, Digest | None]:
    """Digests of files as a command finds them: what stands unsaved in an editor does not count."""
    return {path: await _digest_of_bytes(workspace, path) for path in paths}


async def _digest_of_bytes(workspace: Workspace, path: str) -> Digest | None:
    try:
        return digest_of(await workspace.read_bytes(path, MOST_BYTES))
    except WorkspaceError:
        return None


@dataclass(frozen=True, slots=True)
class Proof:
    """What stood when the commands of a proof ran."""

    at: str
    attempt: AttemptId | None
    present: Mapping[str, Digest | None]
    """Digests of the files behind it, from before the first command ran."""
    before: Mapping[str, bool]
    """Which commands passed before the attempt too, as far as that is known."""
    changed: tuple[str, ...]
    """Files that the attempt changed."""

    def of(self, results: Iterable[CheckResult]) -> tuple[Evidence, ...]:
        """One piece of evidence for each command."""
        return tuple(self._piece(result) for result in results)

    def _piece(self, result: CheckResult) -> Evidence:
        return Evidence(
            kind=EvidenceKind.COMMAND,
            at=self.at,
            attempt=self.attempt,
            check=result.check,
            command=result.command,
            exit_code=result.exit_code,
            output_digest=result.digest,
            summary=last_line(result.output),
            files=tuple(FileDigest(path, digest) for path, digest in self.present.items()),
            discriminating=None if result.command not in self.before else not self.before[result.command],
            touched_tests=tuple(path for path in self.changed if is_test_file(path)),
        )


def last_line(output: str) -> str:
    """The last line that says something, cut to what fits on a screen."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""
