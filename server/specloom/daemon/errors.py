"""Why there is no daemon to speak with. Refuses to be retryable: who asks has waited and tried already."""


class NoDaemonError(Exception):
    """Says what happened, where, and the next step."""
