"""What one order sets for itself, over every file and editor. Refuses to judge values: the settings do."""

ROLES = ("default", "planner", "executor", "reviewer", "safety", "summariser")


def overrides_of(model: str | None, base_url: str | None) -> dict[str, object]:
    """For every role, because what an order says beats whatever a file says of one of them."""
    stated = {key: value for key, value in (("model", model), ("base_url", base_url)) if value is not None}
    return {"models": {role: dict(stated) for role in ROLES}} if stated else {}
