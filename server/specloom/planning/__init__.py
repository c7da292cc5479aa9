"""Floor 5: requirements to specs to tasks. Refuses to touch what is done."""
