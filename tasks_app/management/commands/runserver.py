"""Django's development server with WebSockets: Daphne's, without the app that loads Twisted into every process."""

from daphne.management.commands.runserver import Command

__all__ = ["Command"]
