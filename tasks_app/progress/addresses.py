"""Paths of the WebSockets, for the routes and for the pages that open them."""

from __future__ import annotations


def own_tasks_socket() -> str:
    return "/ws/tasks/"


def staff_socket() -> str:
    return "/ws/staff/"


def task_socket(identifier: object) -> str:
    return f"/ws/tasks/{identifier}"
