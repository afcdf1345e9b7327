"""The upload page, with and without scripts."""

from pathlib import Path

import pytest
from django.contrib.auth.models import AbstractUser
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tasks_app.actions import example, take_in
from tasks_app.errors import StorageFull
from tasks_app.models import Task

UPLOAD = reverse("task-upload")
ASKED = {"model": "base", "language": "", "diarize": "on"}


@pytest.fixture
def user(client: Client, owner: AbstractUser) -> Client:
    client.force_login(owner)
    return client


@pytest.fixture
def speech(telephone: Path) -> SimpleUploadedFile:
    return SimpleUploadedFile("call.wav", telephone.read_bytes(), "audio/wav")


def not_audio(name: str = "notes.mp3") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, b"These are notes. " * 100, "audio/mpeg")


def send(user: Client, *files: SimpleUploadedFile, **asked: str) -> HttpResponse:
    return user.post(UPLOAD, {**ASKED, **asked, "files": list(files)})


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


def test_names_and_terms_are_remembered_for_the_next_upload(user: Client, speech) -> None:
    send(user, speech, hints="Kowalczyk,\nAcme Zentrix")

    assert user.get(UPLOAD).context["form"]["hints"].value() == "Kowalczyk, Acme Zentrix"
    assert (
        "Names and terms: Kowalczyk, Acme Zentrix"
        in user.get(reverse("task-detail", args=[Task.objects.get().pk])).text
    )


def test_other_peoples_names_and_terms_are_not_shown(user: Client, speech, stranger: AbstractUser) -> None:
    send(user, speech, hints="Kowalczyk")
    user.force_login(stranger)

    assert user.get(UPLOAD).context["form"]["hints"].value() == ""


def test_there_is_a_choice_of_channels_and_of_several_languages(user: Client) -> None:
    page = user.get(UPLOAD).text
    assert '<option value="split">One person on each</option>' in page
    assert '<option value="several">Several languages</option>' in page


def test_the_module_is_told_where_to_send_files(user: Client) -> None:
    assert 'data-send-to="/tasks"' in user.get(UPLOAD).text


# Files from a browser without scripts ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("box", "wanted"), [(["false", "on"], True), (["false"], False)])
def test_the_box_of_a_form_says_whether_speakers_are_told_apart(user: Client, speech, box, wanted: bool) -> None:
    assert '<input type="hidden" name="diarize" value="false">' in user.get(UPLOAD).text
    user.post(UPLOAD, {**ASKED, "diarize": box, "files": speech})

    assert Task.objects.get().transcription_options.diarize is wanted


def test_an_unchecked_box_stays_unchecked(user: Client) -> None:
    assert user.post(UPLOAD, {**ASKED, "diarize": ["false"]}).context["form"]["diarize"].value() is False


def test_one_recording_leads_to_its_page(user: Client, speech) -> None:
    response = send(user, speech)

    assert response.headers["Location"] == reverse("task-detail", args=[Task.objects.get().identifier])


def test_several_recordings_lead_to_the_list(user: Client, speech, telephone: Path) -> None:
    response = send(user, speech, SimpleUploadedFile("again.wav", telephone.read_bytes()))

    assert response.headers["Location"] == reverse("task-list")
    assert set(Task.objects.values_list("name", flat=True)) == {"call.wav", "again.wav"}


def test_a_bad_file_does_not_keep_a_good_one_from_being_accepted(user: Client, speech) -> None:
    response = send(user, not_audio("<b>notes</b>.mp3"), speech)

    assert response.status_code == 415
    assert Task.objects.get().name == "call.wav"
    assert reverse("task-detail", args=[Task.objects.get().identifier]) in response.text
    assert "b&gt;.mp3" in response.text
    assert "not an audio or video file" in response.text


def test_impossible_options_are_reported_on_the_form_which_keeps_the_rest(user: Client, speech) -> None:
    response = send(user, speech, model="tiny.en", language="de")

    assert response.status_code == 400
    assert "is for English only" in response.text
    assert response.context["form"]["language"].value() == "de"
    assert not Task.objects.exists()


def test_a_field_that_cannot_be_read_is_reported_on_the_form(user: Client, speech) -> None:
    response = send(user, speech, track="last")

    assert "Track: “last” is not understood." in response.text
    assert response.context["form"]["track"].value() == "last"


def test_a_full_disk_is_reported_beside_the_file(user: Client, speech, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*args: object) -> None:
        raise StorageFull

    monkeypatch.setattr(take_in, "store", no_room)
    response = send(user, speech)
    assert response.status_code == 507
    assert StorageFull.user_message in response.text


def test_a_missing_file_is_reported_on_the_form(user: Client) -> None:
    assert "Choose a file first." in send(user).text


def test_other_methods_are_refused(user: Client) -> None:
    assert user.delete(UPLOAD).status_code == 405


# The example ----------------------------------------------------------------------------------------------------------


def test_an_empty_list_offers_an_example_which_is_queued_by_one_click(user: Client) -> None:
    assert 'id="example"' in user.get(reverse("task-list")).text
    response = user.post(reverse("task-example"))

    task = Task.objects.get()
    assert response.headers["Location"] == reverse("task-detail", args=[task.identifier])
    assert (task.name, task.duration, task.status) == ("Example: a telephone call.wav", 30.0, "queued")
    assert 'id="example"' not in user.get(reverse("task-list")).text


def test_without_the_example_that_is_told(user: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(example, "find_spec", lambda name: None)
    assert "There is no example here" in user.post(reverse("task-example"), follow=True).text
    assert 'id="example"' not in user.get(reverse("task-list")).text
