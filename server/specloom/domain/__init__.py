"""Floor 0: pure values and decisions. Refuses IO, clocks, randomness and `await`; time and ids come in as arguments."""
