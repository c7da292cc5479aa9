"""Options of the command line as settings. Refuses to validate values: the settings do."""

import argparse

from specloom.cli.ports import Place
from specloom.cli.work import Order
from specloom.domain.permissions.rules import Profile
from specloom.lsp.ordered import overrides_of


def order_of(arguments: argparse.Namespace, place: Place) -> Order:
    """What `--model`, `--base-url`, `--yes` and `--profile` say."""
    unattended = bool(getattr(arguments, "yes", False))
    return Order(
        overrides_of(arguments.model, arguments.base_url),
        unattended,
        f"specloom {arguments.command} in {place.root.name}",
        _profile(getattr(arguments, "profile", None)),
        joins=True,
        ordered={name: value for name, value in (("model", arguments.model), ("baseUrl", arguments.base_url)) if value},
    )


def _profile(stated: str | None) -> Profile | None:
    return None if stated is None else Profile(stated)
