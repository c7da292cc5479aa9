"""What the log keeps of an edit for people: what changed, without keys, of texts only."""

from pathlib import Path

from specloom.domain.events import REGISTRY, proof
from specloom.domain.ids import digest_of
from specloom.domain.redact import Redactor
from specloom.engine.journal import MOST_COMPARED, AttemptJournal
from specloom.engine.ledger import Ledger
from specloom.store.log import EventStore
from specloom.store.system import RandomIds, SystemClock
from specloom.workspace.ports import Applied, TextSnapshot

EDGE = "-----{} PRIVATE KEY-----\n"
KEY = EDGE.format("BEGIN") + "MIIE\n{}\nAgEA\n" + EDGE.format("END")


def snapshot(text: str) -> TextSnapshot:
    return TextSnapshot("a.pem", text, digest_of(text))


async def kept(folder: Path, before: str | None, after: str) -> str:
    """The diff of the event that an edit leads to."""
    store = await EventStore.open(folder / "state", REGISTRY, SystemClock())
    ledger = Ledger(store, Redactor())
    await ledger.load()
    journal = AttemptJournal(ledger, RandomIds())
    edit = await journal.requested("a.pem", None if before is None else snapshot(before), digest_of(after), "")
    await journal.settled(edit, Applied(snapshot(after), in_buffer=False))
    settled = [told.event for told in await ledger.read(0) if isinstance(told.event, proof.EditSettled)]
    await ledger.drain()
    await store.close()
    return settled[0].diff


async def test_lines_inside_of_a_key_are_not_shown_as_changed(tmp_path: Path) -> None:
    shown = await kept(tmp_path, f"one\n{KEY.format('old')}end\n", f"1\n{KEY.format('new')}end\n")
    assert shown == "@@ -1,1 +1,1 @@\n-one\n+1"


async def test_what_stands_behind_a_key_of_several_lines_is_shown_where_it_stands(tmp_path: Path) -> None:
    shown = await kept(tmp_path, f"{KEY.format('old')}end\n", f"{KEY.format('new')}new end\n")
    assert shown == "@@ -6,1 +6,1 @@\n-end\n+new end"


async def test_what_is_new_or_too_large_to_compare_is_not_shown(tmp_path: Path) -> None:
    assert await kept(tmp_path / "new", None, "one\n") == ""
    assert await kept(tmp_path / "large", "x" * MOST_COMPARED, "one\n") == ""
