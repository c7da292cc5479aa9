"""Floor 3: what an agent can do, one tool a file. Refuses to raise to the loop: every outcome is text for the model."""
