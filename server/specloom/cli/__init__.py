"""Floor 7: the `specloom` command. Refuses logic: it parses, calls the runtime, and prints."""
