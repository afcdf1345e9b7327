"""Transcripts that people can change. The tables of before are put aside; the next migration reads and drops them."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks_app", "0002_segment_scores"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.RemoveConstraint("segment", "one_segment_an_index"),
        migrations.RemoveConstraint("speaker", "one_speaker_a_label"),
        migrations.RenameModel("Segment", "SegmentBefore"),
        migrations.RenameModel("Speaker", "SpeakerBefore"),
        migrations.AlterField(
            "segmentbefore", "task", models.ForeignKey("Task", models.CASCADE, related_name="segments_before")
        ),
        migrations.AlterField(
            "speakerbefore", "task", models.ForeignKey("Task", models.CASCADE, related_name="speakers_before")
        ),
        migrations.CreateModel(
            name='Transcript',
            fields=[
                ('task', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='transcript', serialize=False, to='tasks_app.task')),
                ('revision', models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='LiveSegment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('index', models.PositiveIntegerField()),
                ('start', models.FloatField(help_text='seconds')),
                ('end', models.FloatField(help_text='seconds')),
                ('text', models.TextField()),
                ('sequence', models.BigIntegerField(default=0, help_text='number of the message that it was sent with')),
                ('task', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='live_segments', to='tasks_app.task')),
            ],
            options={
                'ordering': ('index',),
            },
        ),
        migrations.CreateModel(
            name='Speaker',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.PositiveIntegerField()),
                ('until', models.PositiveIntegerField(null=True)),
                ('recognised', models.BooleanField(default=False)),
                ('label', models.CharField(max_length=20)),
                ('name', models.CharField(blank=True, max_length=100)),
                ('same_as', models.CharField(blank=True, max_length=20)),
                ('copy_of', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='copies', to='tasks_app.speaker')),
                ('transcript', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='speakers', to='tasks_app.transcript')),
            ],
            options={
                'ordering': ('label',),
            },
        ),
        migrations.CreateModel(
            name='Segment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.PositiveIntegerField()),
                ('until', models.PositiveIntegerField(null=True)),
                ('recognised', models.BooleanField(default=False)),
                ('start', models.FloatField(help_text='seconds')),
                ('end', models.FloatField(help_text='seconds')),
                ('text', models.TextField()),
                ('speaker', models.CharField(blank=True, max_length=20)),
                ('words', models.JSONField(default=list, help_text='text, start, end, score and speaker label of each word')),
                ('scores', models.JSONField(default=dict, help_text="the decoder's: avg_logprob, tokens and so on; may be empty")),
                ('copy_of', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='copies', to='tasks_app.segment')),
                ('transcript', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='segments', to='tasks_app.transcript')),
            ],
            options={
                'ordering': ('start', 'pk'),
            },
        ),
        migrations.CreateModel(
            name='Change',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('revision', models.PositiveIntegerField(help_text='the one that it made')),
                ('from_revision', models.PositiveIntegerField(help_text='the one that whoever made it had before them')),
                ('kind', models.CharField(choices=[('recognised', 'Recognised'), ('kept', 'Corrections kept'), ('text', 'Text'), ('split', 'Split'), ('join', 'Joined'), ('times', 'Times'), ('speaker', 'Speaker'), ('name', 'Speaker named'), ('same_speaker', 'Two speakers made one'), ('delete', 'Deleted'), ('undo', 'Undone'), ('restore', 'Original restored')], max_length=12)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('actor', models.ForeignKey(help_text='empty: the service', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('undoes', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='undone_by', to='tasks_app.change')),
                ('transcript', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='tasks_app.transcript')),
            ],
            options={
                'ordering': ('revision',),
            },
        ),
        migrations.AddConstraint(
            model_name='livesegment',
            constraint=models.UniqueConstraint(fields=('task', 'index'), name='unique_index_per_task'),
        ),
        migrations.AddConstraint(
            model_name='speaker',
            constraint=models.UniqueConstraint(condition=models.Q(('until', None)), fields=('transcript', 'label'), name='unique_speaker_per_label'),
        ),
        migrations.AddIndex(
            model_name='segment',
            index=models.Index(condition=models.Q(('until', None)), fields=['transcript', 'start'], name='current_segments'),
        ),
        migrations.AddIndex(
            model_name='segment',
            index=models.Index(fields=['transcript', 'since'], name='segments_by_change'),
        ),
        migrations.AddIndex(
            model_name='segment',
            index=models.Index(fields=['transcript', 'until'], name='segments_by_end'),
        ),
        migrations.AddConstraint(
            model_name='change',
            constraint=models.UniqueConstraint(fields=('transcript', 'revision'), name='unique_change_per_revision'),
        ),
    ]
