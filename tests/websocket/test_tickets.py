"""Sockets that pages of another origin open with a ticket, through a real daphne, with a real client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AbstractUser
from django.test import Client
from redis import Redis
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from tasks_app.actions import keys
from tasks_app.actions.tickets import SECONDS, make_ticket
from tasks_app.models import ApiKey, KeyScope, Task
from tasks_app.websocket import consumers
from tests.conftest import make_task

pytestmark = pytest.mark.django_db(transaction=True)
ELSEWHERE = "https://app.example.org"


@pytest.fixture
def key(owner: AbstractUser) -> ApiKey:
    return keys.make_key(owner, "a page elsewhere", KeyScope.READ)[0]


@pytest.fixture
def open_socket(daphne: int):
    def open_socket(path: str, ticket: str | None, **headers: str) -> connect:
        query = "" if ticket is None else f"?ticket={ticket}"
        address = f"ws://127.0.0.1:{daphne}{path}{query}"
        return connect(address, origin=ELSEWHERE, additional_headers=headers, open_timeout=60)

    return open_socket


async def first_frame(client: ClientConnection) -> dict:
    return json.loads(await asyncio.wait_for(client.recv(), 30))


async def refusal(socket: connect) -> tuple[int, bytes]:
    with pytest.raises(InvalidStatus) as refused:
        await socket
    return refused.value.response.status_code, refused.value.response.body


async def test_a_page_of_another_origin_gets_in_with_a_ticket_that_its_program_asked_for(
    open_socket, owner, task: Task
) -> None:
    _, text = await sync_to_async(keys.make_key)(owner, "a program", KeyScope.READ)
    program = Client(headers={"Authorization": f"Bearer {text}"})
    answer = await sync_to_async(program.post)(
        "/api/v1/tickets", {"task": str(task.pk)}, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["expires_in"]) == (201, SECONDS)
    async with open_socket(f"/ws/tasks/{task.pk}", answer.json()["ticket"]) as client:
        assert (await first_frame(client))["task_id"] == str(task.pk)


@pytest.mark.parametrize("path", ["/ws/tasks/{task}", "/ws/tasks/"])
async def test_a_ticket_of_no_task_is_for_all_of_ones_own(open_socket, key, task: Task, path: str) -> None:
    ticket = await sync_to_async(make_ticket)(key)
    async with open_socket(path.format(task=task.pk), ticket) as client:
        assert (await first_frame(client))["task_id"] == str(task.pk)


async def test_a_ticket_is_used_once_however_many_come_with_it_at_once(open_socket, key, task: Task) -> None:
    ticket = await sync_to_async(make_ticket)(key, task.pk)
    sockets = [open_socket(f"/ws/tasks/{task.pk}", ticket) for _ in range(8)]
    opened = await asyncio.gather(*sockets, return_exceptions=True)
    accepted = [one for one in opened if isinstance(one, ClientConnection)]
    for one in accepted:
        await one.close()
    assert len(accepted) == 1


def expired(ticket: str, key: ApiKey, queue: Redis) -> str:
    [name] = queue.keys("ticket:*")
    assert 0 < queue.ttl(name) <= SECONDS
    queue.expire(name, 0)
    return ticket


def revoked(ticket: str, key: ApiKey, queue: Redis) -> str:
    assert keys.revoke_key(key.owner, key.pk)
    return ticket


def of_a_closed_account(ticket: str, key: ApiKey, queue: Redis) -> str:
    type(key.owner).objects.filter(pk=key.owner_id).update(is_active=False)
    return ticket


def of_a_stranger(ticket: str, key: ApiKey, queue: Redis) -> str:
    stranger = type(key.owner).objects.create_user("charlie")
    return make_ticket(keys.make_key(stranger, "theirs", KeyScope.ADMIN)[0])


def invented(ticket: str, key: ApiKey, queue: Redis) -> str:
    return "%FF"


def empty(ticket: str, key: ApiKey, queue: Redis) -> str:
    return ""


@pytest.mark.parametrize("spoil", [expired, revoked, of_a_closed_account, of_a_stranger, invented, empty])
async def test_a_ticket_that_is_not_good_is_refused_as_a_stranger_is(
    open_socket, key, queue: Redis, task: Task, spoil: Callable[[str, ApiKey, Redis], str]
) -> None:
    path = f"/ws/tasks/{task.pk}"
    ticket = await sync_to_async(spoil)(await sync_to_async(make_ticket)(key, task.pk), key, queue)
    assert await refusal(open_socket(path, ticket)) == await refusal(open_socket(path, None)) == (403, b"")


@pytest.mark.parametrize("only", ["its own", "another", "none of theirs"])
async def test_a_ticket_of_one_task_is_for_that_alone(open_socket, owner, key, task: Task, only: str) -> None:
    another = await sync_to_async(make_task)(owner, "another.wav")
    of: UUID = {"its own": task.pk, "another": another.pk, "none of theirs": uuid4()}[only]
    for path in (f"/ws/tasks/{task.pk}", "/ws/tasks/"):
        socket = open_socket(path, await sync_to_async(make_ticket)(key, of))
        if only == "its own" and path.endswith(str(task.pk)):
            async with socket as client:
                assert (await first_frame(client))["task_id"] == str(task.pk)
        else:
            assert (await refusal(socket))[0] == 403


async def test_with_a_ticket_neither_cookie_nor_key_counts(open_socket, owner, task: Task) -> None:
    browser = Client()
    await sync_to_async(browser.force_login)(owner)
    cookie = f"sessionid={browser.cookies['sessionid'].value}"
    _, text = await sync_to_async(keys.make_key)(owner, "a program", KeyScope.READ)
    for headers in ({"Cookie": cookie}, {"Authorization": f"Bearer {text}"}):
        assert (await refusal(open_socket(f"/ws/tasks/{task.pk}", "invented", **headers)))[0] == 403


async def test_a_socket_is_closed_when_the_key_of_its_ticket_is_revoked(
    key, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "HEARTBEAT_SECONDS", 0.05)
    ticket = await sync_to_async(make_ticket)(key, task.pk)
    socket = WebsocketCommunicator(consumers.TaskConsumer.as_asgi(), f"/?ticket={ticket}")
    socket.scope["url_route"] = {"kwargs": {"task_id": task.pk}}
    assert (await socket.connect(timeout=5))[0]
    while (await socket.receive_json_from(timeout=10))["type"] != "heartbeat":
        pass
    await sync_to_async(keys.revoke_key)(key.owner, key.pk)
    while (message := await socket.receive_output(timeout=10))["type"] != "websocket.close":
        pass
    assert message["code"] == consumers.NOT_ALLOWED


def test_a_ticket_is_kept_as_a_hash(queue: Redis, key: ApiKey) -> None:
    ticket = make_ticket(key)
    [name] = queue.keys("ticket:*")
    assert ticket not in name.decode() + queue.get(name).decode()


def test_of_somebody_elses_task_there_is_no_ticket(stranger: AbstractUser, task: Task) -> None:
    _, text = keys.make_key(stranger, "theirs", KeyScope.WRITE)
    program = Client(headers={"Authorization": f"Bearer {text}"})
    answers = [
        program.post("/api/v1/tickets", {"task": str(of)}, content_type="application/json") for of in (task.pk, uuid4())
    ]
    assert [(answer.status_code, answer.json()["error"]["code"]) for answer in answers] == [(404, "TASK_NOT_FOUND")] * 2
