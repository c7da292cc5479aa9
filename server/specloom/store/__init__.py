"""Floor 1: the event log on SQLite. Refuses to decide: it appends, reads and tells conflicts."""
