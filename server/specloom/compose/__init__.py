"""Floor 8: wires the floors together. Refuses logic: what is decided here is only who gets what.

The one place that reads settings, the `.env` of a root, and the environment that a client passed.
"""

from specloom.compose.errors import ConfigurationError
from specloom.compose.hosting import open_runtime
from specloom.compose.reading import Reader, open_reader

__all__ = ["ConfigurationError", "Reader", "open_reader", "open_runtime"]
