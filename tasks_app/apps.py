from django.apps import AppConfig, apps
from django.contrib.admin import apps as admin_apps


class TasksAppConfig(AppConfig):
    name = "tasks_app"
    verbose_name = "Transcription"

    def ready(self) -> None:
        from tasks_app.media import files

        files.connect_signals(self)
        apps.get_app_config("auth").verbose_name = "People"
        apps.get_app_config("django_rq").verbose_name = "Queue"


class StaffAdminConfig(admin_apps.AdminConfig):
    """Django's admin, with the dashboard as its front page."""

    default = False
    default_site = "tasks_app.dashboard.StaffSite"
