"""A transcription service: the application."""

VERSION = "0.1.0"
"""Of the program; the same as in `pyproject.toml`."""
