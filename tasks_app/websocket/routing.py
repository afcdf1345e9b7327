"""WebSocket routes."""

from channels.security.websocket import WebsocketDenier
from django.urls import path, re_path

from tasks_app.progress.addresses import own_tasks_socket, staff_socket, task_socket
from tasks_app.websocket.consumers import OwnTasksConsumer, StaffConsumer, TaskConsumer

websocket_urlpatterns = [
    path(own_tasks_socket().removeprefix("/"), OwnTasksConsumer.as_asgi()),
    path(staff_socket().removeprefix("/"), StaffConsumer.as_asgi()),
    path(task_socket("<uuid:task_id>").removeprefix("/"), TaskConsumer.as_asgi()),
    re_path("", WebsocketDenier.as_asgi()),  # any other address: refused as somebody else's task is
]
