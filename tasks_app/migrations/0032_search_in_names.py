"""What staff search in: the names of all tasks, with an index of every three characters in a row.

PostgreSQL has such an index ready in an extension, which the service's role may not be allowed to create; a function and
a GIN index of arrays do the same without one. SQLite's is a table of FTS5, kept by triggers.
"""

from itertools import islice

import django.db.models.deletion
from django.db import migrations, models

BATCH = 5000

POSTGRESQL = (
    """
    CREATE FUNCTION tasks_app_trigrams(text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
    $$ SELECT ARRAY(SELECT DISTINCT substr($1, at, 3) FROM generate_series(1, length($1) - 2) AS at) $$
    """,
    "CREATE INDEX searched_names_by_trigram ON tasks_app_searchedname USING gin (tasks_app_trigrams(text))",
)
SQLITE = (
    """
    CREATE VIRTUAL TABLE tasks_app_searchedname_trigrams USING fts5(
        text, content='tasks_app_searchedname', content_rowid='id', tokenize='trigram case_sensitive 1')
    """,
    """
    CREATE TRIGGER searched_name_added AFTER INSERT ON tasks_app_searchedname BEGIN
        INSERT INTO tasks_app_searchedname_trigrams(rowid, text) VALUES (new.id, new.text);
    END
    """,
    """
    CREATE TRIGGER searched_name_removed AFTER DELETE ON tasks_app_searchedname BEGIN
        INSERT INTO tasks_app_searchedname_trigrams(tasks_app_searchedname_trigrams, rowid, text)
            VALUES ('delete', old.id, old.text);
    END
    """,
    """
    CREATE TRIGGER searched_name_changed AFTER UPDATE ON tasks_app_searchedname BEGIN
        INSERT INTO tasks_app_searchedname_trigrams(tasks_app_searchedname_trigrams, rowid, text)
            VALUES ('delete', old.id, old.text);
        INSERT INTO tasks_app_searchedname_trigrams(rowid, text) VALUES (new.id, new.text);
    END
    """,
)


def make_index(apps, schema_editor):
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


def remove_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX searched_names_by_trigram")
        schema_editor.execute("DROP FUNCTION tasks_app_trigrams(text)")
    else:
        schema_editor.execute("DROP TABLE tasks_app_searchedname_trigrams")
        for name in ("added", "removed", "changed"):
            schema_editor.execute(f"DROP TRIGGER searched_name_{name}")


def fill(apps, schema_editor):
    tasks = apps.get_model("tasks_app", "Task").objects.order_by("created_at").values_list("pk", "name")
    model = apps.get_model("tasks_app", "SearchedName")
    rows = (model(task_id=task, text=name.casefold()) for task, name in tasks.iterator(BATCH))
    while batch := list(islice(rows, BATCH)):
        model.objects.bulk_create(batch)


class Migration(migrations.Migration):

    dependencies = [
        ('tasks_app', '0031_indexes_of_staffs_list'),
    ]

    operations = [
        migrations.CreateModel(
            name='SearchedName',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField()),
                ('task', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='searched', to='tasks_app.task')),
            ],
        ),
        migrations.RunPython(make_index, remove_index),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
