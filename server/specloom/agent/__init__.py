"""Floor 4: the turn loop, stateless: messages in, messages and status out. Refuses to persist."""
