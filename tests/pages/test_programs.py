"""The page of the REST API."""

from __future__ import annotations

from django.test import Client

from tasks_app.api.v1.urls import document


def test_it_shows_every_operation_with_what_it_takes(client: Client, db: None) -> None:
    page = client.get("/api/").text
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            assert f"{method.upper()} {path}" in page
            for parameter in operation["parameters"]:
                assert f"<code>{parameter['name']}</code>" in page
    assert "integer, 0 to 20" in page  # of speakers
    assert "“same_speaker”" in page  # a kind of change
