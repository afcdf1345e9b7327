"""Downloading transcripts."""

import json

import pytest
from django.contrib.auth.models import AbstractUser
from django.test import Client
from django.urls import reverse

from tasks_app.exports import FORMATS
from tasks_app.models import Task
from tasks_app.transcripts.rows import transcript_of


def url(task: Task, format_name: str = "srt") -> str:
    return reverse("transcript-file", args=[task.identifier, format_name])


@pytest.fixture
def user(client: Client, owner: AbstractUser) -> Client:
    client.force_login(owner)
    return client


@pytest.mark.parametrize("format_name", ["txt", "srt", "vtt", "json", "tsv"])
def test_each_format_is_what_its_exporter_makes(user: Client, completed, format_name: str) -> None:
    task = completed()

    response = user.get(url(task, format_name))

    assert response.text == FORMATS[format_name].export(transcript_of(task))
    assert "Neither did I." in response.text
    assert response.headers["Content-Type"] == FORMATS[format_name].media_type
    assert response.headers["Content-Disposition"] == f'attachment; filename="meeting.{format_name}"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_json_has_the_words(user: Client, completed) -> None:
    assert json.loads(user.get(url(completed(), "json")).content)["segments"][0]["words"]


@pytest.mark.parametrize(
    ("recording", "named"),
    [
        ("Gespräch.mp3", "filename*=utf-8''Gespr%C3%A4ch.srt"),
        ('a"b;c.wav', 'filename="a_b;c.srt"'),
        ("../../etc/passwd", 'filename="passwd.srt"'),
        ("CON: 1*2?.wav", 'filename="CON_ 1_2_.srt"'),
        ("two\r\nlines.wav", 'filename="two lines.srt"'),
        (".wav", 'filename="wav.srt"'),
        ("...", 'filename="transcript.srt"'),
    ],
)
def test_the_file_name_is_the_recordings_made_safe(user: Client, completed, recording: str, named: str) -> None:
    task = completed()
    Task.objects.update(name=recording)
    assert user.get(url(task)).headers["Content-Disposition"] == f"attachment; {named}"


def test_an_unknown_format_is_not_found(user: Client, completed) -> None:
    assert user.get(url(completed(), "exe")).status_code == 404


def test_before_there_is_text_it_redirects_with_a_message(user: Client, task: Task) -> None:
    response = user.get(url(task), follow=True)
    assert response.redirect_chain == [(reverse("task-detail", args=[task.identifier]), 302)]
    assert "not finished yet" in response.text


def test_only_the_owner_and_staff_get_it(
    client: Client, completed, stranger: AbstractUser, staff: AbstractUser
) -> None:
    task = completed()
    assert client.get(url(task)).headers["Location"].startswith(reverse("login"))
    client.force_login(stranger)
    assert client.get(url(task)).status_code == 404
    client.force_login(staff)
    assert client.get(url(task)).status_code == 200
