"""Transcripts written before they could be changed become revision 1; the names people gave to speakers, revision 2."""

from django.db import migrations

BATCH = 500


def copy(apps, schema_editor):
    model = {name: apps.get_model("tasks_app", name) for name in ("Transcript", "Change", "Segment", "Speaker")}
    for task in apps.get_model("tasks_app", "Task").objects.iterator():
        segments = task.segments_before.order_by("index").iterator(chunk_size=BATCH)
        if not task.events.filter(to_status="completed").exists():
            live = apps.get_model("tasks_app", "LiveSegment")
            rows = (live(task=task, index=s.index, start=s.start, end=s.end, text=s.text) for s in segments)
            live.objects.bulk_create(rows, batch_size=BATCH)
            continue
        named = [speaker for speaker in task.speakers_before.all() if speaker.name]
        transcript = model["Transcript"].objects.create(task=task, revision=2 if named else 1)
        journal = [(1, "recognised"), (2, "name")][: transcript.revision]
        for revision, kind in journal:
            model["Change"].objects.create(
                transcript=transcript, revision=revision, from_revision=revision - 1, kind=kind
            )
        for speaker in task.speakers_before.all():
            until = 2 if speaker.name else None
            model["Speaker"].objects.create(
                transcript=transcript, label=speaker.label, since=1, until=until, recognised=True
            )
        for speaker in named:
            model["Speaker"].objects.create(transcript=transcript, label=speaker.label, name=speaker.name, since=2)
        labels = dict(task.speakers_before.values_list("pk", "label"))
        rows = (
            model["Segment"](
                transcript=transcript,
                since=1,
                recognised=True,
                start=s.start,
                end=s.end,
                text=s.text,
                speaker=labels.get(s.speaker_id, ""),
                words=s.words,
                scores=s.scores,
            )
            for s in segments
        )
        model["Segment"].objects.bulk_create(rows, batch_size=BATCH)
    schema_editor.connection.check_constraints()  # now: PostgreSQL alters no table for which checks are put off


class Migration(migrations.Migration):
    dependencies = [("tasks_app", "0003_changeable_transcripts")]

    operations = [
        migrations.RunPython(copy, migrations.RunPython.noop),
        migrations.DeleteModel("SegmentBefore"),
        migrations.DeleteModel("SpeakerBefore"),
    ]
