"""Every route: errors are in the common JSON format for programs, and pages for people."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from django.contrib.auth.models import AbstractUser
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tasks_app.actions import access
from tasks_app.api.urls import urlpatterns as api_routes
from tasks_app.errors import (
    BadRequest,
    CsrfFailed,
    DatabaseAway,
    InternalError,
    MethodNotAllowed,
    NotAllowed,
    NotFound,
    RequestTooLarge,
    TaskNotFound,
)

pytestmark = pytest.mark.django_db

ELSEWHERE = "admin/"
"""Third-party routes, but for our own app's."""
OUR_ADMIN = "admin/tasks_app/"
NO_METHOD_OF_OURS = "TRACE"  # which even Django's own redirecting view does not take

INVALID = "no-such-thing"
METHODS = ("GET", "POST", "DELETE")
JSON, HTML, INDIFFERENT = "application/json", "text/html,application/xhtml+xml,*/*;q=0.8", "*/*"


class Route(NamedTuple):
    """`address`: with INVALID in the place of each argument but numbers, which are 1."""

    address: str
    belongs_to_api: bool
    has_arguments: bool


def routes(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[Route]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif route.startswith(OUR_ADMIN) or not route.startswith(ELSEWHERE):
            address = "/" + re.sub("<[^>]+>", INVALID, re.sub("<int:[^>]+>", "1", route))
            yield Route(address, pattern in api_routes, INVALID in address)


EVERY = list(routes(get_resolver().url_patterns))
FOR_KEYS = [route for route in EVERY if route.address.startswith(("/v1/", "/asr", "/detect-language", "/key/"))]
"""Where only keys are let in."""
OURS = [route for route in EVERY if not route.address.startswith("/admin/") and route not in FOR_KEYS]
REST = [route for route in OURS if route.address.startswith("/api/v1/")]
"""Where whoever has a session is let in, and then the CSRF token is asked for."""
OF_A_TASK = [
    route
    for route in OURS
    if route.has_arguments
    and route.address.startswith(("/tasks/", "/api/v1/tasks/"))
    and not (route in REST and route.address.count(INVALID) > 1)  # whose other arguments are looked at first
]
ADMIN = [route for route in EVERY if route.address.startswith("/admin/")]


def each(chosen: list[Route]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("route", chosen, ids=lambda route: route.address)


AS_ANYTHING = pytest.mark.parametrize("accept", [JSON, HTML, INDIFFERENT], ids=["json", "html", "indifferent"])


def identified(route: Route) -> str:
    """The address of a task, or a key, that is not there."""
    number = "1" if route.address.startswith("/keys/") else "00000000-0000-4000-8000-000000000000"
    return route.address.replace(INVALID, number, 1)


def has_the_shape(answer: HttpResponse, route: Route, accept: str, error: type[Exception]) -> None:
    assert answer.status_code == error.http_status
    if accept == JSON or route.belongs_to_api:
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json() == {"error": {"code": error.error_code, "message": error.user_message}}
    else:
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "site.css" in answer.text
    assert "Content-Security-Policy" in answer.headers


def test_there_are_routes_of_every_kind() -> None:
    assert any(route.belongs_to_api and route.has_arguments for route in OURS)
    assert any(not route.belongs_to_api and route.has_arguments for route in OURS)
    assert ADMIN


@each([route for route in OURS if route.has_arguments])
@AS_ANYTHING
def test_an_invalid_identifier(client: Client, owner: AbstractUser, route: Route, accept: str) -> None:
    client.force_login(owner)
    for method in METHODS:
        answer = client.generic(method, route.address, headers={"Accept": accept})
        has_the_shape(answer, route, accept, NotFound)


@each(OURS)
@AS_ANYTHING
def test_a_method_that_is_not_allowed(client: Client, owner: AbstractUser, route: Route, accept: str) -> None:
    answer = client.generic(NO_METHOD_OF_OURS, identified(route), headers={"Accept": accept})
    has_the_shape(answer, route, accept, MethodNotAllowed)
    assert answer.headers["Allow"]


@each([*(route for route in OURS if route not in REST), *ADMIN])
@AS_ANYTHING
def test_a_change_without_the_csrf_token(staff: AbstractUser, route: Route, accept: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff)
    for method in ("POST", "DELETE"):
        answer = client.generic(method, identified(route), headers={"Accept": accept})
        has_the_shape(answer, route, accept, CsrfFailed)


@each(REST)
def test_a_change_over_the_rest_api_without_the_csrf_token(staff: AbstractUser, route: Route) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff)
    answers = [client.generic(method, identified(route)) for method in ("POST", "PUT", "DELETE")]
    refused = [answer for answer in answers if answer.status_code != MethodNotAllowed.http_status]
    assert {answer.json()["error"]["code"] for answer in refused} <= {CsrfFailed.error_code}


@each(FOR_KEYS)
@AS_ANYTHING
def test_a_session_is_no_key(client: Client, staff: AbstractUser, route: Route, accept: str) -> None:
    client.force_login(staff)
    answers = [client.generic(method, route.address, headers={"Accept": accept}) for method in METHODS]
    refused = [answer for answer in answers if answer.status_code != MethodNotAllowed.http_status]
    assert [(answer.status_code, answer.json()["error"]["code"]) for answer in refused] == [(401, "INVALID_API_KEY")]
    assert refused[0].headers["WWW-Authenticate"] == "Bearer"


@each(ADMIN)
@AS_ANYTHING
def test_the_admin_leads_strangers_to_the_login(client: Client, route: Route, accept: str) -> None:
    answer = client.get(route.address, headers={"Accept": accept})
    assert (answer.status_code, answer.headers["Location"].startswith("/admin/login/")) == (302, True)


@AS_ANYTHING
@pytest.mark.parametrize("address", ["/nowhere", "/tasks/nowhere/at/all", "/admin/nowhere/"])
def test_an_unknown_address(client: Client, staff: AbstractUser, address: str, accept: str) -> None:
    client.force_login(staff)
    answer = client.get(address, headers={"Accept": accept})
    has_the_shape(answer, Route(address, False, False), accept, NotFound)


@each(OF_A_TASK)
@AS_ANYTHING
def test_a_crash_is_logged_without_telling_the_client_details(
    owner: AbstractUser,
    route: Route,
    accept: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def crash(*arguments: object) -> None:
        raise RuntimeError("the secret of /srv/var")

    client = Client(raise_request_exception=False)
    client.force_login(owner)
    monkeypatch.setattr(access, "tasks_visible_to", crash)
    caplog.set_level(logging.ERROR)
    answers = [client.generic(method, identified(route), headers={"Accept": accept}) for method in METHODS]
    answer = next(answer for answer in answers if answer.status_code != MethodNotAllowed.http_status)
    has_the_shape(answer, route, accept, InternalError)
    assert "secret" not in answer.text
    assert "the secret of /srv/var" in caplog.text
    assert "Traceback" in caplog.text


@pytest.mark.parametrize("address", ["/tasks/", "/api/v1/tasks", "/admin/"])
@AS_ANYTHING
def test_a_database_that_is_away(
    staff: AbstractUser, address: str, accept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As while it is started again: nothing of a request can be looked up, its session neither."""

    def away(*arguments: object, **named: object) -> None:
        raise OperationalError("the server closed the connection")

    client = Client(raise_request_exception=False)
    client.force_login(staff)
    with monkeypatch.context() as database:
        database.setattr(BaseDatabaseWrapper, "cursor", away)
        answer = client.get(address, headers={"Accept": accept})
    has_the_shape(answer, Route(address, address == "/api/v1/tasks", False), accept, DatabaseAway)
    assert answer.headers["Retry-After"] == "5"


@pytest.mark.parametrize("address", ["/tasks", "/tasks/new/"])
@AS_ANYTHING
def test_fields_that_are_too_large(client: Client, owner: AbstractUser, address: str, accept: str, settings) -> None:
    client.force_login(owner)
    answer = client.post(address, {"hints": "x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE}, headers={"Accept": accept})
    has_the_shape(answer, Route(address, address == "/tasks", False), accept, RequestTooLarge)


@AS_ANYTHING
def test_a_body_that_cannot_be_read(client: Client, owner: AbstractUser, accept: str) -> None:
    client.force_login(owner)
    answer = client.generic("POST", "/tasks", b"no boundary", "multipart/form-data", headers={"Accept": accept})
    has_the_shape(answer, Route("/tasks", True, False), accept, BadRequest)


@AS_ANYTHING
def test_a_forbidden_request(client: Client, staff: AbstractUser, accept: str) -> None:
    client.force_login(staff)
    answer = client.get("/admin/tasks_app/task/add/", headers={"Accept": accept})
    has_the_shape(answer, Route("/admin/tasks_app/task/add/", False, False), accept, NotAllowed)


@each(OF_A_TASK)
@AS_ANYTHING
def test_a_missing_task(client: Client, owner: AbstractUser, route: Route, accept: str) -> None:
    client.force_login(owner)
    answers = [client.generic(method, identified(route), headers={"Accept": accept}) for method in METHODS]
    answer = next(answer for answer in answers if answer.status_code != MethodNotAllowed.http_status)
    has_the_shape(answer, route, accept, TaskNotFound)
