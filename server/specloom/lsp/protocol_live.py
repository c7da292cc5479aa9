"""How clients are kept up to date, as it goes over the wire. Refuses events themselves: see `protocol_events`."""

from specloom.lsp.protocol import Count, Wire


class GapParams(Wire):
    """The client read too slowly. Its queue is bounded: what is named here was not put into it."""

    from_seq: int | None
    """The first event that comes late; `null`: none does. They are read from the log, complete and in order."""
    to_seq: int | None
    """The last one of them as of now; more may follow in the same way."""
    output: Count
    """Characters of output that do not come any more, beside those that `dropped` tells of."""
