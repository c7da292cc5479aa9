"""Floor 7: one process a user and installation that hosts roots for many clients. Refuses to decide: the engine does.

`place`, `hello`, `starting` and `bridge` are all that an editor's start loads: they know neither pygls nor asyncio.
"""
