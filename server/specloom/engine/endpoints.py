"""The endpoints that options name: where they are, and their end. Refuses to ask them anything."""

from specloom.engine.options import EngineOptions


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
