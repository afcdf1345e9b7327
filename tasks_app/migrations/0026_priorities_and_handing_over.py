from django.db import migrations, models

from tasks_app.migrations._groups import give

OPERATE = ("tasks_app.prioritise_task of task", "tasks_app.export_task of task")


def forwards(apps, schema_editor):
    give(apps, "operators", *OPERATE)
    give(apps, "administrators", *OPERATE, "tasks_app.hand_over_task of task")


class Migration(migrations.Migration):

    dependencies = [
        ('tasks_app', '0024_part_done_again'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='task',
            options={'ordering': ('-created_at',), 'permissions': (('cancel_task', 'Can cancel task'), ('retry_task', 'Can queue task again'), ('prioritise_task', 'Can change the priority of tasks'), ('hand_over_task', 'Can hand tasks to another owner'), ('export_task', 'Can download many transcripts at once'))},
        ),
        migrations.AddField(
            model_name='task',
            name='priority',
            field=models.SmallIntegerField(choices=[(-1, 'Low'), (0, 'Normal'), (1, 'High')], db_default=0, default=0),
        ),
        migrations.RemoveIndex(
            model_name='task',
            name='waiting_tasks_of_an_owner',
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(condition=models.Q(('status', 'queued')), fields=['owner', '-priority', 'queued_at'], name='waiting_tasks_by_priority'),
        ),
        migrations.RunPython(forwards, migrations.RunPython.noop),
    ]
