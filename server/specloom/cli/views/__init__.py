"""How the command line shows things: values in, text out. Refuses to ask the runtime for anything."""
