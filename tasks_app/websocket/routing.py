"""WebSocket routes."""

from django.urls import path

from tasks_app.websocket.consumers import OwnTasksConsumer, TaskConsumer

websocket_urlpatterns = [
    path("ws/tasks/", OwnTasksConsumer.as_asgi()),
    path("ws/tasks/<uuid:task_id>", TaskConsumer.as_asgi()),
]
