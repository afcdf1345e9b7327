from django.db import migrations, models
from django.db.models.fields.json import KT
from django.db.models.functions import Cast


def place(apps, schema_editor):
    """Parts of transcription were numbered as they came: the plan, a part for each chunk, and a mark of the end."""
    parts = apps.get_model("tasks_app", "StageResult").objects.filter(stage="transcribing")
    parts.filter(data__has_key="language").update(stage="planning", position=0)
    chunks = parts.filter(data__chunk__has_key="start")
    chunks.update(position=Cast(KT("data__chunk__start"), models.BigIntegerField()))
    parts.exclude(pk__in=chunks.values("pk")).delete()
    schema_editor.connection.check_constraints()  # now: PostgreSQL alters no table for which checks are put off


class Migration(migrations.Migration):
    dependencies = [
        ("tasks_app", "0005_media_folder"),
    ]

    operations = [
        migrations.RemoveConstraint("stageresult", "one_stage_result_a_part"),
        migrations.RenameField("stageresult", "part", "position"),
        migrations.AlterField(
            "stageresult",
            "position",
            models.PositiveBigIntegerField(help_text="its place in the stage, whatever is finished before it"),
        ),
        migrations.RunPython(place),
        migrations.AddConstraint(
            "stageresult",
            models.UniqueConstraint(fields=("task", "stage", "position"), name="unique_position_per_stage"),
        ),
    ]
