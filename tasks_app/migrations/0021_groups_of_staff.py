from django.db import migrations

from tasks_app.migrations._groups import give

VIEW = (
    "tasks_app.view_task of task",
    "tasks_app.view_finishedtask of finishedtask",
    "tasks_app.view_service of service",
    "tasks_app.view_metrics of service",
)
OPERATE = (
    *VIEW,
    "tasks_app.cancel_task of task",
    "tasks_app.retry_task of task",
    "tasks_app.delete_task of task",
    "tasks_app.view_transcript of transcript",
    "tasks_app.change_transcript of transcript",
    "tasks_app.pause_queue of service",
    "django_rq.admin of dashboard",
)
ADMINISTER = (*OPERATE, "tasks_app.view_auditentry of auditentry")


def forwards(apps, schema_editor):
    give(apps, "viewers", *VIEW)
    give(apps, "operators", *OPERATE)
    give(apps, "administrators", *ADMINISTER)
    # Until now, all staff could do with tasks what operators can.
    operators = apps.get_model("auth", "Group").objects.get(name="operators")
    operators.user_set.add(*apps.get_model("auth", "User").objects.filter(is_staff=True, is_superuser=False))


class Migration(migrations.Migration):
    dependencies = [
        ("tasks_app", "0020_audit_and_permissions"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("django_rq", "0003_alter_dashboard_permission_names"),
    ]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
