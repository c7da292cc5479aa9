"""Runs what proves a task and keeps the evidence. Refuses to believe the agent."""
