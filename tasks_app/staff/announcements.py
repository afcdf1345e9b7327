"""Messages to everybody in the admin: made, listed and withdrawn."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import DateTimeField, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from tasks_app.actions.access import logged_in_user
from tasks_app.actions.announce import MOST, announce, shown, withdraw
from tasks_app.models import Announcement


class AnnouncementForm(forms.ModelForm):
    class Meta:
        widgets = {"text": forms.Textarea(attrs={"rows": 3})}

    def clean_until(self) -> datetime:
        until: datetime = self.cleaned_data["until"]
        if until <= timezone.now():
            raise ValidationError("This is over already.")
        return until

    def clean(self) -> None:
        super().clean()
        if shown().count() >= MOST:
            raise ValidationError(f"There are {MOST} messages already. Withdraw one first.")


@admin.register(Announcement)
class AnnouncementAdmin(admin.ModelAdmin):
    """A message is not changed: people may have read it. It is withdrawn, and another one made."""

    form = AnnouncementForm
    fields = ("text", "until")
    # Django's own field is two, for the date and the time, without labels.
    formfield_overrides = {
        DateTimeField: {
            "form_class": forms.DateTimeField,
            "widget": forms.DateTimeInput(attrs={"type": "datetime-local"}),
        }
    }
    list_display = ("text", "until", "is_shown", "by", "at")
    list_select_related = ("by",)

    def has_change_permission(self, request: HttpRequest, obj: Announcement | None = None) -> bool:
        return False

    @admin.display(description="shown", boolean=True)
    def is_shown(self, announcement: Announcement) -> bool:
        return announcement.until > timezone.now()

    def save_model(self, request: HttpRequest, obj: Announcement, form: Any, change: bool) -> None:
        obj.pk = announce(logged_in_user(request), obj.text, obj.until).pk

    def delete_model(self, request: HttpRequest, obj: Announcement) -> None:
        withdraw(logged_in_user(request), obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Announcement]) -> None:
        for announcement in queryset:
            self.delete_model(request, announcement)
