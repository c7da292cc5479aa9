"""Floor 2: files and open buffers as one text. Refuses to know editors (they push buffers in) and tasks."""
