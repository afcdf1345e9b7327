"""Uploading: what is asked, what is refused, with and without scripts."""

from pathlib import Path

import pytest
from django.contrib.auth.models import AbstractUser
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tasks_app.actions import take_in
from tasks_app.errors import StorageFull
from tasks_app.models import Task
from tasks_app.options import TranscriptionOptions

UPLOAD = reverse("task-upload")
ASKED = {"model": "base", "language": "", "diarize": "on"}
JSON = {"Accept": "application/json"}


@pytest.fixture
def user(client: Client, owner: AbstractUser) -> Client:
    client.force_login(owner)
    return client


@pytest.fixture
def speech(telephone: Path) -> SimpleUploadedFile:
    return SimpleUploadedFile("call.wav", telephone.read_bytes(), "audio/wav")


def not_audio(name: str = "notes.mp3") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, b"These are notes. " * 100, "audio/mpeg")


def send(user: Client, *files: SimpleUploadedFile, headers: dict[str, str] | None = None, **asked: str) -> HttpResponse:
    return user.post(UPLOAD, {**ASKED, **asked, "files": list(files)}, headers=headers)


# The form -------------------------------------------------------------------------------------------------------------


def test_strangers_log_in_first(client: Client, owner: AbstractUser) -> None:
    assert client.get(UPLOAD).headers["Location"].startswith(reverse("login"))


def test_the_form_offers_what_is_here(user: Client, settings) -> None:
    form = user.get(UPLOAD).context["form"]
    assert form["model"].value() == settings.DEFAULT_MODEL
    assert {"tiny.en", "base"} <= set(form.models)
    assert "large-v3" not in form.models
    assert form["diarize"].value() is True


def test_models_that_must_be_fetched_are_offered_where_that_is_allowed(user: Client, settings) -> None:
    settings.ALLOW_MODEL_DOWNLOAD = True
    assert "large-v3" in user.get(UPLOAD).context["form"].models


def test_the_browser_is_told_the_limits(user: Client, settings) -> None:
    settings.MAX_UPLOAD_MB, settings.MAX_DURATION_MINUTES = 3, 90
    page = user.get(UPLOAD).text
    assert 'data-max-bytes="3000000"' in page
    assert "up to 3 MB and 90 minutes each" in page


# One file from the page's module --------------------------------------------------------------------------------------


def test_a_recording_becomes_a_task_as_asked(user: Client, owner: AbstractUser, speech) -> None:
    response = send(user, speech, headers=JSON, language="de", translate="on", min_speakers="2", max_speakers="3")

    task = Task.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "identifier": str(task.identifier),
        "url": reverse("task-detail", args=[task.identifier]),
    }
    assert (task.owner, task.name, task.status) == (owner, "call.wav", "queued")
    assert task.duration == pytest.approx(30, abs=0.1)
    assert task.transcription_options == TranscriptionOptions("base", "de", True, True, 2, 3)
    assert task.media.size == task.size == speech.size


def test_a_sound_track_can_be_chosen(user: Client, speech) -> None:
    send(user, speech, headers=JSON, track="1")

    assert Task.objects.get().transcription_options.track == 1


def test_channels_can_be_said_to_carry_one_person_each(user: Client, speech) -> None:
    assert '<option value="split">One person on each</option>' in user.get(UPLOAD).text
    send(user, speech, headers=JSON, channels="split")

    assert Task.objects.get().transcription_options.channels == "split"


def test_names_and_terms_are_taken_and_remembered_for_the_next_upload(user: Client, speech) -> None:
    send(user, speech, headers=JSON, hints="Kowalczyk,\nAcme Zentrix")

    task = Task.objects.get()
    assert task.transcription_options.hints == ("Kowalczyk", "Acme Zentrix")
    assert user.get(UPLOAD).context["form"]["hints"].value() == "Kowalczyk, Acme Zentrix"
    assert (
        "Names and terms: Kowalczyk, Acme Zentrix"
        in user.get(reverse("task-detail", args=[Task.objects.get().pk])).text
    )


def test_what_others_told_is_not_shown(user: Client, speech, stranger: AbstractUser) -> None:
    send(user, speech, headers=JSON, hints="Kowalczyk")
    user.force_login(stranger)

    assert user.get(UPLOAD).context["form"]["hints"].value() == ""


def test_several_languages_can_be_chosen(user: Client, speech) -> None:
    assert '<option value="several">Several languages</option>' in user.get(UPLOAD).text
    send(user, speech, headers=JSON, language="several")

    assert Task.objects.get().transcription_options.language == "several"


