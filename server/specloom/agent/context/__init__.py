"""Living file state and the policy of the context: what stands in it, when it is collapsed, and what it costs.

Refuses IO but through ports: every decision is a function of values that are in the log.
"""
