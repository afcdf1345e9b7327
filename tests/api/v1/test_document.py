"""The OpenAPI document."""

from __future__ import annotations

from django.test import Client

from tasks_app.api.v1.urls import document


def test_the_document_is_served_to_anybody(client: Client, db: None) -> None:
    assert client.get("/api/v1/openapi.json").json() == document()
    assert document()["openapi"] == "3.1.0"
