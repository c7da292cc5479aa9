"""Parsers of requirements, specs and tasks in three layouts. Refuse to raise and to lose a byte."""
