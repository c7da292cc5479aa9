"""Offers as LSP commands. Refuses arguments that the method of the same name would not take."""

from lsprotocol import types

from specloom.lsp.names import command_of
from specloom.lsp.offers import Offer


def command_for(offer: Offer) -> types.Command:
    """`specloom.<resource>.<verb>` with `[params]`."""
    return types.Command(offer.title, command_of(offer.method), arguments=[dict(offer.params)])
