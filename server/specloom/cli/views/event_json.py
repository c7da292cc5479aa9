"""Events as JSON for programs: what `specloom/event` carries to editors, too. Refuses a second set of names."""

from specloom.domain.ids import ProjectId
from specloom.engine.api import Published
from specloom.lsp.wire_events import wire_event


def event_json(published: Published, project: ProjectId) -> dict[str, object]:
    """One event as `docs/protocol.md` describes it."""
    return wire_event(published, project).model_dump(mode="json", by_alias=True)
