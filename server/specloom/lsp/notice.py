"""Why a root is not hosted, as a diagnostic in each of its open documents. Refuses other servers' languages."""

from lsprotocol import types

from specloom.domain.problem import Problem
from specloom.lsp.buffers import Buffer
from specloom.lsp.diagnostics import diagnostic_of
from specloom.lsp.serving import Unhosted
from specloom.lsp.uris import Places

ENDINGS = (".md", "specloom.toml")


class Notice:
    """Publishes while nothing else does."""

    def __init__(self, unhosted: Unhosted, places: Places) -> None:
        self._unhosted = unhosted
        self._places = places
        self._published: set[str] = set()

    def opened(self, buffer: Buffer) -> None:
        """A document is open."""
        path = self._places.path_of(buffer.uri)
        if path is None or not path.endswith(ENDINGS) or not self._unhosted.answers_for(buffer.uri):
            return
        refusal = self._unhosted.refusal
        problems = self._unhosted.problems.get(path) or (Problem(refusal.code, refusal.message, path),)
        self._send(buffer.uri, [diagnostic_of(problem, buffer.lines) for problem in problems])
        self._published.add(buffer.uri)

    def changed(self, buffer: Buffer) -> None:
        """Its lines moved."""
        self.opened(buffer)

    def saved(self, buffer: Buffer) -> None:
        """That changes nothing here."""

    def closed(self, buffer: Buffer) -> None:
        """The notice stays, as it concerns the root."""

    def clear(self) -> None:
        """The root is opened again, or the connection ends."""
        for uri in self._published:
            self._send(uri, [])
        self._published.clear()

    def _send(self, uri: str, found: list[types.Diagnostic]) -> None:
        params = types.PublishDiagnosticsParams(uri=uri, diagnostics=found)
        self._unhosted.connection.outgoing.notify(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, params)
