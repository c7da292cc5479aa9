"""Offers as LSP commands. Refuses arguments that the method of the same name would not take."""

from lsprotocol import types

from specloom.lsp.names import command_of
from specloom.lsp.offers import Offer
from specloom.lsp.serving import Hosted
from specloom.lsp.uris import uri_of_file


def command_for(offer: Offer, hosted: Hosted) -> types.Command:
    """`specloom.<resource>.<verb>` with `[params]`, which name the root where the client has several."""
    named = {"root": uri_of_file(hosted.places.named)} if len(hosted.connection.roots) > 1 else {}
    return types.Command(offer.title, command_of(offer.method), arguments=[{**offer.params, **named}])
