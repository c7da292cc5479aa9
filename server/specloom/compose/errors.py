"""What keeps a root from being hosted."""


class ConfigurationError(Exception):
    """The root cannot be hosted as things are; the message says what to change."""
