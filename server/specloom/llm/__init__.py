"""Floor 1: asks a model for one answer. Refuses to retry, to remember, or to know what the answer is for."""
