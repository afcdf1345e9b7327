"""The page that shows the document of the REST API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html
from django.views.decorators.http import require_safe

from tasks_app.api.v1.urls import document


class Given(NamedTuple):
    """A parameter or a field. `where`: path, query, header or body."""

    name: str
    where: str
    kind: str
    required: bool
    description: str


class Shown(NamedTuple):
    name: str
    summary: str
    method: str
    path: str
    description: str
    given: list[Given]
    media_types: list[str]
    example: str
    refusals: list[str]


@require_safe
def documentation(request: HttpRequest) -> HttpResponse:
    """Every operation, by what it is about."""
    groups: dict[str, list[Shown]] = {}
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            groups.setdefault(operation["tags"][0], []).append(_shown(path, method, operation))
    context = {"groups": groups, "about": document()["info"], "base": request.build_absolute_uri("/api/v1")}
    return render(request, "tasks_app/documentation.html", context)


def _shown(path: str, method: str, operation: dict[str, Any]) -> Shown:
    statuses = operation["responses"]
    content: dict[str, Any] = next(
        (answer.get("content", {}) for status, answer in statuses.items() if status.startswith("2")), {}
    )
    examples = _resolved(content.get("application/json", {}).get("schema", {})).get("examples", [])
    return Shown(
        operation["operationId"],
        operation["summary"],
        method.upper(),
        path,
        _marked(operation["description"]),
        [*_parameters(operation), *_body(operation)],
        list(content),
        json.dumps(examples[0], indent=2, ensure_ascii=False) if examples else "",
        sorted(status for status in statuses if not status.startswith("2")),
    )


def _parameters(operation: dict[str, Any]) -> Iterator[Given]:
    for one in operation["parameters"]:
        schema = _resolved(one["schema"])
        yield Given(one["name"], one["in"], _kind(schema), one["required"], _marked(schema.get("description", "")))


def _body(operation: dict[str, Any]) -> Iterator[Given]:
    """The fields of the body; if it is one of several kinds, those of each."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = _resolved(content["schema"])
        for alternative in map(_resolved, schema.get("oneOf", [schema])):
            for name, field in alternative["properties"].items():
                required = name in alternative.get("required", [])
                found = _resolved(field)
                yield Given(name, "body", _kind(found), required, _marked(found.get("description", "")))


def _marked(text: str) -> str:
    """As HTML, with what stands between backticks as code."""
    kinds = ("{}", "<code>{}</code>")
    return format_html("".join(kinds[place % 2] for place, _ in enumerate(text.split("`"))), *text.split("`"))


def _kind(schema: dict[str, Any]) -> str:
    """In words: `integer, 1 to 20`."""
    if "const" in schema:
        return f"“{schema['const']}”"
    if "enum" in schema:
        return " or ".join(f"“{value}”" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_kind(_resolved(one)) for one in schema["anyOf"])
    kind = f"{schema.get('type', 'anything')}"
    if kind == "array":
        return f"list of {_kind(_resolved(schema.get('items', {})))}"
    if "format" in schema:
        kind += f" ({schema['format']})"
    if "minimum" in schema and schema.get("maximum", 2**31) < 2**31 - 1:
        kind += f", {schema['minimum']} to {schema['maximum']}"
    return kind


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema that is meant, with what is said of it where it is referred to."""
    if "$ref" not in schema:
        return schema
    meant = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return {**meant, **{name: value for name, value in schema.items() if name != "$ref"}}
