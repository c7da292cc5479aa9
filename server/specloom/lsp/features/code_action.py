"""`textDocument/codeAction`: the offers of the lines in the range, and quick fixes for problems there.

Refuses `resolve` and `data`: older clients know neither.
"""

from collections.abc import Iterator

from lsprotocol import types

from specloom.domain.problem import Problem
from specloom.lsp.capabilities import versions_edits
from specloom.lsp.commands import command_for
from specloom.lsp.diagnostics import range_of
from specloom.lsp.offers import offers_of
from specloom.lsp.positions import TextLines
from specloom.lsp.serving import Hosted

OFFER_KIND = "specloom"


def code_action(hosted: Hosted, params: types.CodeActionParams) -> list[types.CodeAction]:
    """Quick fixes first, then what can be done at these lines; at the first line also what concerns the document."""
    uri = params.text_document.uri
    path, lines = hosted.path_of(uri), hosted.lines_of(uri)
    if path is None or lines is None:
        return []
    found: list[types.CodeAction] = []
    if _wanted(params.context, types.CodeActionKind.QuickFix.value):
        found.extend(_fixes(hosted, uri, hosted.problems.get(path, ()), lines, params.range))
    if _wanted(params.context, OFFER_KIND):
        offers = offers_of(hosted.runtime, hosted.places, path, lines.text)
        found.extend(
            types.CodeAction(offer.as_action or offer.title, kind=OFFER_KIND, command=command_for(offer, hosted))
            for offer in sorted(offers, key=lambda offer: bool(offer.as_action))
            if params.range.start.line <= offer.line <= params.range.end.line
        )
    return found


def _wanted(context: types.CodeActionContext, kind: str) -> bool:
    """Whether the client asked for this kind: a kind stands for all kinds below it."""
    only = context.only
    if only is None:
        return True
    asked = (str(getattr(item, "value", item)) for item in only)
    return any(not item or kind == item or kind.startswith(item + ".") for item in asked)


def _fixes(
    hosted: Hosted, uri: str, problems: tuple[Problem, ...], lines: TextLines, wanted: types.Range
) -> Iterator[types.CodeAction]:
    for problem in problems:
        if not problem.span.start_line <= wanted.end.line or not problem.span.end_line >= wanted.start.line:
            continue
        for index, suggestion in enumerate(problem.suggestions):
            yield types.CodeAction(
                f"Replace with {suggestion}",
                kind=types.CodeActionKind.QuickFix,
                is_preferred=index == 0 or None,
                edit=_replacement(hosted, uri, types.TextEdit(range_of(problem, lines), suggestion)),
            )


def _replacement(hosted: Hosted, uri: str, edit: types.TextEdit) -> types.WorkspaceEdit:
    buffer = hosted.connection.buffers.get(uri)
    if buffer is None or not versions_edits(hosted.connection.outgoing.capabilities):
        return types.WorkspaceEdit(changes={uri: [edit]})
    document = hosted.connection.outgoing.versioned(uri, buffer.version)
    return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(document, [edit])])
