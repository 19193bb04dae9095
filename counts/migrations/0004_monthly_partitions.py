from django.db import migrations

from core.partitions import partition, unpartition


def forwards(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        partition(cursor, "counts_counthistory", "count_reading")


def backwards(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        unpartition(cursor, "counts_counthistory", "count_reading")


class Migration(migrations.Migration):
    dependencies = [("counts", "0003_names_in_languages")]

    operations = [migrations.RunPython(forwards, backwards)]
