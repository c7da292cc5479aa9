"""The projects that a machine knows, as they go over the wire. Refuses what stands in them: see `protocol_project`."""

from specloom.lsp.protocol import Name, Order, Params, Wire
from specloom.lsp.protocol_project import RunState


class MachineProject(Wire):
    """One project."""

    id: str
    name: str
    alias: str
    """Empty: none."""
    uri: str
    """Its folder."""
    opened_at: str
    """The last time."""
    archived: bool
    hosted: bool
    """By the process that answers."""
    run_state: RunState | None
    """Of its newest run, if it is hosted."""


class ProjectListParams(Params):
    """All projects that were opened on this machine."""

    archived: bool = False
    """Also those that were put away."""


class ProjectListResult(Wire):
    """The one that was opened last first."""

    projects: list[MachineProject]


class ProjectCreateParams(Order):
    """Makes a folder a project, if it is none, and gives it a name."""

    folder: str
    """Its URI; the folder exists."""
    name: Name


class ProjectOrder(Order):
    """An order about one project."""

    project: str
    """Its id or alias, or how only one of them begins."""


class ProjectRenameParams(ProjectOrder):
    """Gives it another name on this machine."""

    name: Name


class ProjectAliasParams(ProjectOrder):
    """Gives it a short name by which it can be named."""

    alias: str
    """Small letters, digits, dots, dashes and underscores, at most 40; empty: takes it away."""


class ProjectArchiveParams(ProjectOrder):
    """Puts it away: it is no longer listed, and nothing of it is lost. Opened again, it is back."""

    archived: bool = True


class ProjectResult(Wire):
    """As it is now."""

    project: MachineProject
