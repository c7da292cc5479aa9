"""The wire types in other languages."""