def test_numbers_of_speakers_mean_nothing_where_speakers_are_not_wanted(user: Client, speech) -> None:
    send(user, speech, headers=JSON, diarize="", min_speakers="2")

    options = Task.objects.get().transcription_options
    assert (options.diarize, options.min_speakers) == (False, None)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"model": "../../etc"}, "UNKNOWN_MODEL"),
        ({"language": "xx"}, "UNKNOWN_LANGUAGE"),
        ({"model": "tiny.en", "language": "de"}, "INVALID_OPTIONS"),
        ({"min_speakers": "3", "max_speakers": "2"}, "INVALID_OPTIONS"),
        ({"min_speakers": "many"}, "INVALID_OPTIONS"),
        ({"max_speakers": "999"}, "INVALID_OPTIONS"),
        ({"model": ""}, "INVALID_OPTIONS"),
        ({"track": "0"}, "INVALID_OPTIONS"),
        ({"track": "last"}, "INVALID_OPTIONS"),
        ({"hints": "K" * 61}, "INVALID_OPTIONS"),
        ({"hints": "\n".join(map(str, range(101)))}, "INVALID_OPTIONS"),
        ({"track": "2"}, "NO_SUCH_TRACK"),
        ({"channels": "left"}, "INVALID_OPTIONS"),
    ],
)
def test_what_cannot_be_asked_is_an_error_in_the_house_shape(user: Client, speech, asked, code) -> None:
    response = send(user, speech, headers=JSON, **asked)

    assert response.status_code == 400
    assert response.json()["error"]["code"] == code
    assert response.json()["error"]["message"]
    assert not Task.objects.exists()


@pytest.mark.parametrize(
    ("recording", "code"),
    [(not_audio(), "NOT_AUDIO"), (SimpleUploadedFile("empty.wav", b""), "EMPTY_FILE")],
)
def test_what_is_no_recording_is_told_apart(user: Client, recording, code: str) -> None:
    response = send(user, recording, headers=JSON)

    assert (response.status_code, response.json()["error"]["code"]) == (400, code)
    assert not Task.objects.exists()


def test_a_file_over_the_limit_is_refused_by_the_server_too(user: Client, settings) -> None:
    settings.MAX_UPLOAD_MB = 1
    response = send(user, SimpleUploadedFile("large.wav", b"0" * 1_000_001), headers=JSON)

    assert response.json()["error"]["code"] == "FILE_TOO_LARGE"


def test_no_room_for_the_recording_is_no_fault_of_the_client(user: Client, speech, monkeypatch) -> None:
    def no_room(*args: object) -> None:
        raise StorageFull

    monkeypatch.setattr(take_in, "store", no_room)
    answer = send(user, speech, headers=JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "STORAGE_FULL")


def test_no_file_is_an_error(user: Client) -> None:
    assert send(user, headers=JSON).json()["error"]["message"] == "Choose a file first."


def test_a_program_that_is_not_logged_in_is_told_so(client: Client, owner: AbstractUser, speech) -> None:
    response = send(client, speech, headers=JSON)

    assert (response.status_code, response.json()["error"]["code"]) == (401, "NOT_LOGGED_IN")
    assert not Task.objects.exists()


# Several files from a browser without scripts -------------------------------------------------------------------------


def test_one_recording_leads_to_its_page(user: Client, speech) -> None:
    response = send(user, speech)

    assert response.headers["Location"] == reverse("task-detail", args=[Task.objects.get().identifier])


def test_several_recordings_lead_to_the_list(user: Client, speech, telephone: Path) -> None:
    response = send(user, speech, SimpleUploadedFile("again.wav", telephone.read_bytes()))

    assert response.headers["Location"] == reverse("task-list")
    assert set(Task.objects.values_list("name", flat=True)) == {"call.wav", "again.wav"}


def test_a_bad_file_does_not_keep_the_good_one_out(user: Client, speech) -> None:
    response = send(user, not_audio("<b>notes</b>.mp3"), speech)

    assert response.status_code == 400
    assert Task.objects.get().name == "call.wav"
    assert reverse("task-detail", args=[Task.objects.get().identifier]) in response.text
    assert "b&gt;.mp3" in response.text
    assert "not an audio or video file" in response.text


def test_what_cannot_be_asked_is_said_on_the_form_which_keeps_the_rest(user: Client, speech) -> None:
    response = send(user, speech, model="tiny.en", language="de")

    assert response.status_code == 400
    assert "knows only English" in response.text
    assert response.context["form"]["language"].value() == "de"
    assert not Task.objects.exists()


def test_no_file_is_said_on_the_form(user: Client) -> None:
    assert "Choose a file first." in send(user).text


def test_other_methods_are_refused(user: Client) -> None:
    assert user.delete(UPLOAD).status_code == 405
