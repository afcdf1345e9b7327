"""Operations on transcripts: reading, correcting, taking away."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from ninja import Path, Query, Router, Status

from tasks_app.actions.access import logged_in_user, task_visible_to
from tasks_app.actions.again import cancel_again, do_again, latest_of
from tasks_app.actions.edit import name_speaker as name_speaker_action
from tasks_app.api.auth import Access
from tasks_app.api.changes import AskedChange
from tasks_app.api.files import transcript_as_file
from tasks_app.api.transcripts import change, compact
from tasks_app.api.v1.schemas import (
    AgainData,
    AskedAgain,
    ChangeMade,
    ChangesData,
    FileOptions,
    FormatName,
    History,
    Missing,
    Number,
    RevisionNumber,
    SpeakerName,
    Speakers,
    TranscriptPortion,
)
from tasks_app.api.v1.service import answers
from tasks_app.errors import NotFound
from tasks_app.exports import FORMATS, ExportOptions
from tasks_app.models import FollowUp, KeyScope
from tasks_app.transcripts.contents import MOST, changed_since, portion, speakers_of
from tasks_app.transcripts.history import entries

router = Router(tags=["Transcripts"])
READ, WRITE = Access(KeyScope.READ), Access(KeyScope.WRITE)
FILES = {
    "responses": {
        200: {
            "content": {
                file_format.media_type: {"schema": {"type": "string"} if "charset" in file_format.media_type else {}}
                for file_format in FORMATS.values()
            }
        }
    }
}


@router.get("tasks/{uuid:identifier}/transcript", auth=READ, response=answers(TranscriptPortion, 404, 409))
def read_transcript(
    request: HttpRequest,
    identifier: UUID,
    after: Number | Missing = Query(None, description="the `id` of a segment"),
    count: int = Query(MOST, ge=1, le=MOST, description="segments"),
    words: bool = Query(True, description="with words"),
) -> JsonResponse:
    """A portion of the segments, from the beginning or after one of them, and the speakers."""
    return compact(portion(task_visible_to(request.user, identifier), after, count, words=words))


@router.get(
    "tasks/{uuid:identifier}/transcript.{format_name}",
    auth=READ,
    response=answers(None, 404, 409),
    openapi_extra=FILES,
)
def download_transcript(
    request: HttpRequest,
    identifier: UUID,
    format_name: Path[FormatName],
    options: Query[FileOptions],  # type: ignore[valid-type]
) -> HttpResponseBase:
    """The transcript as a file, with people's corrections and the names of speakers. The README says which option each
    format heeds; it ignores the others.
    """
    task = task_visible_to(request.user, identifier)
    asked = ExportOptions(**options.model_dump())  # type: ignore[attr-defined]
    return transcript_as_file(request, task, FORMATS[format_name.value], asked)


@router.get("tasks/{uuid:identifier}/changes", auth=READ, response=answers(ChangesData, 404, 409))
def read_changes(
    request: HttpRequest, identifier: UUID, after: RevisionNumber = Query(0, description="a revision")
) -> JsonResponse:
    """What changed in the transcript since a revision."""
    return compact(changed_since(task_visible_to(request.user, identifier), after))


@router.post("tasks/{uuid:identifier}/changes", auth=WRITE, response=answers(ChangeMade, 404, 409))
def change_transcript(request: HttpRequest, identifier: UUID, asked: AskedChange) -> JsonResponse:
    """Change the transcript; the answer is what changed since `from_revision`. Every change gives the segments that it
    touches new identifiers. What somebody else changed since is refused with 409 and both versions (`yours`, `theirs`).
    """
    return compact(
        change(task_visible_to(request.user, identifier, "change_transcript"), logged_in_user(request), asked)
    )


@router.get("tasks/{uuid:identifier}/history", auth=READ, response=answers(History, 404))
def read_history(
    request: HttpRequest,
    identifier: UUID,
    before: RevisionNumber | Missing = Query(None, description="a revision"),
) -> JsonResponse:
    """The journal of changes, newest first, thirty at a time."""
    return JsonResponse({"entries": entries(task_visible_to(request.user, identifier), before)})


@router.get("tasks/{uuid:identifier}/speakers", auth=READ, response=answers(Speakers, 404, 409))
def list_speakers(request: HttpRequest, identifier: UUID) -> dict[str, Any]:
    """Who speaks."""
    return speakers_of(task_visible_to(request.user, identifier))


@router.put("tasks/{uuid:identifier}/speakers/{label}", auth=WRITE, response=answers(Speakers, 404, 409))
def name_speaker(request: HttpRequest, identifier: UUID, label: str, asked: SpeakerName) -> dict[str, Any]:
    """Name a speaker throughout the transcript."""
    task = task_visible_to(request.user, identifier, "change_transcript")
    name_speaker_action(task, logged_in_user(request), asked.from_revision, label, asked.name)
    return speakers_of(task)


@router.post("tasks/{uuid:identifier}/again", auth=WRITE, response=answers(AgainData, 404, 409, 410, 429, status=202))
def do_part_again(request: HttpRequest, identifier: UUID, asked: AskedAgain) -> Status:
    """Have all of a finished task or a part of it transcribed again, or its speakers told apart again. What people
    corrected stands; where something else was recognised there, the transcript has `alternatives`, between which they
    choose with a change of kind `choose`. One part at a time; the same asked for again meanwhile is that one.
    """
    task = task_visible_to(request.user, identifier, "change_transcript")
    kind = FollowUp.Kind(asked.kind)
    return Status(202, do_again(task, logged_in_user(request), kind, asked.options(), asked.start, asked.end))


@router.get("tasks/{uuid:identifier}/again", auth=READ, response=answers(AgainData, 404))
def read_part_again(request: HttpRequest, identifier: UUID) -> FollowUp:
    """How far the part is that is done again, or how it ended; 404 if there was none in the last days."""
    follow_up = latest_of(task_visible_to(request.user, identifier))
    if follow_up is None:
        raise NotFound
    return follow_up


@router.delete("tasks/{uuid:identifier}/again", auth=WRITE, response=answers(None, 404, status=204))
def cancel_part_again(request: HttpRequest, identifier: UUID) -> Status:
    """Cancel what is being done again; the transcript stays as it is. Doing it again changes nothing."""
    cancel_again(task_visible_to(request.user, identifier, "change_transcript"), logged_in_user(request))
    return Status(204, None)
