"""What proves a task, and when a proof no longer counts. Refuses claims: only the engine makes evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from specloom.domain.ids import AttemptId, CheckId, Digest


class EvidenceKind(StrEnum):
    """Who or what vouches. All four read *done*; only a command reads *proven*."""

    COMMAND = "command"
    REVIEWER = "reviewer"
    USER = "user"
    IMPORTED = "imported"


@dataclass(frozen=True, slots=True)
class FileDigest:
    """A file behind a proof as it was at the moment of the run; `digest=None`: it did not exist."""

    path: str
    digest: Digest | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """One recorded proof."""

    kind: EvidenceKind
    at: str
    attempt: AttemptId | None = None
    check: CheckId | None = None
    command: str = ""
    exit_code: int | None = None
    output_digest: Digest | None = None
    summary: str = ""
    """For people: the last lines of the output, or the reviewer's citations."""
    files: tuple[FileDigest, ...] = ()
    discriminating: bool | None = None
    """False: the command passed before the attempt too, so it proves little. `None`: not known."""
    touched_tests: tuple[str, ...] = ()
    """Test files that the attempt itself changed."""


def is_proven(evidence: tuple[Evidence, ...]) -> bool:
    """Whether every piece is a command that exited with 0."""
    return bool(evidence) and all(item.kind is EvidenceKind.COMMAND and item.exit_code == 0 for item in evidence)


def is_verifiable(evidence: tuple[Evidence, ...]) -> bool:
    """Whether commands stand in it, which a run can repeat."""
    return any(item.command for item in evidence)


def is_by_hand(evidence: tuple[Evidence, ...]) -> bool:
    """Whether nothing vouches but a box: it stands on no file, and so holds where the box is ticked."""
    return bool(evidence) and all(item.kind in (EvidenceKind.USER, EvidenceKind.IMPORTED) for item in evidence)


def stale_paths(evidence: tuple[Evidence, ...], present: Mapping[str, Digest | None]) -> tuple[str, ...]:
    """Files behind the proof whose present digest differs. Paths that `present` lacks count as unchanged."""
    return tuple(
        dict.fromkeys(
            file.path
            for item in evidence
            for file in item.files
            if file.path in present and present[file.path] != file.digest
        )
    )
