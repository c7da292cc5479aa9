"""The clock and the ids of the machine."""

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from specloom.domain.ports import Clock, Ids
from specloom.store.system import RandomIds, SystemClock


def test_now_is_utc_with_milliseconds_and_a_z() -> None:
    clock: Clock = SystemClock()
    now = clock.now()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", now)
    assert abs(datetime.fromisoformat(now) - datetime.now(UTC)) < timedelta(minutes=1)


def test_monotonic_never_jumps_back() -> None:
    clock = SystemClock()
    looks = [clock.monotonic() for _ in range(1000)]
    assert looks == sorted(looks)


def test_ids_are_uuids_of_version_seven_that_sort_by_time() -> None:
    ids: Ids = RandomIds()
    made = [ids.new("run") for _ in range(5000)]
    assert made == sorted(set(made))
    for one in made[:10]:
        parsed = uuid.UUID(one.removeprefix("run-"))
        assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
        age = datetime.now(UTC) - datetime.fromtimestamp((parsed.int >> 80) / 1000, UTC)
        assert abs(age) < timedelta(minutes=1)


def test_ids_of_many_threads_and_objects_differ() -> None:
    ids = RandomIds()
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(ids.new, ["x"] * 4000))
    assert len({*made, *(RandomIds().new("x") for _ in range(100))}) == 4100
