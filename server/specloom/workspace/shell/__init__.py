"""One agent's shell: a bash that stays, and the commands that go on beside it."""
