"""Opens the log for the commands that only read. Refuses to wait for whoever writes."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from specloom.cli.output import Output
from specloom.cli.ports import Place, Reader

NOTHING_YET = "nothing planned yet; `specloom plan` turns the requirements into specs and tasks"


@asynccontextmanager
async def opened_reader(place: Place, output: Output) -> AsyncGenerator[Reader | None]:
    """The reader, or `None` where there is no log yet."""
    from specloom.store.errors import StoreMissingError

    try:
        reader = await place.composition.open_reader(place.root, place.environment)
    except StoreMissingError:
        yield None
        return
    if reader.newer is not None:
        output.note(str(reader.newer))
    try:
        yield reader
    finally:
        await reader.close()
