"""Floor 6: the only floor that says pygls or lsprotocol. Refuses to await a run: requests are answered at once."""
