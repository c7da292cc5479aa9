"""`textDocument/definition`: from an id in a spec to what it names. Refuses words that are no mention."""

from lsprotocol import types

from specloom.lsp.lookup import mention_at
from specloom.lsp.positions import TextLines, points_of
from specloom.lsp.serving import Hosted


async def definition(hosted: Hosted, params: types.DefinitionParams) -> types.Location | None:
    """The place of the requirement, task or spec under the cursor."""
    uri = params.text_document.uri
    path, lines = hosted.path_of(uri), hosted.lines_of(uri)
    if path is None or lines is None:
        return None
    line = lines.line(params.position.line)
    column = points_of(line, params.position.character, lines.encoding)
    target = mention_at(hosted.runtime, path, params.position.line, column)
    if target is None:
        return None
    there = await hosted.text_at(target.path) or TextLines("", lines.encoding)
    return types.Location(hosted.places.uri_of(target.path), there.range(target.span))
