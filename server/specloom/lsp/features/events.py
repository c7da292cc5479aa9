"""`specloom/events/*`: replay of committed events, then live ones, each once and in order.

Refuses gaps, and queues: who reads too slowly is told where it fell behind, and gets the rest from the log as it reads.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from weakref import WeakKeyDictionary

from specloom.domain.ids import ProjectId
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.engine.api import Published, Runtime
from specloom.engine.lanes import BUSY, MOST
from specloom.lsp import protocol as p
from specloom.lsp.features.health import HealthWatch
from specloom.lsp.features.output import SHARED, OutputStream, SharedOutput
from specloom.lsp.frames import framed
from specloom.lsp.protocol_events import EventsListResult
from specloom.lsp.protocol_live import GapParams
from specloom.lsp.serving import Hosted, Serving
from specloom.lsp.wire_events import wire_event

PAGE = 200
MOST_LIVE = 1024 * 1024
"""Bytes waiting for the client beyond which events stay in the log."""
LEAST_LIVE = 256 * 1024
"""Bytes that may wait when they are read from there."""
MOST_RECENT = 2 * 1024 * 1024
"""Bytes of events that are kept for whoever is sent them next."""


async def list_events(serving: Serving, params: p.EventsListParams) -> EventsListResult | Rejected:
    """`specloom/events/list`."""
    state = await serving.refreshed()
    if state is None:
        return Rejected("nothing-to-read", "There is no log of this root yet; plan or run something first")
    if isinstance(serving, Hosted) and serving.runtime.queues["readings"] >= MOST:
        return BUSY
    # One more than asked tells whether there are more, also when somebody else writes the log.
    found = await serving.events(params.since, params.limit + 1)
    events = found[: params.limit]
    last = max(state.seq, events[-1].seq if events else 0)
    return EventsListResult(
        events=[wire_event(item, state.id) for item in events], more=len(found) > params.limit, seq=last
    )


async def subscribe(hosted: Hosted, params: p.EventsSubscribeParams) -> p.EventsSubscribeResult | Rejected:
    """`specloom/events/subscribe`; what was subscribed before goes on if this is refused."""
    end = hosted.state.seq
    if params.since is not None and params.since > end:
        return Rejected(
            "seq-ahead",
            f"The log ends at {end}, so {params.since} is of another one, which is lost; forget what came from it, "
            "ask for specloom/project/get and subscribe since its seq",
            (str(end),),
        )
    hosted.subscription.close()
    recent = RECENT.setdefault(hosted.runtime, RecentFrames())
    ready = partial(_watch_output, hosted) if params.output else None
    sender = EventSender(hosted, end if params.since is None else params.since, recent, ready)
    at = hosted.subscription.enter_context(hosted.runtime.listen(sender.heard))
    hosted.subscription.callback(sender.end)
    if params.health:
        watching = hosted.connection.start(HealthWatch(hosted, params.heartbeat_s).run(), "health")
        hosted.subscription.callback(watching.cancel)
    hosted.subscribed = True
    sender.replay(at)
    return p.EventsSubscribeResult(seq=at, project_id=hosted.state.id)


def _watch_output(hosted: Hosted) -> None:
    """Until the subscription ends."""
    stream = OutputStream(hosted)
    shared = SHARED.setdefault(hosted.runtime, SharedOutput())
    hosted.subscription.enter_context(shared.joined(stream, hosted))
    hosted.subscription.callback(stream.end)


async def unsubscribe(hosted: Hosted, params: p.EventsUnsubscribeParams) -> p.EventsUnsubscribeResult:
    """`specloom/events/unsubscribe`."""
    del params
    was, hosted.subscribed = hosted.subscribed, False
    hosted.subscription.close()
    return p.EventsUnsubscribeResult(subscribed=was)


class RecentFrames:
    """The bytes of events of one runtime that were sent lately: made once, for all who are sent them.

    Also for those who fell behind: they are where others just were, and the log is neither read nor taken apart again.
    """

    def __init__(self, most: int = MOST_RECENT) -> None:
        self._most = most
        self._frames: dict[int, bytes] = {}
        self._bytes = 0
        self.reading = asyncio.Lock()
        """Of the log, by one at a time."""

    def of(self, published: Published, project: ProjectId) -> bytes:
        """What is sent of an event."""
        found = self._frames.get(published.seq)
        if found is None:
            found = framed("specloom/event", p.to_json(wire_event(published, project)))
            self._frames[published.seq] = found
            self._bytes += len(found)
            while self._bytes > self._most:
                self._bytes -= len(self._frames.pop(next(iter(self._frames))))
        return found

    def after(self, seq: int) -> Iterator[tuple[int, bytes]]:
        """The events that follow this one without a gap, with their numbers, as far as they are here."""
        while (found := self._frames.get(seq := seq + 1)) is not None:
            yield seq, found


RECENT: WeakKeyDictionary[Runtime, RecentFrames] = WeakKeyDictionary()
"""By runtime, not by project: a root that was copied has the same one, and other events."""


class EventSender:
    """Sends one client the events after `since`. Keeps two numbers, whatever the client does not read.

    `ready` is called once, when the client was sent every event that was told of: what is open then is of no event that
    it was sent, nor void by one that is still to be sent.
    """

    def __init__(
        self, hosted: Hosted, since: int, recent: RecentFrames, ready: Callable[[], None] | None = None
    ) -> None:
        self._hosted = hosted
        self._recent = recent
        self._project: ProjectId = hosted.state.id
        self._sent = since
        self._until = since
        self._behind = False
        self._ended = False
        self._ready = ready

    def heard(self, published: Published, state: ProjectState) -> None:
        """A live event; left to the log while the past is sent, or the client does not read."""
        del state
        self._until = published.seq
        if self._behind or self._ended or published.seq <= self._sent:
            # What was read from the log may be heard of after it was sent.
            self._settle()
        elif self._hosted.connection.outgoing.waiting > MOST_LIVE:
            self._fetch(gap=True)
        else:
            self._send(published.seq, self._recent.of(published, self._project))

    def end(self) -> None:
        """Nothing more is sent."""
        self._ended = True

    def replay(self, until: int) -> None:
        """Sends what was committed up to `until`, then live events."""
        self._until = until
        if self._sent < until:
            self._fetch(gap=False)
        self._settle()

    def _settle(self) -> None:
        if self._ready is not None and self._sent == self._until and not self._behind and not self._ended:
            ready, self._ready = self._ready, None
            ready()

    def _fetch(self, *, gap: bool) -> None:
        self._behind = True
        self._hosted.connection.start(self._catch_up(gap=gap), "replay of events")

    async def _catch_up(self, *, gap: bool) -> None:
        connection = self._hosted.connection
        while self._sent < self._until and not self._ended:
            await connection.until_below(LEAST_LIVE)
            if gap and not self._ended:
                gap = False
                told = GapParams(project_id=self._project, from_seq=self._sent + 1, to_seq=self._until, output=0)
                connection.outgoing.notify("specloom/gap", p.to_json(told))
            async with self._recent.reading:
                # Who waited for another's reading finds here what that one read.
                if not self._send_some(self._recent.after(self._sent)):
                    await self._read_on()
        self._behind = False
        self._settle()

    async def _read_on(self) -> None:
        page = await self._hosted.events(self._sent, PAGE)
        if not page:
            # The log is gone, and what was told of its end is kept nowhere.
            self._sent = self._until
        self._send_some((published.seq, self._recent.of(published, self._project)) for published in page)

    def _send_some(self, frames: Iterable[tuple[int, bytes]]) -> bool:
        """As many as the client has room for; the others are found again, so that nobody keeps them. False: none."""
        before = self._sent
        for seq, frame in frames:
            if self._ended or self._hosted.connection.outgoing.waiting > MOST_LIVE:
                break
            self._send(seq, frame)
        return self._sent > before

    def _send(self, seq: int, frame: bytes) -> None:
        self._sent = seq
        self._hosted.connection.outgoing.send(frame)
