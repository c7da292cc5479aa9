"""`specloom/project/*`. Refuses pages: the projection of one root fits into one answer."""

import asyncio
from functools import partial

from specloom.domain.project import ProjectState
from specloom.domain.rejection import Rejected
from specloom.lsp.protocol_project import ProjectGetParams, ProjectGetResult
from specloom.lsp.serving import Serving, Unhosted
from specloom.lsp.wire_project import wire_project


async def get(serving: Serving, params: ProjectGetParams) -> ProjectGetResult | Rejected:
    """`specloom/project/get`; of a root that another process hosts, what its log says."""
    del params
    read_only = isinstance(serving, Unhosted)
    if serving.places is None:
        return serving.refusal if isinstance(serving, Unhosted) else Rejected("no-root", "There is no root")
    state = await serving.refreshed() or ProjectState()
    today = None if isinstance(serving, Unhosted) else serving.runtime.today
    # A state is a value, so it may be told beside the loop: ten thousand tasks take a third of a second.
    tell = partial(wire_project, state, dict(serving.problems), serving.places, read_only=read_only, today=today)
    return await asyncio.to_thread(tell)
