"""The clock and the ids of the machine."""

import re
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from specloom.domain.ports import Calendar, Clock, Ids
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


@pytest.fixture
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[timedelta]:
    """The process stands in a time zone so many minutes east of Greenwich."""
    minutes: int = request.param
    monkeypatch.setenv("TZ", f"HERE{'-' if minutes >= 0 else '+'}{abs(minutes) // 60}:{abs(minutes) % 60:02}")
    time.tzset()
    yield timedelta(minutes=minutes)
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("zone", [0, 840, 345, -570, -720], indirect=True)
def test_a_day_begins_at_midnight_where_the_user_is(zone: timedelta) -> None:
    calendar: Calendar = SystemClock()
    before, told, after = datetime.now(UTC), calendar.day_began(), datetime.now(UTC)
    began = datetime.fromisoformat(told)
    assert (told[-1], (began + zone).strftime("%H:%M:%S.%f")) == ("Z", "00:00:00.000000")
    assert before - timedelta(days=1) < began <= after


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
