"""What every test stands on: example counts, seeds, order, a guard against blocking, a guard against the network.

Refuses fixtures of one floor: those stand beside that floor's tests.
"""

import gc
import ipaddress
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from blockbuster import blockbuster_ctx
from hypothesis import HealthCheck, settings

from specloom.__main__ import hear_interrupts
from tests.scheduling import ByFile

TIER = os.environ.get("SPECLOOM_TEST_TIER", "test")
"""`test` (each commit) or `soak` (long): the same tests with other counts."""

EXAMPLES = {"test": 60, "soak": 3000}

TIMEOUTS = {"editor": 600, "slow": 600}
"""Seconds by marker; the first editor test of a machine installs the editor."""

FIRST = ("unit", "repo")
"""Folders whose tests run before the others, but for what is slow: the tier of `make unit`."""


class NetworkGuardError(Exception):
    """A test reached for another machine; neither an `OSError` nor caught as one, so that it shows."""


def pytest_configure(config: pytest.Config) -> None:
    """Sets counts and seed before the hypothesis plugin reads them."""
    if TIER not in EXAMPLES:
        raise pytest.UsageError(f"SPECLOOM_TEST_TIER={TIER}: allowed are {', '.join(EXAMPLES)}")
    for name, count in EXAMPLES.items():
        settings.register_profile(
            name, max_examples=count, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
        )
    settings.load_profile(TIER)
    if config.getoption("--hypothesis-seed") is None:
        config.option.hypothesis_seed = str(random.SystemRandom().randrange(2**32))
    sys.addaudithook(refuse_network)
    # Grants of tests are nobody's.
    os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="specloom-tests-")
    hear_interrupts()  # Programs under test are interrupted, also where a shell's `&` started us.


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """Collects no garbage among thousands of tests that all stay, neither now nor while they run."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile | None:
    """Of `--dist loadgroup`; any other is left as it is."""
    return ByFile(config, log) if config.getoption("dist") == "loadgroup" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The fast tier first; soak and mutants only when asked for; deadlines by marker."""
    unasked = {"soak": TIER != "soak", "mutants": config.option.markexpr != "mutants"}
    left = [item for item in items if any(out and item.get_closest_marker(name) for name, out in unasked.items())]
    if left:
        config.hook.pytest_deselected(items=left)
    root = Path(__file__).parent
    items[:] = sorted((item for item in items if item not in left), key=lambda item: not is_first(item, root))
    for item in items:
        seconds = [limit for marker, limit in TIMEOUTS.items() if item.get_closest_marker(marker)]
        if seconds and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(max(seconds)))


def is_first(item: pytest.Item, root: Path) -> bool:
    """Whether a test belongs to the fast tier."""
    inside = item.path.is_relative_to(root) and item.path.relative_to(root).parts[0] in FIRST
    return inside and item.get_closest_marker("slow") is None


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Says how to run the same examples again, and how long the unit tier took from its first test to its last."""
    seed: object = config.getoption("--hypothesis-seed")
    terminalreporter.write_line(
        f"tier {TIER}: {EXAMPLES[TIER]} examples a property, the same again with --hypothesis-seed={seed}"
    )
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    calls = [r for r in reports if isinstance(r, pytest.TestReport) and r.nodeid.split("/")[1:2] == ["unit"]]
    if calls:
        wall = max(r.stop for r in calls) - min(r.start for r in calls)
        terminalreporter.write_line(f"unit tests: {wall:.1f} s")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Takes away what grants were given."""
    del config
    shutil.rmtree(os.environ["XDG_STATE_HOME"], ignore_errors=True)


def refuse_network(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: connections and look-ups of names stay on this machine."""
    if event in {"socket.connect", "socket.sendto"}:
        host = host_of(arguments[1])
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if not is_local(host.decode() if isinstance(host, bytes) else host):
        raise NetworkGuardError(f"{event} to {host}: tests may connect to loopback only; serve it on 127.0.0.1")


def host_of(address: Any) -> Any:
    """The host of an internet address; a Unix socket's path stays on this machine."""
    return cast("tuple[Any, ...]", address)[0] if isinstance(address, tuple) else "localhost"


def is_local(host: str | None) -> bool:
    """Loopback, nothing at all, or a name that by RFC 6761 never resolves (tests of bad host names use those)."""
    if not host or host == "localhost" or host.endswith((".localhost", ".invalid")):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(scope="session", autouse=True)
def nothing_blocks_the_loop() -> Iterator[None]:
    """A blocking call of ours on a running event loop fails the test that made it."""
    with blockbuster_ctx(scanned_modules=["specloom"]) as guard:
        lock = guard.functions["threading.Lock.acquire"]
        # Held for the time of one append; the thread on the other side never does IO under it.
        lock.can_block_in("/queue.py", {"put", "put_nowait"})
        # The standard handlers lock around one write; a log line is no reason to leave the loop.
        lock.can_block_in("/logging/__init__.py", {"handle", "acquire"})
        yield
