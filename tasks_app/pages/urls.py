"""Routes for people."""

from django.contrib.auth.views import LogoutView
from django.templatetags.static import static
from django.urls import path
from django.views.generic import RedirectView

from tasks_app.pages import accounts, keys, notices, programs, recordings, transcripts, uploading, webhooks

urlpatterns = [
    # For pages that name no icon of their own, such as the admin's.
    path("favicon.ico", RedirectView.as_view(url=static("tasks_app/favicon.svg"))),
    path("", accounts.home, name="home"),
    path("notices/", notices.notices, name="notices"),
    path("setup/", accounts.setup, name="setup"),
    path("login/", accounts.LogIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("signup/", accounts.SignUp.as_view(), name="signup"),
    path("password/", accounts.password, name="password"),
    path("tasks/", recordings.task_list, name="task-list"),
    path("tasks/new/", uploading.task_upload, name="task-upload"),
    path("tasks/example/", uploading.task_example, name="task-example"),
    path("tasks/<uuid:identifier>/", recordings.task_detail, name="task-detail"),
    path("tasks/<uuid:identifier>/transcript.<slug:format_name>", transcripts.transcript_file, name="transcript-file"),
    path("tasks/<uuid:identifier>/download/", transcripts.transcript_download, name="transcript-download"),
    path("tasks/<uuid:identifier>/history/", transcripts.task_history, name="task-history"),
    path("tasks/<uuid:identifier>/history/<int:revision>/", transcripts.task_comparison, name="task-comparison"),
    path("tasks/<uuid:identifier>/history/<int:revision>/restore/", transcripts.task_restore, name="task-restore"),
    path("tasks/<uuid:identifier>/cancel/", recordings.task_cancel, name="task-cancel"),
    path("tasks/<uuid:identifier>/retry/", recordings.task_retry, name="task-retry"),
    path("tasks/<uuid:identifier>/delete/", recordings.task_delete, name="task-delete"),
    path("api/", programs.documentation, name="documentation"),
    path("keys/", keys.keys, name="keys"),
    path("keys/<int:key_id>/revoke/", keys.key_revoke, name="key-revoke"),
    path("webhooks/", webhooks.webhooks, name="webhooks"),
    path("webhooks/<int:webhook_id>/remove/", webhooks.webhook_action, webhooks.REMOVED, name="webhook-remove"),
    path("webhooks/<int:webhook_id>/test/", webhooks.webhook_action, webhooks.TESTED, name="webhook-test"),
    path("webhooks/deliveries/<int:delivery_id>/replay/", webhooks.webhook_replay, name="webhook-replay"),
]
