"""`textDocument/codeLens`: every offer of a document as a lens. Refuses documents that are not open."""

from lsprotocol import types

from specloom.lsp.commands import command_for
from specloom.lsp.offers import offers_of
from specloom.lsp.serving import Hosted


def code_lens(hosted: Hosted, params: types.CodeLensParams) -> list[types.CodeLens]:
    """The lenses, from top to bottom."""
    uri = params.text_document.uri
    path, lines = hosted.path_of(uri), hosted.lines_of(uri)
    if path is None or lines is None:
        return []
    return [
        types.CodeLens(types.Range(lines.place(offer.line, 0), lines.place(offer.line, 0)), command_for(offer, hosted))
        for offer in offers_of(hosted.runtime, hosted.places, path, lines.text)
        if not offer.only_action
    ]
