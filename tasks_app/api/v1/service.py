"""What all operations have in common: who may, how errors are answered, and the names in the document."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.operation import Operation

from tasks_app.api.errors import error_response
from tasks_app.api.v1.schemas import Error
from tasks_app.errors import InvalidRequest
from tasks_app.pipeline.errors import TranscriptionError

PREFIX = "api/v1/"


class Service(NinjaAPI):
    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__


service = Service(
    title="Transcribe",
    version="1",
    description="Send recordings, follow their progress, read and correct their transcripts, take them away.",
    openapi_url=None,  # the document has an address and a page of our own
    docs_url=None,
)


def answers(success: Any, *refusals: int, status: int = 200) -> dict[int, Any]:
    """The answers of an operation by status: when it succeeds, and those besides what every operation refuses."""
    return {status: success} | dict.fromkeys((400, 401, 403, 429, *refusals), Error)


@service.exception_handler(TranscriptionError)
def refused(request: HttpRequest, error: TranscriptionError) -> HttpResponse:
    return error_response(request, error)


@service.exception_handler(ValidationError)
def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Values that are not what the document says."""
    found = (f"{'.'.join(str(part) for part in one['loc'][1:])}: {one['msg']}" for one in error.errors)
    return error_response(request, InvalidRequest("; ".join(found)[:1000]))


@service.exception_handler(HttpError)
def unreadable(request: HttpRequest, error: HttpError) -> HttpResponse:
    """A body that is no JSON."""
    return error_response(request, InvalidRequest(str(error)))


@service.exception_handler(Exception)
def unforeseen(request: HttpRequest, error: Exception) -> HttpResponse:
    raise error  # Django logs it, and answers as everywhere
