"""Operations on tasks: sending recordings, lists, progress."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from ninja import File, Form, Header, Query, Router, Status
from ninja.files import UploadedFile

from tasks_app.actions.access import logged_in_user, task_visible_to
from tasks_app.actions.cancel import cancel
from tasks_app.actions.delete import delete
from tasks_app.actions.lists import MOST, own_tasks
from tasks_app.actions.retry import retry
from tasks_app.actions.submissions import submit
from tasks_app.actions.webhooks import secret_of, webhook_of_a_task
from tasks_app.api.auth import Access
from tasks_app.api.changes import HIGHEST_ID
from tasks_app.api.following import MOST_WAITING_SECONDS, check_streams, events, missed, next_state
from tasks_app.api.known_speakers import references_of
from tasks_app.api.v1.schemas import AskedOptions, Missing, Moment, Number, Portion, State, SubmittedTask, TaskData
from tasks_app.api.v1.service import answers
from tasks_app.current_settings import current
from tasks_app.models import KeyScope, Task, TaskStatus

router = Router(tags=["Tasks"])
READ, WRITE = Access(KeyScope.READ), Access(KeyScope.WRITE)
AN_EVENT = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "the `sequence` of the frame"},
        "event": {"type": "string", "description": "the `type` of the frame"},
        "data": {"type": "string", "description": "the frame, as JSON"},
    },
}
EVENT_STREAM = {"responses": {200: {"content": {"text/event-stream": {"schema": AN_EVENT}}}}}


@router.get("tasks", auth=READ, response=answers(Portion))
def list_tasks(
    request: HttpRequest,
    status: TaskStatus | Missing = None,
    created_from: Moment | Missing = None,
    created_before: Moment | Missing = None,
    limit: int = Query(20, ge=1, le=MOST),
    cursor: str = Query("", max_length=200),
) -> dict[str, Any]:
    """Your own tasks, newest first. `next` of the answer is the `cursor` of the next portion."""
    tasks, following = own_tasks(
        logged_in_user(request), limit, cursor=cursor, status=status, since=created_from, until=created_before
    )
    return {"tasks": tasks, "next": following}


@router.post(
    "tasks",
    auth=WRITE,
    response=answers(SubmittedTask, 409, 413, 415, 422, 503, 507, status=201) | {200: SubmittedTask},
)
def submit_task(
    request: HttpRequest,
    response: HttpResponse,
    asked: Form[AskedOptions],
    file: UploadedFile = File(..., description="the recording"),
    idempotency_key: str = Header("", alias="Idempotency-Key", max_length=255, pattern="^[ -~]*$"),
) -> Status:
    """Send a recording. The answer has status 201, or 200 if it is a task that there is already: what you sent with
    this `Idempotency-Key` within a day, or the same recording with the same options, whose task has not ended.
    """
    options = asked.options(current("DEFAULT_MODEL"))
    voices = references_of(asked.known_speaker_names, asked.known_speaker_references)
    user = logged_in_user(request)
    webhook = webhook_of_a_task(user, asked.webhook_url, asked.webhook_secret) if asked.webhook_url else None
    task, is_new = submit(user, file, options, idempotency_key, voices, webhook)
    task.refresh_from_db()
    response["Location"] = f"/api/v1/tasks/{task.pk}"
    vars(task)["webhook_secret"] = secret_of(webhook) if webhook is not None and is_new else None
    return Status(201 if is_new else 200, task)


@router.get("tasks/{uuid:identifier}", auth=READ, response=answers(TaskData, 404))
def read_task(request: HttpRequest, identifier: UUID) -> Task:
    """One task."""
    return task_visible_to(request.user, identifier, "view_task")


@router.delete("tasks/{uuid:identifier}", auth=WRITE, response=answers(None, 404, status=204))
def delete_task(request: HttpRequest, identifier: UUID) -> Status:
    """Delete a task with its recording and transcript. If it runs, it stops."""
    delete(task_visible_to(request.user, identifier, "delete_task"), logged_in_user(request))
    return Status(204, None)


@router.post("tasks/{uuid:identifier}/cancel", auth=WRITE, response=answers(TaskData, 404, 409))
def cancel_task(request: HttpRequest, identifier: UUID) -> Task:
    """Cancel a task that waits or runs. Doing it again changes nothing."""
    task = task_visible_to(request.user, identifier, "cancel_task")
    cancel(task, logged_in_user(request))
    task.refresh_from_db()
    return task


@router.post("tasks/{uuid:identifier}/retry", auth=WRITE, response=answers(TaskData, 404, 409, 410))
def retry_task(request: HttpRequest, identifier: UUID) -> Task:
    """Queue a task again that failed, was cancelled, or is incomplete; it goes on after the last part that finished."""
    task = task_visible_to(request.user, identifier, "retry_task")
    retry(task, logged_in_user(request))
    task.refresh_from_db()
    return task


@router.get("tasks/{uuid:identifier}/progress", auth=READ, response=answers(State, 404))
def read_progress(
    request: HttpRequest,
    identifier: UUID,
    wait: int = Query(0, ge=0, le=MOST_WAITING_SECONDS, description="seconds that the answer may wait for news"),
    after: Number | Missing = Query(None, description="the `sequence` that you have"),
) -> HttpResponseBase | Task:
    """Where a task stands. With `wait`, the answer comes when there is something newer than `after`, when the task has
    ended, or after that time.
    """
    task = task_visible_to(request.user, identifier, "view_task")
    if not wait or task.has_ended or (after is not None and after != task.sequence):
        return task
    close_old_connections()  # while the answer waits, it needs none
    content = next_state(task, wait, lambda task: State.from_orm(task).model_dump_json().encode())
    return StreamingHttpResponse(content, content_type="application/json", headers={"X-Accel-Buffering": "no"})


@router.get(
    "tasks/{uuid:identifier}/events",
    auth=READ,
    response=answers(None, 404) | {204: None},
    openapi_extra=EVENT_STREAM,
)
def follow_events(
    request: HttpRequest,
    identifier: UUID,
    last_event_id: int = Header(-1, alias="Last-Event-ID", ge=-1, le=HIGHEST_ID),
) -> HttpResponseBase:
    """The frames of the WebSocket as server-sent events: the present state, then what follows until the task has ended.
    A client that comes back with `Last-Event-ID` gets what it lacks; if that is nothing, and never will be, the answer
    has status 204, after which browsers do not come back.
    """
    task = task_visible_to(request.user, identifier)
    if missed(task, last_event_id) == (True, []):
        return HttpResponse(status=204)
    user = logged_in_user(request)
    check_streams(user.pk)
    close_old_connections()
    return StreamingHttpResponse(
        events(task, last_event_id, user.pk), content_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )
