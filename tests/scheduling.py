"""Which tests a worker gets at once. Refuses to know how long a test takes: the tail is handed out one by one.

Done by `pytest-xdist`; `make test` asks for `--dist loadgroup`.
"""

from xdist.scheduler import LoadGroupScheduling  # pyright: ignore[reportMissingTypeStubs] # it brings types, unsaid

TOGETHER = ("tests/unit/", "tests/repo/", "tests/cli/", "tests/daemon/")
"""Where a file goes to one worker: for what it sets up or parses once, and because the controller looks through all
that it has handed out whenever a test ends, which among nine thousand costs more than many a test."""


class ByFile(LoadGroupScheduling):
    """Groups by mark, else by file in some folders, else single tests."""

    def _split_scope(self, nodeid: str) -> str:
        scope = super()._split_scope(nodeid)
        return nodeid.partition("::")[0] if scope == nodeid and nodeid.startswith(TOGETHER) else scope
