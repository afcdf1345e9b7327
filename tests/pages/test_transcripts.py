"""Downloading transcripts."""

import io
import json

import docx
import pytest
from django.contrib.auth.models import AbstractUser
from django.test import Client
from django.urls import reverse

from tasks_app.actions import edit
from tasks_app.actions.access import open_transcript
from tasks_app.actions.download_options import remembered
from tasks_app.exports import FORMATS, Document, ExportOptions
from tasks_app.models import Task
from tasks_app.transcripts.rows import transcript_of


def url(task: Task, format_name: str = "srt") -> str:
    return reverse("transcript-file", args=[task.identifier, format_name])


@pytest.fixture
def user(client: Client, owner: AbstractUser) -> Client:
    client.force_login(owner)
    return client


@pytest.mark.parametrize("format_name", [name for name in FORMATS if name != "docx"])
def test_each_format_is_what_its_exporter_makes(user: Client, completed, format_name: str) -> None:
    task = completed()

    response = user.get(url(task, format_name))

    content = response.getvalue()
    assert content == b"".join(FORMATS[format_name].export(Document.of(transcript_of(task), "meeting")))
    assert "did I." in content.decode()
    assert response.headers["Content-Type"] == FORMATS[format_name].media_type
    assert response.headers["Content-Disposition"] == f'attachment; filename="meeting.{format_name}"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_word_document_has_the_recordings_name_as_its_title(user: Client, completed) -> None:
    word = docx.Document(io.BytesIO(user.get(url(completed(), "docx")).getvalue()))
    assert [paragraph.text for paragraph in word.paragraphs][:2] == ["meeting", "SPEAKER_00"]


def test_json_has_the_words(user: Client, completed) -> None:
    assert json.loads(user.get(url(completed(), "json")).getvalue())["segments"][0]["words"]


@pytest.mark.parametrize("format_name", [name for name in FORMATS if name != "docx"])
def test_every_format_has_the_corrected_text_and_the_names(
    user: Client, owner: AbstractUser, completed, format_name: str
) -> None:
    task = corrected(completed(), owner)
    text = user.get(url(task, format_name)).getvalue().decode()
    assert "Neither did she." in text and "Anna" in text
    original = user.get(url(task, format_name) + "?original=yes").getvalue().decode()
    assert "Neither did I." in original and "Anna" not in original


def corrected(task: Task, owner: AbstractUser) -> Task:
    last = task.transcript.segments.latest("start")
    edit.change_text(task, owner, 1, {last.pk: "Neither did she."})
    edit.name_speaker(task, owner, 2, "SPEAKER_00", "Anna")
    return task


def test_options_are_read_from_the_address(user: Client, completed) -> None:
    text = user.get(url(completed(), "txt") + "?speakers=no&times=yes&unknown=1").getvalue().decode()
    assert text.splitlines()[0] == "[0:06] Hello?"


def test_a_bad_option_is_told(user: Client, completed) -> None:
    answer = user.get(url(completed()) + "?lines=many", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_OPTIONS")
    assert "Lines: “many”" in answer.json()["error"]["message"]


def test_the_form_leads_to_the_file_and_its_choices_are_kept(
    user: Client, owner: AbstractUser, colleague: AbstractUser, completed
) -> None:
    task = completed()
    chosen = {"format": "srt", "speakers": ["no", "on"], "original": "no", "line_length": "32", "word_marks": "on"}
    answer = user.post(reverse("transcript-download", args=[task.identifier]), chosen)
    assert (answer.status_code, answer.headers["Location"]) == (302, url(task) + "?line_length=32")
    assert remembered(owner) == ExportOptions(line_length=32, word_marks=True)
    assert remembered(colleague) == ExportOptions()
    page = Client()
    page.force_login(owner)  # another browser
    assert 'value="32"' in page.get(reverse("task-detail", args=[task.identifier])).text


def test_a_stranger_cannot_use_the_form(client: Client, completed, stranger: AbstractUser) -> None:
    client.force_login(stranger)
    answer = client.post(reverse("transcript-download", args=[completed().identifier]), {"format": "srt"})
    assert answer.status_code == 404
    assert remembered(stranger) == ExportOptions()


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
    open_transcript(staff, task, "asked for help")
    client.force_login(staff)
    assert client.get(url(task)).status_code == 200
