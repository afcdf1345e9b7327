"""The JSON Schema of frames says what sockets are really sent."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from jsonschema_rs import Draft202012Validator
from websockets.asyncio.client import ClientConnection, connect

from tasks_app.actions import attempts, edit
from tasks_app.actions.delete import delete
from tasks_app.actions.follow_ups import ask
from tasks_app.actions.keys import make_key
from tasks_app.api.v1.urls import frames
from tasks_app.models import FollowUp, KeyScope, Task
from tasks_app.pipeline.errors import NotAudio
from tasks_app.pipeline.transcript import Segment, Transcript
from tasks_app.progress.broadcast import flush
from tasks_app.progress.emitter import ProgressEmitter
from tasks_app.progress.snapshot import snapshot
from tasks_app.websocket import consumers
from tests.conftest import REPOSITORY, make_task

pytestmark = pytest.mark.django_db(transaction=True)
SAID = Transcript("en", 5.0, [Segment(0.0, 1.0, "Hello.", speaker="SPEAKER_00")])


def by_type() -> dict[str, dict[str, Any]]:
    found = {}
    for schema in frames()["$defs"].values():
        found[schema["properties"]["type"]["const"]] = schema
    return found


def check(frame: dict[str, Any]) -> None:
    Draft202012Validator(frames(), validate_formats=True).validate(frame)
    schema = by_type()[frame["type"]]
    assert set(schema["required"]) <= frame.keys() <= schema["properties"].keys()


def test_it_is_served_to_anybody(client: Client, db: None) -> None:
    assert client.get("/api/v1/frames.json").json() == frames()


def test_it_has_all_types_of_the_readme_and_no_other() -> None:
    table = (REPOSITORY / "README.md").read_text().partition("| type | fields |")[2].partition("\n\n")[0]
    assert {row.split("`")[1] for row in table.splitlines() if row.startswith("| `")} == by_type().keys()


async def test_real_frames_of_every_type_are_as_it_says(daphne: int, owner, task: Task) -> None:
    _, text = await sync_to_async(make_key)(owner, "a program", KeyScope.READ)
    other = await sync_to_async(make_task)(owner, "other.wav")
    seen: set[str] = set()

    def listening(path: object) -> connect:
        address = f"ws://127.0.0.1:{daphne}/ws/tasks/{path}"
        return connect(address, additional_headers={"Authorization": f"Bearer {text}"})

    async def until(socket: ClientConnection, kind: str) -> None:
        while True:
            frame = json.loads(await asyncio.wait_for(socket.recv(), 30))
            check(frame)
            seen.add(frame["type"])
            if frame["type"] == kind:
                return

    async with listening(task.pk) as one, listening(other.pk) as failing, listening("") as all_of_them:
        await one.send('{"type": "ping"}')
        await until(one, "pong")
        claimed = await sync_to_async(attempts.claim)(task.pk)
        await sync_to_async(ProgressEmitter(claimed, lease=claimed.lease).emit_segments)(0, SAID.segments)
        await until(one, "segment")
        await sync_to_async(attempts.complete)(claimed, claimed.lease, SAID)
        await sync_to_async(edit.name_speaker)(claimed, owner, 1, "SPEAKER_00", "Anna")
        await until(one, "change")
        await sync_to_async(ask)(claimed, FollowUp.Kind.LISTENING_COPY)
        await until(one, "follow_up")
        failed = await sync_to_async(attempts.claim)(other.pk)
        await sync_to_async(attempts.fail)(failed, NotAudio("no sound"), lease=failed.lease)
        await until(failing, "error")
        await sync_to_async(delete)(failed, owner)
        await until(all_of_them, "gone")
    assert seen | {"segments", "heartbeat"} == by_type().keys()


def test_frames_that_come_later_or_are_asked_for_are_as_it_says(claimed: Task) -> None:
    ProgressEmitter(claimed, lease=claimed.lease).emit_segments(0, [Segment(0.0, 1.0, "Hello.")])
    flush()
    found = snapshot(claimed.pk, in_batches=True)
    assert "segments" in {frame["type"] for frame in found}
    for frame in [*found, consumers.heartbeat_frame()]:
        check(frame)
