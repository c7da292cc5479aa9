"""A Messages API on loopback that answers from script files. Refuses states that its script does not know."""
