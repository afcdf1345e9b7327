from django.apps import AppConfig


class TasksAppConfig(AppConfig):
    name = "tasks_app"
    verbose_name = "Transcription"

    def ready(self) -> None:
        from tasks_app import storage

        storage.connect_signals()
