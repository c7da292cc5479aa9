"""The endpoints that options name: where they are, which one a role has now, and their end. Refuses to choose."""

from collections.abc import Callable
from dataclasses import dataclass

from specloom.agent.roles import RoleName
from specloom.engine.options import EngineOptions
from specloom.llm.messages import ModelAnswer, ModelRequest
from specloom.llm.model import CutOff, DeltaSink, Model, ModelFacts


@dataclass(frozen=True, slots=True)
class RoleEndpoint:
    """A `Model`: that of a role by the settings as they are when it is asked, so that a new key counts at once."""

    options: Callable[[], EngineOptions]
    role: RoleName

    @property
    def _now(self) -> Model:
        return self.options().roles[self.role].endpoint

    async def facts(self, model: str) -> ModelFacts:
        """As `Model.facts`."""
        return await self._now.facts(model)

    async def ask(self, request: ModelRequest, sink: DeltaSink | None = None, cut: CutOff | None = None) -> ModelAnswer:
        """As `Model.ask`."""
        return await self._now.ask(request, sink, cut)

    async def count_tokens(self, request: ModelRequest) -> int:
        """As `Model.count_tokens`."""
        return await self._now.count_tokens(request)

    async def reachable(self) -> bool:
        """As `Model.reachable`."""
        return await self._now.reachable()

    async def close(self) -> None:
        """Nothing: the options own it."""


def host_of(options: EngineOptions, role: str) -> str:
    """Where a role's model is asked; empty for a role that does not exist."""
    known = next((chosen for name, chosen in options.roles.items() if name == role), None)
    return known.host if known is not None else ""


async def close_endpoints(used: EngineOptions, still: EngineOptions | None = None) -> None:
    """Those of `used` that are not in use `still`; each once."""
    kept = () if still is None else tuple(id(role.endpoint) for role in still.roles.values())
    for endpoint in {id(role.endpoint): role.endpoint for role in used.roles.values()}.values():
        if id(endpoint) not in kept:
            await endpoint.close()
