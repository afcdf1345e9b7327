"""Defaults for a person's next recording, taken from their earlier ones."""

from __future__ import annotations

from collections import Counter

from django.contrib.auth.models import User

from tasks_app.models import Task, TaskStatus
from tasks_app.options import TranscriptionOptions
from tasks_app.pipeline.text.language_choice import LANGUAGE_NOT_SURE
from tasks_app.pipeline.transcript import StageWarning

RECENT_RECORDINGS = 50
"""How many of a person's last recordings are looked at to find their usual languages."""


def usual_languages(owner: User) -> list[str]:
    """The languages of the owner's last recordings, most frequent first, without those only guessed."""
    rows = Task.objects.filter(owner=owner, status=TaskStatus.COMPLETED).order_by("-created_at")
    counts: Counter[str] = Counter()
    for language, probability, kept, warnings in rows.values_list(
        "language", "language_probability", "options", "warnings"
    )[:RECENT_RECORDINGS]:
        options = TranscriptionOptions.from_dict(kept)
        known = probability is not None or options.language or options.model.endswith(".en")
        guessed = any(StageWarning.from_dict(warning).error_code == LANGUAGE_NOT_SURE for warning in warnings)
        if known and not guessed and not options.translate:  # a translation's language is not the one spoken
            counts[language] += 1
    return [language for language, _ in counts.most_common()]


def last_hints(owner: User) -> tuple[str, ...]:
    """The names and terms given with the owner's last recording."""
    last = Task.objects.filter(owner=owner).order_by("-created_at").first()
    return last.transcription_options.hints if last else ()
