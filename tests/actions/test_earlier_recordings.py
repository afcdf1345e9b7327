"""Usual languages, from earlier recordings."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AbstractUser
from redis import Redis

from tasks_app.actions import attempts, earlier_recordings, edit
from tasks_app.actions.earlier_recordings import speaker_names, usual_languages
from tasks_app.pipeline.transcript import Segment, StageWarning, Transcript
from tests.conftest import make_task

pytestmark = pytest.mark.django_db(transaction=True)


def in_language(
    owner: AbstractUser, found: str, probability: float | None = 0.9, code: str = "", **asked: object
) -> None:
    """A transcribed recording of the owner's, in which this language was detected."""
    task = make_task(owner, **{"model": "base", **asked})
    warnings = [StageWarning("transcribing", code, "A sentence.")] if code else []
    claimed = attempts.claim(task.pk)
    attempts.complete(claimed, claimed.lease, Transcript(found, 1.0, [], probability, warnings))


def test_usual_languages_are_the_most_frequent_first(owner: AbstractUser, queue: Redis) -> None:
    for language in ("de", "fr", "fr"):
        in_language(owner, language)
    assert usual_languages(owner) == ["fr", "de"]


def test_a_language_counts_only_where_it_is_known(owner: AbstractUser, queue: Redis) -> None:
    in_language(owner, "de", 0.3, "LANGUAGE_NOT_SURE")
    in_language(owner, "en", 0.9, translate=True)
    in_language(owner, "en", None)  # nobody spoke
    make_task(owner)
    assert usual_languages(owner) == []
    in_language(owner, "it", None, language="it")
    in_language(owner, "en", None, model="tiny.en")
    in_language(owner, "fr", 0.9, "OTHER_LANGUAGES")
    assert sorted(usual_languages(owner)) == ["en", "fr", "it"]


def test_other_peoples_recordings_do_not_count(owner: AbstractUser, stranger: AbstractUser, queue: Redis) -> None:
    in_language(stranger, "de")
    assert usual_languages(owner) == []


def test_only_the_last_recordings_count(owner: AbstractUser, queue: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(earlier_recordings, "RECENT_RECORDINGS", 2)
    for language in ("de", "fr", "fr"):
        in_language(owner, language)
    assert usual_languages(owner) == ["fr"]


def test_names_of_speakers_are_those_of_the_owners_recordings(
    owner: AbstractUser, stranger: AbstractUser, queue: Redis
) -> None:
    for user, names in ((owner, ("Berta", "Anna")), (owner, ("Anna",)), (stranger, ("Zoe",))):
        task = attempts.claim(make_task(user).pk)
        attempts.complete(task, task.lease, Transcript("en", 1.0, [Segment(0.0, 1.0, "Hello.", [], "SPEAKER_00")]))
        for revision, name in enumerate(names, 1):
            edit.name_speaker(task, user, revision, "SPEAKER_00", name)
    assert speaker_names(owner) == ["Anna"]
