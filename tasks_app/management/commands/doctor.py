"""`manage.py doctor`: what is wrong with this installation, and what to do."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError

from tasks_app.health import lacking, parts


class Command(BaseCommand):
    help = "Look at every part of the installation, and say what is wrong and what to do. The status is 1 if one is."
    requires_system_checks = ()
    requires_migrations_checks = False

    def handle(self, *args: object, **options: object) -> None:
        found = parts()
        for part in found:
            mark = self.style.SUCCESS("well ") if part.is_well else self.style.ERROR("WRONG")
            self.stdout.write(f"{mark}  {part.name.replace('_', ' '):14} {part.reason}")
        for lack in lacking():
            self.stdout.write(f"{self.style.WARNING('note ')}  {lack}")
        unwell = sum(not part.is_well for part in found)
        if unwell:
            raise CommandError(f"{unwell} of {len(found)} parts are not well.")
