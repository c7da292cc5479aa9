"""Specloom: continuous, spec-driven agentic coding as a language server."""

__version__ = "0.1.0"
