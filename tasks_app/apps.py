from django.apps import AppConfig


class TasksAppConfig(AppConfig):
    name = "tasks_app"
    verbose_name = "Transcription"

    def ready(self) -> None:
        from tasks_app.media import files

        files.connect_signals(self)
