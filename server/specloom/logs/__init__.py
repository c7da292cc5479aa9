"""Records of what processes of Specloom do: JSON lines in files of this machine. Refuses what users wrote, unasked."""
