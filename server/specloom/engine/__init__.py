"""Floor 5: commands in, events out; runs attempts and proves tasks. Refuses an effect that is not recorded first."""
