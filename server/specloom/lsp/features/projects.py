"""`specloom/project/list` · `create` · `rename` · `alias` · `archive`: the projects that this machine knows.

Refuses steps: each order names what is to be, and the same order again, by its id, is no second effect.
"""

from collections.abc import Callable
from dataclasses import replace

from pygls.uris import to_fs_path

from specloom.domain.known_projects import KnownProject
from specloom.domain.origin import Origin
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.lsp import protocol_machine as m
from specloom.lsp.serving import Hosted, Serving
from specloom.lsp.uris import uri_of_file


async def list_projects(serving: Serving, params: m.ProjectListParams) -> m.ProjectListResult:
    """`specloom/project/list`; the one that was opened last first."""
    projects = await serving.connection.host().projects()
    known, states = await projects.known(), _states(serving)
    wanted = [item for item in known if params.archived or not item.archived]
    return m.ProjectListResult(projects=[_wire(item, states.get(item.id)) for item in wanted])


async def create(serving: Serving, params: m.ProjectCreateParams) -> m.ProjectResult | Rejected:
    """`specloom/project/create`."""
    path = to_fs_path(params.folder)
    if not path:
        return Rejected("no-folder", f"{params.folder!r} is no URI of a folder on this machine")
    projects = await serving.connection.host().projects()
    return _result(serving, await projects.create(path, params.name, _by(serving), params.command_id))


async def rename(serving: Serving, params: m.ProjectRenameParams) -> m.ProjectResult | Rejected:
    """`specloom/project/rename`."""
    return await _change(serving, params, lambda item: replace(item, name=params.name))


async def alias(serving: Serving, params: m.ProjectAliasParams) -> m.ProjectResult | Rejected:
    """`specloom/project/alias`."""
    return await _change(serving, params, lambda item: replace(item, alias=params.alias))


async def archive(serving: Serving, params: m.ProjectArchiveParams) -> m.ProjectResult | Rejected:
    """`specloom/project/archive`."""
    return await _change(serving, params, lambda item: replace(item, archived=params.archived))


async def _change(
    serving: Serving, params: m.ProjectOrder, change: Callable[[KnownProject], KnownProject]
) -> m.ProjectResult | Rejected:
    projects = await serving.connection.host().projects()
    return _result(serving, await projects.change(params.project, change, _by(serving), params.command_id))


def _by(serving: Serving) -> Origin:
    return Origin("user", serving.connection.name)


def _result(serving: Serving, found: KnownProject | Rejected) -> m.ProjectResult | Rejected:
    if isinstance(found, Rejected):
        return found
    return m.ProjectResult(project=_wire(found, _states(serving).get(found.id)))


def _states(serving: Serving) -> dict[str, ProjectState]:
    """Of the projects that this process hosts, by id."""
    connection = serving.connection
    found = {state.id: state for state in connection.host().states()}
    for root in connection.roots:
        hosted = root.serving.result() if root.serving.done() else None
        if isinstance(hosted, Hosted):
            found[hosted.state.id] = hosted.state
    return {str(name): state for name, state in found.items()}


def _wire(item: KnownProject, state: ProjectState | None) -> m.MachineProject:
    return m.MachineProject(
        id=item.id,
        name=item.name,
        alias=item.alias,
        uri=uri_of_file(item.root),
        opened_at=item.opened_at,
        archived=item.archived,
        hosted=state is not None,
        run_state=None if state is None or state.run is None else state.run.state.value,
    )
