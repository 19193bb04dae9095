from django.db import migrations

from core.partitions import partition, unpartition


def forwards(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        partition(cursor, "downtime_statehistory", "recorded_state")


def backwards(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        unpartition(cursor, "downtime_statehistory", "recorded_state")


class Migration(migrations.Migration):
    dependencies = [("downtime", "0003_names_in_languages")]

    operations = [migrations.RunPython(forwards, backwards)]
