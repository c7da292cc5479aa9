"""Raw messages and transcripts on disk."""

import asyncio
import json
import stat
from pathlib import Path

import pytest
from store_samples import REGISTRY, CountingClock

from specloom.domain.ids import SessionId
from specloom.store.errors import StoreClosedError, StoreError
from specloom.store.log import EventStore
from specloom.store.sessions import SessionFiles

SESSION = SessionId("session-0199")


async def test_raw_messages_are_json_lines_in_order(state: Path) -> None:
    files = SessionFiles(state)
    await asyncio.gather(*(files.append_raw(SESSION, {"n": n, "text": "é\n\ud800"}) for n in range(50)))
    await files.close()
    lines = (state / "sessions" / "session-0199.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [{"n": n, "text": "é\n\ud800"} for n in range(50)]


async def test_a_transcript_is_the_texts_as_they_are(state: Path) -> None:
    files = SessionFiles(state)
    await files.append_transcript(SESSION, "# Start\n")
    await files.append_transcript(SESSION, "more, ")
    await files.append_transcript(SESSION, "é\n")
    await files.close()
    assert (state / "sessions" / "session-0199.md").read_text(encoding="utf-8") == "# Start\nmore, é\n"


async def test_half_a_line_of_a_crash_does_not_swallow_the_next(state: Path) -> None:
    files = SessionFiles(state)
    await files.append_raw(SESSION, {"n": 1})
    path = files.path(SESSION, ".jsonl")
    path.write_bytes(path.read_bytes() + b'{"n":')
    await files.append_raw(SESSION, {"n": 2})
    await files.close()
    assert path.read_text().splitlines() == ['{"n":1}', '{"n":', '{"n":2}']


async def test_session_files_are_for_their_owner_only(state: Path) -> None:
    files = SessionFiles(state)
    await files.append_raw(SESSION, {})
    await files.append_transcript(SESSION, "")
    await files.close()
    folder = state / "sessions"
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent)} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


@pytest.mark.parametrize("name", ["../../escape", "/etc/passwd", "a/b", "..", ".", "", ".hidden", "x" * 300, "é\0"])
async def test_no_name_leaves_the_folder_or_meets_another(state: Path, name: str) -> None:
    files = SessionFiles(state)
    await files.append_raw(SessionId(name), {"n": 1})
    await files.close()
    (path,) = (state / "sessions").iterdir()
    assert not path.name.startswith(".")
    assert len(path.name) < 200
    assert path.stem != SessionFiles(state).path(SessionId(name + "_"), ".jsonl").stem
    assert {found for found in state.parent.rglob("*") if found.is_file()} == {path, state / ".gitignore"}


async def test_a_link_in_place_of_a_session_is_not_followed(state: Path, tmp_path: Path) -> None:
    files = SessionFiles(state)
    (state / "sessions").mkdir(parents=True)
    files.path(SESSION, ".md").symlink_to(tmp_path / "target")
    with pytest.raises(StoreError, match="session-0199"):
        await files.append_transcript(SESSION, "x")
    assert not (tmp_path / "target").exists()
    await files.close()


async def test_a_link_in_place_of_the_folder_is_not_followed_and_the_next_step_is_told(
    state: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    files = SessionFiles(state)
    await files.append_raw(SESSION, {"n": 1})
    (state / "sessions").rename(tmp_path / "before")
    (state / "sessions").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    for order in (
        files.append_raw(SESSION, {}),
        files.append_transcript(SESSION, "x"),
        files.write_hand_over(SESSION, "x"),
    ):
        with pytest.raises(StoreError, match=r"sessions is a link.*remove it"):
            await order
    assert list((tmp_path / "elsewhere").iterdir()) == []
    await files.close()


async def test_a_state_folder_with_a_link_for_sessions_is_refused_at_once(state: Path, tmp_path: Path) -> None:
    state.mkdir()  # noqa: ASYNC240 - before anything else runs
    (state / "sessions").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(StoreError, match=r"sessions is a link.*remove it"):
        await EventStore.open(state, REGISTRY, CountingClock())


async def test_closing_writes_what_was_asked_for_before(state: Path) -> None:
    files = SessionFiles(state)
    orders = [asyncio.create_task(files.append_raw(SESSION, {"n": n})) for n in range(20)]
    await asyncio.sleep(0)
    await files.close()
    await asyncio.gather(*orders)
    assert len(files.path(SESSION, ".jsonl").read_text().splitlines()) == 20
    with pytest.raises(StoreClosedError):
        await files.append_raw(SESSION, {})
    await files.close()
