"""One shape for every error of the API: `{"error": {"code", "message", "detail"?}}`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, JsonResponse

from tasks_app.errors import StorageFull, TaskNotFound, TooManyTasks
from tasks_app.pipeline.errors import TranscriptionError

View = Callable[..., HttpResponse]

HTTP_STATUS: dict[type[TranscriptionError], int] = {TaskNotFound: 404, TooManyTasks: 429, StorageFull: 507}


def error_response(code: str, message: str, status: int, detail: str = "") -> JsonResponse:
    error = {"code": code, "message": message}
    if detail:
        error["detail"] = detail
    return JsonResponse({"error": error}, status=status)


def json_errors(view: View) -> View:
    """Answer what the view raises as JSON, and strangers with 401 instead of a login page."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not request.user.is_authenticated:
            return error_response("NOT_LOGGED_IN", "Log in first.", 401)
        try:
            return view(request, *args, **kwargs)
        except TranscriptionError as error:
            status = HTTP_STATUS.get(type(error), 400)
            return error_response(error.error_code, error.user_message, status, error.technical_detail)

    return wrapped
