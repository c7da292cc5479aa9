"""Floor 7: hosts runtimes for many clients. Refuses to decide anything about tasks."""
