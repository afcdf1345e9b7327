from django.db import migrations

from tasks_app.migrations._groups import give


def forwards(apps, schema_editor):
    give(
        apps,
        "administrators",
        "auth.view_user of user",
        "auth.change_user of user",
        "tasks_app.invite of accountlink",
        "tasks_app.reset_password of accountlink",
    )


class Migration(migrations.Migration):
    dependencies = [("tasks_app", "0022_people")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
