"""`specloom/events/*`: replay of committed events, then live ones. Refuses gaps: live events wait for the replay."""

from collections import deque

from specloom.domain.ids import ProjectId
from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.engine.api import Published
from specloom.lsp import protocol as p
from specloom.lsp.features.output import OutputStream
from specloom.lsp.protocol_events import EventsListResult
from specloom.lsp.serving import Hosted, Serving
from specloom.lsp.wire_events import wire_event

PAGE = 200
MOST_REPLAYED = 1024 * 1024
"""Bytes of the past that may wait for the client."""


async def list_events(serving: Serving, params: p.EventsListParams) -> EventsListResult | Rejected:
    """`specloom/events/list`."""
    state = await serving.refreshed()
    if state is None:
        return Rejected("nothing-to-read", "There is no log of this root yet; plan or run something first")
    # One more than asked tells whether there are more, also when somebody else writes the log.
    found = await serving.events(params.since, params.limit + 1)
    events = found[: params.limit]
    last = max(state.seq, events[-1].seq if events else 0)
    return EventsListResult(
        events=[wire_event(item, state.id) for item in events], more=len(found) > params.limit, seq=last
    )


async def subscribe(hosted: Hosted, params: p.EventsSubscribeParams) -> p.EventsSubscribeResult:
    """`specloom/events/subscribe`."""
    hosted.subscription.close()
    sender = EventSender(hosted)
    at = hosted.subscription.enter_context(hosted.runtime.listen(sender.heard))
    hosted.subscription.callback(sender.end)
    if params.output:
        stream = OutputStream(hosted)
        hosted.subscription.enter_context(hosted.runtime.watch_output(stream.heard))
        hosted.subscription.callback(stream.end)
    hosted.subscribed = True
    hosted.connection.start(sender.replay(at if params.since is None else params.since, at), "replay of events")
    return p.EventsSubscribeResult(seq=at)


async def unsubscribe(hosted: Hosted, params: p.EventsUnsubscribeParams) -> p.EventsUnsubscribeResult:
    """`specloom/events/unsubscribe`."""
    del params
    was, hosted.subscribed = hosted.subscribed, False
    hosted.subscription.close()
    return p.EventsUnsubscribeResult(subscribed=was)


class EventSender:
    """Sends events to one client, each once and in order."""

    def __init__(self, hosted: Hosted) -> None:
        self._hosted = hosted
        self._project: ProjectId = hosted.state.id
        self._live: deque[Published] = deque()
        self._replaying = True
        self._ended = False

    def heard(self, published: Published, state: ProjectState) -> None:
        """A live event; waits while the past is replayed."""
        del state
        if self._replaying:
            self._live.append(published)
        else:
            self._send(published)

    def end(self) -> None:
        """Nothing more is sent."""
        self._ended = True

    async def replay(self, since: int, until: int) -> None:
        """Sends what was committed after `since` up to `until`, then lets live events through."""
        while since < until and not self._ended:
            # A long past must not fill the queue faster than the client reads it.
            await self._hosted.connection.until_below(MOST_REPLAYED)
            page = await self._hosted.events(since, PAGE)
            for published in page:
                if published.seq <= until:
                    self._send(published)
            since = page[-1].seq if page else until
        while self._live:
            self._send(self._live.popleft())
        self._replaying = False

    def _send(self, published: Published) -> None:
        if not self._ended:
            self._hosted.connection.outgoing.notify("specloom/event", p.to_json(wire_event(published, self._project)))
