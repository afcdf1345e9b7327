"""Defaults for a person's next recording, taken from their earlier ones."""

from __future__ import annotations

from collections import Counter

from django.contrib.auth.models import User

from tasks_app.models import Speaker, Task, TaskStatus
from tasks_app.options import TranscriptionOptions
from tasks_app.pipeline.text.language_choice import LANGUAGE_NOT_SURE
from tasks_app.pipeline.transcript import StageWarning

RECENT_RECORDINGS = 50
"""How many of a person's last recordings are looked at."""


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


def speaker_names(owner: User) -> list[str]:
    """The names that speakers have in the owner's last recordings, in alphabetical order."""
    recent = Task.objects.filter(owner=owner).order_by("-created_at").values_list("pk", flat=True)[:RECENT_RECORDINGS]
    named = Speaker.objects.filter(transcript__in=list(recent), until=None).exclude(name="")
    return list(named.order_by("name").values_list("name", flat=True).distinct())
