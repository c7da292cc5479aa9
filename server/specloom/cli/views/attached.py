"""What `specloom attach --json` prints: events, and the stream as it comes. Refuses other names than the wire's."""

from specloom.cli.output import Output
from specloom.cli.views.view import JsonView
from specloom.engine.api import OutputChunk


class AttachedJsonView(JsonView):
    """Events and output as JSON lines; notes go to standard error."""

    def __init__(self, output: Output) -> None:
        super().__init__(output)
        self._lines = output

    def hear_output(self, chunk: OutputChunk) -> None:
        """One line a piece."""
        told = {"sessionId": chunk.session, "block": chunk.block, "kind": chunk.kind, "name": chunk.name}
        said = {"text": chunk.text, "dropped": chunk.dropped, "fromStart": chunk.from_start}
        self._lines.json({"type": "output", **told, **said})
