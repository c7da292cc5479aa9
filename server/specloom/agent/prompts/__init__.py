"""What the roles are told."""
