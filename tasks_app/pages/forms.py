"""Forms of the pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, SetPasswordForm, UserCreationForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from tasks_app.actions import first_account
from tasks_app.current_settings import current
from tasks_app.exports.options import LIMITS, ExportOptions
from tasks_app.models import KeyScope, WebhookEvent
from tasks_app.options import MAX_SPEAKERS, TranscriptionOptions
from tasks_app.pipeline.languages import LANGUAGES, SEVERAL
from tasks_app.pipeline.speakers.channels import AUTO, MIX, SPLIT
from tasks_app.pipeline.weights.catalogue import ModelInfo
from tasks_app.pipeline_setup import offered_models
from tasks_app.throttle import LimitedLogIn, attempt, hashing


class LogInForm(LimitedLogIn):
    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": "Wrong username or password. Please try again.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""


class SignUpForm(UserCreationForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.fields["username"].help_text = "Letters, digits and @ . + - _"
        self.fields["password1"].help_text = "At least 8 characters, and not a common password."
        self.fields["password2"].label = "Password again"
        self.fields["password2"].help_text = ""

    def save(self, commit: bool = True) -> User:
        with hashing:
            return super().save(commit)


class NewPasswordForm(SetPasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.fields["new_password1"].help_text = "At least 8 characters, and not a common password."
        self.fields["new_password2"].label = "New password again"
        self.fields["new_password2"].help_text = ""


class FirstAccountForm(SignUpForm):
    code = forms.CharField(
        label="Setup code",
        help_text="It is shown in the terminal where the service was started, and is in the file var/setup_code.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    field_order = ("code", "username", "password1", "password2")

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_code(self) -> str:
        code = self.cleaned_data["code"]
        with attempt("set-up code", self.request):
            if not first_account.code_is_right(code):
                raise ValidationError("Wrong code. Copy it again from the terminal or the file.")
        return code


class KeyForm(forms.Form):
    name = forms.CharField(
        max_length=100,
        help_text="The program that will have it, so that you know later which one to revoke.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scope = forms.ChoiceField(label="It may", choices=KeyScope.choices, initial=KeyScope.WRITE)
    days = forms.ChoiceField(
        label="It expires",
        choices=[("", "Never"), ("30", "After 30 days"), ("90", "After 90 days"), ("365", "After a year")],
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""


class WebhookForm(forms.Form):
    url = forms.CharField(
        label="Address",
        max_length=500,
        help_text="It gets a POST request for each event, signed as Standard Webhooks are.",
        widget=forms.URLInput(attrs={"autocomplete": "off", "placeholder": "https://example.org/transcribed"}),
    )
    events = forms.MultipleChoiceField(
        label="It is told when",
        choices=WebhookEvent.choices,
        initial=[WebhookEvent.COMPLETED, WebhookEvent.FAILED],
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""


def _model_label(model: ModelInfo) -> str:
    languages = "all languages" if model.multilingual else "English only"
    later = ", fetched at first use" if model.state == "downloadable" else ""
    return f"{model.name} ({languages}, {model.size_bytes / 1e6:,.0f} MB{later})"


class UploadForm(forms.Form):
    """The options of an upload as a form, for display only: `TranscriptionOptions` reads and checks them."""

    model = forms.CharField(
        widget=forms.Select, required=False, help_text="A larger model makes fewer mistakes and takes longer."
    )
    language = forms.CharField(
        widget=forms.Select(
            choices=[
                ("", "Detect automatically"),
                (SEVERAL, "Several languages"),
                *sorted(LANGUAGES.items(), key=lambda item: item[1]),
            ]
        ),
        required=False,
    )
    translate = forms.BooleanField(label="Translate to English", required=False)
    diarize = forms.BooleanField(label="Tell speakers apart", required=False, initial=True)
    min_speakers = forms.CharField(label="At least", required=False, widget=forms.NumberInput)
    max_speakers = forms.CharField(label="At most", required=False, widget=forms.NumberInput)
    track = forms.CharField(
        label="Sound track",
        required=False,
        help_text="Its number, for files with several. Otherwise the usual one, or the first with speech.",
        widget=forms.NumberInput(attrs={"min": 1, "placeholder": "usual"}),
    )
    channels = forms.CharField(
        widget=forms.Select(
            choices=[
                (AUTO, "Detect automatically"),
                (SPLIT, "One person on each"),
                (MIX, "The same people on all"),
            ]
        ),
        required=False,
        help_text="In recorded calls, each side is often on its own channel; then each is transcribed separately.",
    )
    hints = forms.CharField(
        label="Names and terms",
        required=False,
        help_text="Words that might be misspelt, separated by commas. They are written this way when heard.",
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        models = offered_models()
        self.models = [model.name for model in models]
        self.fields["model"].widget.choices = [(model.name, _model_label(model)) for model in models]
        self.fields["model"].initial = current("DEFAULT_MODEL")
        for name in ("min_speakers", "max_speakers"):
            self.fields[name].widget.attrs.update({"min": 1, "max": MAX_SPEAKERS, "placeholder": "any"})


class AgainForm(UploadForm):
    """What a part that is done again can be asked for with, as it was asked for before; for display only."""

    translate = diarize = channels = None  # type: ignore[assignment]  # those stay as they were

    def __init__(self, options: TranscriptionOptions, language: str) -> None:
        before = {**options.to_dict(), "language": options.language or language, "hints": ", ".join(options.hints)}
        super().__init__(initial=before, auto_id="again_%s")


class DownloadForm(forms.Form):
    """The options of downloads as a form, for display only: `ExportOptions` reads and checks them."""

    speakers = forms.BooleanField(label="Names of speakers", required=False)
    times = forms.BooleanField(label="Times", required=False)
    original = forms.ChoiceField(
        label="Text",
        choices=[("no", "As corrected"), ("yes", "As it was recognised")],
        widget=forms.RadioSelect,
    )
    line_length = forms.IntegerField(label="Characters a line")
    lines = forms.IntegerField(label="Lines")
    reading_speed = forms.IntegerField(label="Characters a second")
    close_gaps = forms.BooleanField(label="Keep through short pauses", required=False)
    word_marks = forms.BooleanField(label="Mark each word (WebVTT)", required=False)

    def __init__(self, options: ExportOptions) -> None:
        super().__init__(initial={**options.to_dict(), "original": "yes" if options.original else "no"})
        self.label_suffix = ""
        for name, (least, most) in LIMITS.items():
            self.fields[name].widget.attrs.update({"min": least, "max": most})
