"""`textDocument/inlayHint`: the state of each task at the end of its line. Refuses lines outside the asked range."""

from lsprotocol import types

from specloom.lsp.serving import Hosted
from specloom.lsp.task_view import label_of


def inlay_hint(hosted: Hosted, params: types.InlayHintParams) -> list[types.InlayHint]:
    """One hint a task."""
    uri = params.text_document.uri
    path, lines = hosted.path_of(uri), hosted.lines_of(uri)
    spec = None if path is None else hosted.runtime.spec_at(path)
    if spec is None or lines is None:
        return []
    return [
        types.InlayHint(lines.line_range(task.line).end, label_of(hosted.state, task.id), padding_left=True)
        for task in spec.tasks
        if params.range.start.line <= task.line <= params.range.end.line
    ]
