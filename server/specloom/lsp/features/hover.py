"""`textDocument/hover`: state, evidence, attempts, cost and dependencies of a task; who serves a requirement.

Refuses lines that belong to neither.
"""

from lsprotocol import types

from specloom.domain.project import ProjectState
from specloom.domain.requirement import Requirement
from specloom.lsp.lookup import found_at
from specloom.lsp.serving import Hosted
from specloom.lsp.task_view import description_of, progress_of, served


def hover(hosted: Hosted, params: types.HoverParams) -> types.Hover | None:
    """Markdown about the task or requirement of the line."""
    path = hosted.path_of(params.text_document.uri)
    if path is None:
        return None
    found = found_at(hosted.runtime, path, params.position.line)
    if found is None:
        return None
    if isinstance(found, Requirement):
        text = _about_requirement(hosted.state, found)
    else:
        text = description_of(hosted.state, found.id)
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, text))


def _about_requirement(state: ProjectState, requirement: Requirement) -> str:
    specs = served(state).get(requirement.id, ())
    lines = [f"**{requirement.id}** {requirement.title}".rstrip(), ""]
    lines.extend(f"- served by {spec.id} {spec.title}: {progress_of(state, spec)}" for spec in specs)
    if not specs:
        lines.append("- not served by any spec")
    return "\n".join(lines)
