"""What the documents of a project say, as the engine last read them. Refuses states: those are task events."""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from specloom.domain.ids import ProjectId, SpecId, TaskId
from specloom.domain.requirement import Requirement
from specloom.domain.spec import SpecDefinition


@dataclass(frozen=True, slots=True)
class ProjectOpened:
    """First event of every log; where the folder was copied, the copy is this other project from here on."""

    V: ClassVar[int] = 1
    project: ProjectId
    name: str


@dataclass(frozen=True, slots=True)
class LogRebuilt:
    """The log was damaged; what follows was not written behind what stands before."""

    V: ClassVar[int] = 1
    kept: int
    """Events before the damage."""
    lost: int | None
    """Events behind it; `None`: how many there were cannot be read."""
    aside: str
    """The folder with the damaged log, in the state folder."""
    reason: str

    @property
    def told(self) -> str:
        """For people, with the next step."""
        lost = "how many were lost is not known" if self.lost is None else f"{self.lost:,} were lost"
        return (
            f"the log was damaged ({self.reason}) and was rebuilt: {self.kept:,} events were kept, {lost}; "
            f"look through your specs and files before you go on; the damaged log is in {self.aside}"
        )


@dataclass(frozen=True, slots=True)
class RequirementsRead:
    """The requirements of one document, replacing what was read of it before."""

    V: ClassVar[int] = 1
    path: str
    requirements: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True)
class RequirementsRemoved:
    """The document is gone."""

    V: ClassVar[int] = 1
    path: str


@dataclass(frozen=True, slots=True)
class SpecRead:
    """A spec as it now stands, replacing what was read of it before."""

    V: ClassVar[int] = 1
    spec: SpecDefinition
    renamed: tuple[tuple[TaskId, TaskId], ...] = ()
    """Tasks recognised under a new id, old → new; their history goes with them."""
    boxes_only: bool = False
    """Whether nothing but boxes reads otherwise than before; false where that is not known."""


@dataclass(frozen=True, slots=True)
class SpecRemoved:
    """The document is gone; its tasks leave the graph, their history stays in the log."""

    V: ClassVar[int] = 1
    spec: SpecId
    renamed: tuple[tuple[TaskId, TaskId], ...] = ()
    """Tasks whose history went elsewhere: into another spec, or aside."""


@dataclass(frozen=True, slots=True)
class SettingsChanged:
    """Other settings count from the next turn, command or reading on."""

    V: ClassVar[int] = 1
    keys: tuple[str, ...]
    """Dotted; their values are in the settings, and not here."""


@dataclass(frozen=True, slots=True)
class HeadChanged:
    """Git has something else checked out, or wrote files of the work tree in another way."""

    V: ClassVar[int] = 1
    before: str
    """The commit that was checked out; empty: none, or none that was known."""
    after: str
    """The one that is; empty: none."""
    branch: str
    """Checked out now; empty: none."""
    before_branch: str = ""
    how: str = ""
    """What git says it did last, for people."""
    files: bool = True
    """Whether git wrote files for it; false for a commit."""


DocumentEvent: TypeAlias = (
    ProjectOpened
    | LogRebuilt
    | RequirementsRead
    | RequirementsRemoved
    | SpecRead
    | SpecRemoved
    | SettingsChanged
    | HeadChanged
)
TYPES = (
    ProjectOpened,
    LogRebuilt,
    RequirementsRead,
    RequirementsRemoved,
    SpecRead,
    SpecRemoved,
    SettingsChanged,
    HeadChanged,
)
