"""A database as an earlier version left it: it is migrated to the newest, and everything in it is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import AbstractUser
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from tasks_app.actions import attempts
from tasks_app.actions.earlier_recordings import last_hints, usual_languages
from tasks_app.actions.recovery import reclaim_lapsed
from tasks_app.actions.retry import retry
from tasks_app.exports import FORMATS
from tasks_app.models import FinishedTask, Task, TaskStatus, hour_of
from tasks_app.pipeline.runner import run
from tasks_app.pipeline_setup import model_store
from tasks_app.progress.snapshot import snapshot
from tasks_app.transcripts.rows import transcript_of
from tests.pipeline.conftest import Recorder

VERSION = ("tasks_app", "0002_segment_scores")
"""The version whose database this is."""

ASKED = {"model": "tiny.en", "language": None, "translate": False, "diarize": False}
OPTIONS = {
    "queued": {**ASKED, "min_speakers": None, "max_speakers": None, "track": None, "channels": "auto", "hints": []},
    "processing": {**ASKED, "diarize": True, "of_a_later_version": {"with": ["something", 1]}},
    "completed": {**ASKED, "hints": ["Acme", "Zyrtec"], "of_a_later_version": True},
    "failed": ASKED,
    "cancelled": {"model": "tiny.en"},
}
WORDS = [{"text": "Hello.", "start": 0.1, "end": 0.9, "score": 0.8, "speaker": "SPEAKER_00"}]
WARNING = {"stage": "diarizing", "error_code": "DIARIZATION_FAILED", "user_message": "No.", "technical_detail": "Why"}
SCORES = {"avg_logprob": -0.2, "compression_ratio": 0.9, "no_speech_prob": 0.01, "tokens": [2425], "temperature": 0.0}
KEPT = "Kept by an earlier version."
"""The text of the chunk that is finished in the tasks that do not have their transcript yet."""


@contextmanager
def database_of_its_own(folder: Path) -> Iterator[None]:
    """An empty one, in the place of the tests'."""
    usual = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        name = str(folder / "earlier.sqlite3")
    else:
        name = "earlier"
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual


def parts_of(telephone: Path) -> list[dict[str, Any]]:
    """What was kept of a transcription whose first chunk is finished: the plan and that chunk."""
    observer = Recorder()
    run(telephone, store=model_store(), observer=observer, model="tiny.en", diarize=False)
    plan, chunk = observer.parts["planning"][0], observer.parts["transcribing"][0]["chunk"]
    chunk["text"] = KEPT
    chunk["words"] = [
        {**word, "text": text} for word, text in zip(chunk["words"], KEPT.split(), strict=False)
    ]  # the recording's first chunk has more words than these
    names = ("language", "language_probability", "doubt", "chunks", "pieces")
    return json.loads(json.dumps([{name: plan[name] for name in names}, {"chunk": chunk}]))


def fill(apps: Any, telephone: Path) -> None:
    """A task in every status, with all that belongs to it, as that version wrote it."""
    model = apps.get_model
    owner = model("auth", "User").objects.create(username="alice", password=make_password("alice's password"))
    parts = parts_of(telephone)
    now = timezone.now()
    for status, options in OPTIONS.items():
        task = model("tasks_app", "Task").objects.create(
            owner=owner, name=f"{status}.wav", options=options, status=status, duration=30.0, queued_at=now
        )
        task.media = f"uploads/{task.identifier.hex[:2]}/{task.identifier.hex}"
        events = model("tasks_app", "TaskEvent").objects
        events.create(task=task, to_status="queued", actor=owner, attempt=0)
        if status == "processing":
            task.lease, task.lease_expires_at, task.attempt = task.identifier, now, 1
            task.progress_stage, task.progress_percentage, task.eta_seconds = "transcribing", 20, 12.5
        if status == "failed":
            task.error_code, task.user_message, task.technical_detail = "INTERNAL_ERROR", "It failed.", "KeyError: 'x'"
        if status != "queued":
            events.create(task=task, from_status="queued", to_status=status, attempt=1, detail="as it was")
            task.started_at = now
        if status == "completed":
            task.language, task.language_probability, task.finished_at = "en", 0.98, now
            task.warnings, task.progress_stage, task.progress_percentage = [WARNING], "complete", 100
            speaker = model("tasks_app", "Speaker").objects.create(task=task, label="SPEAKER_00", name="Ann")
            segments = [
                {"text": "Hello.", "speaker": speaker, "words": WORDS, "scores": SCORES},
                {"text": "No scores.", "speaker": speaker, "words": WORDS},
                {"text": "No words."},
            ]
            finished = [
                ("transcribing", [*parts, {"finished": True}]),
                ("aligning", [{"words": [[]], "finished": True}]),
            ]
        else:
            segments = [] if status == "queued" else [{"text": KEPT}]
            finished = [("transcribing", parts)]
        task.save()
        for index, segment in enumerate(segments):
            model("tasks_app", "Segment").objects.create(
                task=task, index=index, start=2.0 * index, end=2.0 * index + 2, **segment
            )
        for stage, kept in finished:
            for part, data in enumerate(kept):
                model("tasks_app", "StageResult").objects.create(
                    task=task, stage=stage, part=part, attempt=1, data=data
                )


@pytest.fixture(scope="module")
def migrated(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory, telephone: Path
) -> Iterator[None]:
    with django_db_blocker.unblock(), database_of_its_own(tmp_path_factory.mktemp("earlier")):
        executor = MigrationExecutor(connection)
        others = [leaf for leaf in executor.loader.graph.leaf_nodes() if leaf[0] != "tasks_app"]
        executor.migrate([VERSION, *others])
        fill(executor.loader.project_state([VERSION, *others]).apps, telephone)
        import_module("tasks_app.migrations.0032_search_in_names").BATCH = 2  # fewer than there are tasks
        call_command("migrate", verbosity=0)
        with django_db_blocker.block():
            yield


pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("migrated")]


@pytest.fixture
def alice(migrated: None, db: None) -> AbstractUser:
    return get_user_model().objects.get(username="alice")


@pytest.fixture
def browser(client: Client, alice: AbstractUser) -> Client:
    client.force_login(alice)
    return client


def task_that_is(status: str) -> Task:
    return Task.objects.get(status=status)


def store_recording(task: Task, telephone: Path) -> None:
    path = Path(task.media.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(telephone.read_bytes())


def text_of(task: Task) -> str:
    return " ".join(segment.text for segment in transcript_of(task).segments)


def test_the_models_are_as_the_migrations_make_them() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_the_list_shows_every_task(browser: Client) -> None:
    page = browser.get(reverse("task-list")).content.decode()
    assert all(f"{status}.wav" in page for status in TaskStatus.values)


@pytest.mark.parametrize("status", TaskStatus.values)
def test_the_page_of_a_task_is_shown(browser: Client, status: str) -> None:
    response = browser.get(reverse("task-detail", args=[task_that_is(status).pk]))
    assert response.status_code == 200
    assert f"{status}.wav" in response.content.decode()


@pytest.mark.parametrize("status", TaskStatus.values)
def test_polling_tells_the_status(browser: Client, status: str) -> None:
    answer = browser.get(reverse("task-progress", args=[task_that_is(status).pk])).json()
    assert answer["status"] == status


@pytest.mark.parametrize("status", TaskStatus.values)
def test_a_client_that_connects_gets_the_current_state(migrated: None, status: str) -> None:
    frames = snapshot(task_that_is(status).pk)
    assert frames[0]["type"] == "progress"


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "docx"])
def test_the_transcript_is_read_in_every_format(browser: Client, name: str) -> None:
    text = browser.get(reverse("transcript-file", args=[task_that_is("completed").pk, name])).getvalue().decode()
    assert [said for said in ("Hello.", "No scores.", "No words.") if said not in text] == []


def test_words_scores_speakers_and_warnings_are_those_that_were_kept(migrated: None) -> None:
    transcript = transcript_of(task_that_is("completed"), scores=True)
    first, second, third = transcript.segments
    assert [(word.text, word.start, word.end, word.score, word.speaker) for word in first.words] == [
        ("Hello.", 0.1, 0.9, 0.8, "Ann")
    ]
    assert first.scores.tokens == [2425]
    assert (second.scores, third.scores, third.words) == (None, None, [])
    assert [warning.error_code for warning in transcript.warnings] == ["DIARIZATION_FAILED"]


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_the_text_that_there_was_is_read(migrated: None, status: str) -> None:
    assert text_of(task_that_is(status)) == KEPT


def test_tasks_that_had_ended_have_their_figures(migrated: None) -> None:
    row = FinishedTask.objects.get()  # of the only one whose end is known
    assert (row.task_id, row.status) == (task_that_is("completed").pk, "completed")
    assert (row.model, row.language, row.sound_seconds) == ("tiny.en", "en", 30.0)
    assert row.hour == hour_of(row.ended_at)


def test_earlier_recordings_tell_about_the_next_one(alice: AbstractUser) -> None:
    assert usual_languages(alice) == ["en"]
    assert last_hints(alice) == ()


def test_staff_sees_the_list_of_all_tasks(client: Client, staff: AbstractUser) -> None:
    client.force_login(staff)
    page = client.get(reverse("admin:tasks_app_task_changelist")).content.decode()
    assert all(f"{status}.wav" in page for status in TaskStatus.values)


def test_staff_finds_a_task_of_before_by_its_name(client: Client, staff: AbstractUser) -> None:
    client.force_login(staff)
    for status in TaskStatus.values:
        page = client.get(reverse("admin:tasks_app_task_changelist"), {"q": status[1:].upper()}).content.decode()
        assert [each for each in TaskStatus.values if f"{each}.wav" in page] == [status]


@pytest.mark.parametrize("status", TaskStatus.values)
def test_staff_sees_every_task(client: Client, staff: AbstractUser, status: str) -> None:
    client.force_login(staff)
    page = client.get(reverse("admin:tasks_app_task_change", args=[task_that_is(status).pk]))
    assert page.status_code == 200
    assert "tiny.en" in page.content.decode()


@pytest.mark.parametrize("status", TaskStatus.values)
def test_a_task_goes_on_from_what_was_kept(alice: AbstractUser, telephone: Path, status: str) -> None:
    task = task_that_is(status)
    store_recording(task, telephone)
    observer = Recorder()
    asked = {**task.transcription_options.to_dict(), "diarize": False}
    kept = attempts.finished_parts(task)
    transcript = run(task.media.path, store=model_store(), observer=observer, resume=kept, **asked)
    assert transcript.segments[0].text == observer.heard[0].text == KEPT
    assert len(transcript.segments) > 3
    (done,) = (part["chunk"]["start"] for part in kept["transcribing"])
    assert done not in observer.kept["transcribing"]
    assert "planning" not in observer.kept


def test_a_task_whose_worker_was_lost_is_queued_again(migrated: None) -> None:
    task = task_that_is("processing")
    assert reclaim_lapsed() == 1
    task.refresh_from_db()
    assert task.status == "queued"
    assert attempts.claim(task.pk).attempt == 2


def test_an_incomplete_task_can_be_retried(alice: AbstractUser) -> None:
    task = task_that_is("completed")
    retry(task, alice)
    assert task.status == "queued"
