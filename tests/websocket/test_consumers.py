"""The WebSocket contract, through a real daphne, with a real client."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AbstractUser
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.db.models import F
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from redis.exceptions import ConnectionError as RedisConnectionError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tasks_app.actions import attempts, edit
from tasks_app.actions.access import open_transcript
from tasks_app.actions.delete import delete
from tasks_app.actions.hand_over import hand_over
from tasks_app.actions.keys import make_key
from tasks_app.counters import COUNTED
from tasks_app.models import KeyScope, Task, TaskProgressStage
from tasks_app.pipeline.errors import NotAudio
from tasks_app.pipeline.transcript import Segment, Transcript
from tasks_app.progress import broadcast
from tasks_app.progress.broadcast import flush, task_group
from tasks_app.progress.emitter import ProgressEmitter
from tasks_app.websocket import consumers
from tests.conftest import make_task

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def watch(daphne: int):
    """Connect as somebody: `watch(user, path)`."""

    def watch(
        user: AbstractUser | None, path: str, origin: str | None = f"http://127.0.0.1:{daphne}"
    ) -> AbstractAsyncContextManager[ClientConnection]:
        headers = {}
        if user is not None:
            client = Client()
            client.force_login(user)
            headers["Cookie"] = f"sessionid={client.cookies['sessionid'].value}"
        return connect(
            f"ws://127.0.0.1:{daphne}{path}",
            additional_headers=headers,
            origin=origin,
            open_timeout=60,
        )

    return sync_to_async(watch)


async def receive(client: ClientConnection) -> dict:
    return json.loads(await asyncio.wait_for(client.recv(), 30))


@sync_to_async
def claim(task: Task) -> tuple[Task, ProgressEmitter]:
    claimed = attempts.claim(task.pk)
    return claimed, ProgressEmitter(claimed, lease=claimed.lease)


async def test_the_present_state_comes_first(watch, owner, task: Task) -> None:
    async with await watch(owner, f"/ws/tasks/{task.pk}") as client:
        frame = await receive(client)
    assert set(frame) == {
        "type",
        "task_id",
        "status",
        "stage",
        "percentage",
        "message",
        "sequence",
        "eta_seconds",
        "timestamp",
    }
    assert (frame["type"], frame["task_id"]) == ("progress", str(task.pk))
    assert (frame["status"], frame["stage"], frame["percentage"]) == ("queued", "queued", 0)


async def test_two_clients_see_the_same_frames(watch, owner, staff, task: Task) -> None:
    path = f"/ws/tasks/{task.pk}"
    await sync_to_async(open_transcript)(staff, task, "asked for help")
    async with await watch(owner, path) as first, await watch(staff, path) as second:
        await receive(first), await receive(second)
        _, emitter = await claim(task)
        emitter.emit_progress(TaskProgressStage.TRANSCRIBING, 10)
        emitter.emit_segments(0, [Segment(0.5, 2.0, "Hello.")])
        frame: dict = {}
        while frame.get("type") != "segment":  # claimed and transcribing come before, unless one replaced the other
            frame = await receive(second)
            assert frame == await receive(first)
        assert (frame["index"], frame["start"], frame["end"], frame["text"]) == (0, 0.5, 2.0, "Hello.")
        assert "speaker" not in frame


async def test_a_late_joiner_gets_the_segments_so_far_and_then_what_follows(watch, owner, task: Task) -> None:
    _, emitter = await claim(task)
    emitter.emit_progress(TaskProgressStage.TRANSCRIBING, 20)
    emitter.emit_segments(0, [Segment(0.5, 2.0, "Hello.")])
    emitter.emit_segments(1, [Segment(2.5, 3.0, "Oh, hello.")])
    await sync_to_async(flush)()
    async with await watch(owner, f"/ws/tasks/{task.pk}") as client:
        state, first, second = [await receive(client) for _ in range(3)]
        assert (state["stage"], state["percentage"]) == ("transcribing", 20)
        assert (first["text"], second["text"]) == ("Hello.", "Oh, hello.")
        emitter.emit_progress(TaskProgressStage.ALIGNING, 40)
        following = await receive(client)
    assert (following["stage"], following["percentage"]) == ("aligning", 40)
    numbers = [frame["sequence"] for frame in (state, first, second, following)]
    assert numbers == sorted(set(numbers))


async def test_a_failure_is_told_with_its_reason(watch, owner, task: Task) -> None:
    claimed, _ = await claim(task)
    async with await watch(owner, f"/ws/tasks/{task.pk}") as client:
        await receive(client)
        await sync_to_async(attempts.fail)(claimed, NotAudio("no stream"), lease=claimed.lease)
        error, state = await receive(client), await receive(client)
    assert set(error) == {"type", "task_id", "error_code", "user_message", "technical_detail", "timestamp"}
    assert (error["type"], error["error_code"], error["technical_detail"]) == ("error", "NOT_AUDIO", "no stream")
    assert state["status"] == "failed"


async def test_the_end_of_a_completed_task_is_100(watch, owner, task: Task) -> None:
    claimed, _ = await claim(task)
    async with await watch(owner, f"/ws/tasks/{task.pk}") as client:
        await receive(client)
        await sync_to_async(attempts.complete)(claimed, claimed.lease, Transcript("en", 5.0))
        frame = await receive(client)
    assert (frame["status"], frame["stage"], frame["percentage"]) == ("completed", "complete", 100)


async def test_a_change_of_the_transcript_is_told_to_who_has_it_open(watch, owner, task: Task) -> None:
    claimed, _ = await claim(task)
    recognised = Transcript("en", 5.0, [Segment(0.0, 1.0, "Hello.", speaker="SPEAKER_00")])
    await sync_to_async(attempts.complete)(claimed, claimed.lease, recognised)
    async with await watch(owner, f"/ws/tasks/{task.pk}") as client:
        state, before = await receive(client), await receive(client)
        await sync_to_async(edit.name_speaker)(claimed, owner, 1, "SPEAKER_00", "Anna")
        after = await receive(client)
    assert state["type"] == "progress"
    assert [before, after] == [{"type": "change", "task_id": str(task.pk), "revision": n} for n in (1, 2)]


async def test_a_change_that_was_not_told_is_made_good_by_the_heartbeat(owner, task: Task, monkeypatch) -> None:
    claimed, _ = await claim(task)
    recognised = Transcript("en", 5.0, [Segment(0.0, 1.0, "Hello.", speaker="SPEAKER_00")])
    await sync_to_async(attempts.complete)(claimed, claimed.lease, recognised)
    consumer = consumers.TaskConsumer()
    consumer.task_id, consumer.newest, consumer.after, consumer.in_batches = task.pk, {}, -1, False
    consumer.scope = {"query_string": b""}
    told = []

    async def send(text_data: str) -> None:
        told.append(json.loads(text_data))

    monkeypatch.setattr(consumer, "send", send)
    for frame in await sync_to_async(consumer.missed)(owner):
        await consumer.send_frame(frame)
    assert [frame["revision"] for frame in told if frame["type"] == "change"] == [1]
    assert await sync_to_async(consumer.missed)(owner) == []
    monkeypatch.setattr(broadcast.sender, "group_send", lambda *lost: None)
    await sync_to_async(edit.name_speaker)(claimed, owner, 1, "SPEAKER_00", "Anna")
    assert [frame["revision"] for frame in await sync_to_async(consumer.missed)(owner)] == [2]


async def test_a_ping_gets_a_pong_and_nonsense_is_ignored(watch, owner, task: Task) -> None:
    async with await watch(owner, f"/ws/tasks/{task.pk}") as client:
        await receive(client)
        for nonsense in ("", "{", "[]", '"ping"', b"\xff\x00", "[" * 900, "x" * 100_000, '{"type": "pong"}'):
            await client.send(nonsense)
        await client.send('{"type": "ping"}')
        assert await receive(client) == {"type": "pong"}


async def test_somebody_elses_task_and_a_missing_one_are_refused_alike(watch, stranger, task: Task) -> None:
    refusals = []
    for user, task_id in ((stranger, task.pk), (stranger, uuid4()), (None, task.pk)):
        with pytest.raises(InvalidStatus) as refusal:
            async with await watch(user, f"/ws/tasks/{task_id}"):
                pass
        response = refusal.value.response
        refusals.append((response.status_code, response.body))
    assert refusals == [refusals[0]] * 3
    assert refusals[0][0] == 403


async def test_a_page_of_another_site_is_refused(watch, owner, task: Task) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        async with await watch(owner, f"/ws/tasks/{task.pk}", origin="https://evil.example"):
            pass
    assert refusal.value.response.status_code == 403


async def test_a_program_names_no_origin(watch, owner, task: Task) -> None:
    async with await watch(owner, f"/ws/tasks/{task.pk}", origin=None) as client:
        assert (await receive(client))["type"] == "progress"


@pytest.mark.parametrize(("scope", "allowed"), [("read", True), ("admin", True), (None, False)])
async def test_a_program_connects_with_a_key(daphne: int, owner, task: Task, scope: str | None, allowed: bool) -> None:
    key = "tk_nonsense" if scope is None else (await sync_to_async(make_key)(owner, "a program", KeyScope(scope)))[1]
    url, headers = f"ws://127.0.0.1:{daphne}/ws/tasks/{task.pk}", {"Authorization": f"Bearer {key}"}
    if allowed:
        async with connect(url, additional_headers=headers) as client:
            assert (await receive(client))["type"] == "progress"
    else:
        with pytest.raises(InvalidStatus):
            await connect(url, additional_headers=headers)


async def test_the_list_shows_exactly_the_users_own_tasks(watch, owner, colleague, queue) -> None:
    mine = await sync_to_async(make_task)(owner, "mine.wav")
    other = await sync_to_async(make_task)(colleague, "other.wav")
    async with await watch(owner, "/ws/tasks/") as client:
        assert (await receive(client))["task_id"] == str(mine.pk)
        await claim(other)
        await claim(mine)
        frame = await receive(client)
    assert (frame["task_id"], frame["status"]) == (str(mine.pk), "processing")


async def test_an_anonymous_user_gets_no_list(watch, owner) -> None:
    with pytest.raises(InvalidStatus):
        async with await watch(None, "/ws/tasks/"):
            pass


@pytest.mark.parametrize("path", ["/ws/tasks/no-uuid", "/ws/tasks/%ff%00", "/ws", "/nowhere"])
async def test_any_other_address_is_refused(watch, owner, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with await watch(owner, path):
            pass
    assert refused.value.response.status_code == 403


async def test_the_socket_of_a_deleted_task_is_closed(watch, owner, task: Task) -> None:
    async with await watch(owner, f"/ws/tasks/{task.pk}") as client:
        await receive(client)
        await sync_to_async(delete)(task, None)
        with pytest.raises(ConnectionClosed) as closed:
            await receive(client)
    assert closed.value.rcvd.code == consumers.GONE


async def test_a_client_that_floods_is_disconnected(watch, owner, task: Task) -> None:
    async with await watch(owner, f"/ws/tasks/{task.pk}") as client:
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                await client.send('{"type": "ping"}')
                with suppress(TimeoutError):
                    await asyncio.wait_for(client.recv(), 0.001)
    assert closed.value.rcvd.code == consumers.FLOOD


# Heartbeats -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def beating(monkeypatch: pytest.MonkeyPatch):
    """Connect as somebody to a consumer with a short heartbeat interval: `beating(consumer, user, **arguments)`."""
    assert consumers.HEARTBEAT_SECONDS == 30
    monkeypatch.setattr(consumers, "HEARTBEAT_SECONDS", 0.05)

    @asynccontextmanager
    async def connected(
        consumer: type, user: AbstractUser, query: str = "", **arguments: object
    ) -> AsyncIterator[WebsocketCommunicator]:
        client = Client()
        await sync_to_async(client.force_login)(user)
        communicator = WebsocketCommunicator(consumer.as_asgi(), f"/?{query}")
        cookie = f"sessionid={client.session.session_key}".encode()
        communicator.scope |= {"headers": [(b"cookie", cookie)], "url_route": {"kwargs": arguments}}
        communicator.scope["query_string"] = query.encode()
        assert (await communicator.connect(timeout=5))[0]
        yield communicator
        await communicator.disconnect()

    return connected


async def frame_of(communicator: WebsocketCommunicator, kind: str) -> dict:
    """The next frame of a kind."""
    while (frame := await communicator.receive_json_from(timeout=10))["type"] != kind:
        pass
    return frame


async def closing_code(communicator: WebsocketCommunicator) -> int:
    while (message := await communicator.receive_output(timeout=10))["type"] != "websocket.close":
        pass
    return message["code"]


@sync_to_async
def unheard(task: Task, **changes: object) -> None:
    """The row changes, and its frame is lost with the broker."""
    Task.objects.filter(pk=task.pk).update(sequence=F("sequence") + 1, **changes)


async def test_a_heartbeat_comes_regularly(beating, owner, task: Task) -> None:
    async with beating(consumers.TaskConsumer, owner, task_id=task.pk) as client:
        beat = await frame_of(client, "heartbeat")
    assert set(beat) == {"type", "timestamp"}


async def test_what_was_missed_comes_with_the_next_heartbeat(beating, owner, claimed: Task) -> None:
    async with beating(consumers.TaskConsumer, owner, task_id=claimed.pk) as client:
        await frame_of(client, "heartbeat")
        await unheard(claimed, status="completed", progress_percentage=100)
        frame = await frame_of(client, "progress")
    assert (frame["status"], frame["percentage"]) == ("completed", 100)


async def test_a_heartbeat_at_which_the_database_was_away_is_made_up_for_before_the_next(
    beating, owner, claimed: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    missed, away = consumers.TaskConsumer.missed, [True]

    def missed_unless_away(self: consumers.TaskConsumer, user: AbstractUser) -> list[dict]:
        if away:
            raise OperationalError("no database")
        return missed(self, user)

    monkeypatch.setattr(consumers.TaskConsumer, "missed", missed_unless_away)
    monkeypatch.setattr(consumers, "HEARTBEAT_SECONDS", 600)
    monkeypatch.setattr(consumers, "LOOK_AGAIN_SECONDS", (0.01, 0.01))
    monkeypatch.setattr(consumers.random, "uniform", lambda low, high: low)  # the first heartbeat comes at once
    async with beating(consumers.TaskConsumer, owner, task_id=claimed.pk) as client:
        assert (await frame_of(client, "progress"))["status"] == "processing"
        await unheard(claimed, status="completed", progress_percentage=100)
        away.clear()
        assert (await frame_of(client, "progress"))["status"] == "completed"


async def test_no_heartbeat_outlives_its_socket(beating, owner, claimed: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    async def crash(self: consumers.TaskConsumer, message: dict) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(consumers.TaskConsumer, "task_frame", crash)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        async with beating(consumers.TaskConsumer, owner, task_id=claimed.pk) as client:
            await frame_of(client, "heartbeat")
            await get_channel_layer().group_send(task_group(claimed.pk), {"type": "task.frame"})
            await client.wait(timeout=10)
    await asyncio.sleep(0)  # it was cancelled, and ends with the loop's next round
    assert not [task for task in asyncio.all_tasks() if "_FrameConsumer.beat" in repr(task.get_coro())]


@pytest.mark.parametrize("error", [RedisConnectionError, TimeoutError])
async def test_a_socket_opens_while_the_broker_is_away_and_hears_of_everything_by_heartbeats(
    beating, owner, claimed: Task, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    async def away(*args: object) -> None:
        raise error

    with monkeypatch.context() as broker:
        broker.setattr(get_channel_layer(), "group_add", away)
        async with beating(consumers.TaskConsumer, owner, task_id=claimed.pk) as client:
            await frame_of(client, "heartbeat")
            await unheard(claimed, progress_percentage=20)
            assert (await frame_of(client, "progress"))["percentage"] == 20


async def test_a_socket_that_opened_while_the_broker_was_away_subscribes_when_it_is_back(
    beating, owner, claimed: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer, refused = get_channel_layer(), []
    group_add = layer.group_add

    async def away_at_first(*args: str) -> None:
        if not refused:
            refused.append(args)
            raise RedisConnectionError
        await group_add(*args)
        subscribed.set()

    subscribed = asyncio.Event()
    monkeypatch.setattr(layer, "group_add", away_at_first)
    emitter = ProgressEmitter(claimed, lease=claimed.lease)
    async with beating(consumers.TaskConsumer, owner, task_id=claimed.pk) as client:
        await asyncio.wait_for(subscribed.wait(), 10)
        monkeypatch.setattr(consumers.TaskConsumer, "missed", lambda *nobody: [])  # the group alone shall tell
        emitter.emit_progress(TaskProgressStage.TRANSCRIBING, 20)
        while (await frame_of(client, "progress"))["percentage"] != 20:
            pass


async def test_nothing_is_sent_again_if_nothing_was_missed(beating, owner, claimed: Task) -> None:
    async with beating(consumers.TaskConsumer, owner, task_id=claimed.pk) as client:
        await frame_of(client, "progress")
        assert [(await client.receive_json_from(timeout=10))["type"] for _ in range(3)] == ["heartbeat"] * 3


async def test_lost_text_comes_with_the_next_frame(
    beating, owner, claimed: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    emitter = ProgressEmitter(claimed, lease=claimed.lease)
    monkeypatch.setattr(consumers, "HEARTBEAT_SECONDS", 1_000_000)  # no heartbeat shall make up for it
    async with beating(consumers.TaskConsumer, owner, task_id=claimed.pk) as client:
        await frame_of(client, "progress")
        with monkeypatch.context() as lossy:
            lossy.setattr(broadcast.sender, "group_send", lambda *lost: None)
            emitter.emit_segments(0, [Segment(0.5, 2.0, "Hello."), Segment(2.5, 3.0, "Oh, hello.")])
            await sync_to_async(flush)()
        emitter.emit_progress(TaskProgressStage.TRANSCRIBING, 20)
        texts = [(await frame_of(client, "segment"))["text"] for _ in range(2)]
    assert texts == ["Hello.", "Oh, hello."]


async def test_text_that_came_in_batches_is_not_sent_again(beating, owner, claimed: Task) -> None:
    ProgressEmitter(claimed, lease=claimed.lease).emit_segments(0, [Segment(0.5, 2.0, "Hello.")])
    await sync_to_async(flush)()
    async with beating(consumers.TaskConsumer, owner, "batch=1", task_id=claimed.pk) as client:
        await frame_of(client, "segments")
        assert [(await client.receive_json_from(timeout=10))["type"] for _ in range(3)] == ["heartbeat"] * 3


async def test_a_client_that_comes_back_is_sent_only_what_it_lacks(beating, owner, claimed: Task) -> None:
    await sync_to_async(claimed.refresh_from_db)()
    query = f"after={claimed.sequence}"
    async with beating(consumers.TaskConsumer, owner, query, task_id=claimed.pk) as client:
        assert (await client.receive_json_from(timeout=10))["type"] == "heartbeat"


@pytest.mark.parametrize("query", ["after=", "after=-1", "after=x", "after=%FF", "after=" + "9" * 40, "after=\u0663"])
async def test_nonsense_instead_of_a_number_asks_for_everything(beating, owner, task: Task, query: str) -> None:
    async with beating(consumers.TaskConsumer, owner, query, task_id=task.pk) as client:
        assert (await client.receive_json_from(timeout=10))["type"] == "progress"


async def test_a_missed_deletion_closes_the_socket(beating, owner, task: Task) -> None:
    async with beating(consumers.TaskConsumer, owner, task_id=task.pk) as client:
        await sync_to_async(Task.objects.filter(pk=task.pk).delete)()
        assert await closing_code(client) == consumers.GONE


async def test_logging_out_closes_the_socket(beating, owner, task: Task) -> None:
    for consumer in (consumers.TaskConsumer, consumers.OwnTasksConsumer):
        async with beating(consumer, owner, task_id=task.pk) as client:
            await sync_to_async(Session.objects.all().delete)()
            assert await closing_code(client) == consumers.NOT_ALLOWED


@pytest.mark.parametrize("change", [{"is_active": False}, {"password": "another"}, {"is_staff": False}])
async def test_losing_access_to_a_task_closes_the_socket(beating, staff, task: Task, change: dict) -> None:
    await sync_to_async(open_transcript)(staff, task, "asked for help")
    async with beating(consumers.TaskConsumer, staff, task_id=task.pk) as client:
        await frame_of(client, "heartbeat")
        await sync_to_async(type(staff).objects.filter(pk=staff.pk).update)(**change)
        assert await closing_code(client) == consumers.NOT_ALLOWED


async def test_a_task_that_is_handed_over_leaves_the_old_owners_sockets(
    beating, owner, colleague, staff, task: Task
) -> None:
    async with (
        beating(consumers.OwnTasksConsumer, owner) as listing,
        beating(consumers.OwnTasksConsumer, colleague) as others,
        beating(consumers.TaskConsumer, owner, task_id=task.pk) as client,
    ):
        await frame_of(listing, "progress")
        await sync_to_async(hand_over)(task, colleague, staff, "left")
        assert (await frame_of(listing, "gone"))["task_id"] == str(task.pk)
        assert (await frame_of(others, "progress"))["task_id"] == str(task.pk)
        assert await closing_code(client) == consumers.NOT_ALLOWED


async def test_open_sockets_and_what_they_are_sent_are_counted(beating, owner, task: Task) -> None:
    def told(name: str) -> float:
        return COUNTED.get_sample_value(f"transcribe_{name}")

    open_before, sent_before = told("open_sockets"), told("frames_sent_total")
    async with beating(consumers.TaskConsumer, owner, task_id=task.pk) as client:
        await frame_of(client, "heartbeat")
        assert told("open_sockets") == open_before + 1
        assert told("frames_sent_total") >= sent_before + 2
    assert told("open_sockets") == open_before


async def test_a_list_catches_up_on_missed_starts_endings_and_deletions(
    beating, owner, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with beating(consumers.OwnTasksConsumer, owner) as client:
        assert (await frame_of(client, "progress"))["task_id"] == str(task.pk)
        monkeypatch.setattr(broadcast.sender, "group_send", lambda *lost: None)
        other = await sync_to_async(make_task)(owner)
        assert (await frame_of(client, "progress"))["task_id"] == str(other.pk)
        await unheard(other, status="failed", finished_at=timezone.now())
        assert (await frame_of(client, "progress"))["status"] == "failed"
        await sync_to_async(delete)(Task(pk=task.pk, owner=owner), None)
        assert (await frame_of(client, "gone"))["task_id"] == str(task.pk)


async def test_a_list_is_told_of_a_deletion(watch, owner, task: Task) -> None:
    async with await watch(owner, "/ws/tasks/") as client:
        await receive(client)
        await sync_to_async(delete)(Task(pk=task.pk, owner=owner), None)
        assert await receive(client) == {"type": "gone", "task_id": str(task.pk)}


async def test_a_list_is_sent_no_text(watch, owner, claimed: Task) -> None:
    emitter = ProgressEmitter(claimed, lease=claimed.lease)
    async with await watch(owner, "/ws/tasks/") as client:
        await receive(client)
        emitter.emit_segments(0, [Segment(0.5, 2.0, "Hello.")])
        emitter.emit_progress(TaskProgressStage.TRANSCRIBING, 20)
        assert (await receive(client))["type"] == "progress"


# Limits ---------------------------------------------------------------------------------------------------------------


def test_the_path_without_websocket_is_not_found(daphne: int) -> None:
    with pytest.raises(urllib.error.HTTPError) as answer:
        urllib.request.urlopen(f"http://127.0.0.1:{daphne}/ws/tasks/")
    assert answer.value.code == 404


async def test_more_sockets_than_one_user_may_hold_are_refused_until_one_is_closed(
    watch, owner, colleague, task: Task, settings: Settings
) -> None:
    async with AsyncExitStack() as sockets:
        held = [
            await sockets.enter_async_context(await watch(owner, "/ws/tasks/"))
            for _ in range(settings.MAX_SOCKETS_PER_USER)
        ]
        with pytest.raises(InvalidStatus) as refusal:
            await sockets.enter_async_context(await watch(owner, f"/ws/tasks/{task.pk}"))
        assert refusal.value.response.status_code == 403
        await sockets.enter_async_context(await watch(colleague, "/ws/tasks/"))

        await held[0].close()
        async with asyncio.timeout(10):
            while True:
                with suppress(InvalidStatus):  # until the server has seen that it was closed
                    await sockets.enter_async_context(await watch(owner, "/ws/tasks/"))
                    break


async def test_a_socket_that_could_not_be_opened_does_not_count(monkeypatch, owner, task: Task) -> None:
    def no_state(*args: object) -> None:
        raise OperationalError("no database")

    monkeypatch.setattr(consumers.TaskConsumer, "state", no_state)
    communicator = WebsocketCommunicator(consumers.TaskConsumer.as_asgi(), f"/ws/tasks/{task.pk}")
    client = Client()
    await sync_to_async(client.force_login)(owner)
    headers = [(b"cookie", f"sessionid={client.session.session_key}".encode())]
    communicator.scope |= {"headers": headers, "url_route": {"kwargs": {"task_id": task.pk}}}
    await communicator.send_input({"type": "websocket.connect"})
    with pytest.raises(OperationalError):
        await communicator.wait(timeout=5)
    assert consumers._open_sockets[owner.pk] == 0


# Staff ----------------------------------------------------------------------------------------------------------------


async def test_staff_are_told_that_something_has_changed_and_no_more_than_that(watch, staff, task: Task) -> None:
    async with await watch(staff, "/ws/staff/") as client:
        await claim(task)
        frame = await receive(client)
    assert set(frame) == {"type", "timestamp"}
    assert frame["type"] == "changed"


async def test_many_changes_are_one_hint_a_second(watch, staff, owner, task: Task) -> None:
    async with await watch(staff, "/ws/staff/") as client:
        for _ in range(20):
            await sync_to_async(make_task)(owner)
        await sync_to_async(flush)()
        began = asyncio.get_running_loop().time()
        hints = [await receive(client)]
        with suppress(TimeoutError):
            while True:
                hints.append(json.loads(await asyncio.wait_for(client.recv(), 2)))
        took = asyncio.get_running_loop().time() - began
    assert 1 <= len([frame for frame in hints if frame["type"] == "changed"]) <= took + 3


async def test_the_socket_of_staff_is_for_staff(watch, owner) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with await watch(owner, "/ws/staff/"):
            pass
    assert refused.value.response.status_code == 403


async def test_the_socket_of_staff_closes_when_the_right_is_lost(beating, staff) -> None:
    async with beating(consumers.StaffConsumer, staff) as client:
        staff.is_staff = False
        await sync_to_async(staff.save)()
        assert await closing_code(client) == consumers.NOT_ALLOWED
