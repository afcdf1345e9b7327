"""Routes for OpenAI's clients, whose base URL ends in `/v1`."""

from __future__ import annotations

from django.urls import path

from tasks_app.api.openai import views

PREFIX = "v1/"

urlpatterns = [
    path(f"{PREFIX}audio/transcriptions", views.transcriptions, name="openai-transcriptions"),
    path(f"{PREFIX}audio/translations", views.translations, name="openai-translations"),
    path(f"{PREFIX}models", views.models, name="openai-models"),
    path(f"{PREFIX}models/<path:name>", views.model, name="openai-model"),
]
