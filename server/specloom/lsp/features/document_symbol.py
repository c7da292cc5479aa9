"""`textDocument/documentSymbol`: the headings of a document, and the tasks of a spec in their tree.

Refuses documents that are neither requirements nor spec: other servers know those better.
"""

from collections.abc import Sequence

from lsprotocol import types

from specloom.domain.documents.lines import scan, sections
from specloom.domain.ids import TaskId
from specloom.domain.project import ProjectState
from specloom.domain.spec import TaskDefinition
from specloom.lsp.positions import TextLines
from specloom.lsp.serving import Hosted
from specloom.lsp.task_view import label_of


def document_symbol(
    hosted: Hosted, params: types.DocumentSymbolParams
) -> list[types.DocumentSymbol] | list[types.SymbolInformation]:
    """A tree, or a flat list for clients that know no tree."""
    uri = params.text_document.uri
    path, lines = hosted.path_of(uri), hosted.lines_of(uri)
    if path is None or lines is None:
        return []
    spec, document = hosted.runtime.spec_at(path), hosted.runtime.requirements_at(path)
    if spec is None and document is None:
        return []
    tasks = () if spec is None else spec.tasks
    symbols = [*_headings(lines), *_tasks(hosted.state, tasks, None, lines)]
    symbols.sort(key=lambda symbol: symbol.range.start.line)
    return symbols if _knows_trees(hosted.connection.outgoing.capabilities) else _flat(symbols, uri)


def _headings(lines: TextLines) -> list[types.DocumentSymbol]:
    found: list[types.DocumentSymbol] = []
    for section in sections(scan(lines.text)):
        place = lines.line_range(section.start)
        if section.heading.title:
            found.append(types.DocumentSymbol(section.heading.title, types.SymbolKind.String, place, place))
    return found


def _tasks(
    state: ProjectState, tasks: Sequence[TaskDefinition], parent: TaskId | None, lines: TextLines
) -> list[types.DocumentSymbol]:
    children: dict[TaskId | None, list[TaskDefinition]] = {}
    for task in tasks:
        children.setdefault(task.parent, []).append(task)

    def below(name: TaskId | None) -> list[types.DocumentSymbol]:
        return [_symbol(state, task, lines, below(task.id)) for task in children.get(name, ())]

    return below(parent)


def _symbol(
    state: ProjectState, task: TaskDefinition, lines: TextLines, children: list[types.DocumentSymbol]
) -> types.DocumentSymbol:
    place = lines.line_range(task.line)
    whole = types.Range(place.start, max((place.end, *(child.range.end for child in children)), key=_order))
    kind = types.SymbolKind.Event if task.is_leaf else types.SymbolKind.Namespace
    return types.DocumentSymbol(
        f"{task.number} {task.title}".strip(), kind, whole, place, detail=label_of(state, task.id), children=children
    )


def _order(position: types.Position) -> tuple[int, int]:
    return position.line, position.character


def _knows_trees(client: types.ClientCapabilities) -> bool:
    symbols = client.text_document and client.text_document.document_symbol
    return bool(symbols and symbols.hierarchical_document_symbol_support)


def _flat(symbols: Sequence[types.DocumentSymbol], uri: str) -> list[types.SymbolInformation]:
    found: list[types.SymbolInformation] = []
    for symbol in symbols:
        found.append(types.SymbolInformation(types.Location(uri, symbol.selection_range), symbol.name, symbol.kind))
        found.extend(_flat(symbol.children or (), uri))
    return found
