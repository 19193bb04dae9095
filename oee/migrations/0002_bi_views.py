from django.db import migrations

from oee.bi import drop, refresh


class Migration(migrations.Migration):
    dependencies = [
        ("oee", "0001_initial"),
        ("counts", "0004_monthly_partitions"),
        ("downtime", "0004_monthly_partitions"),
    ]

    operations = [
        migrations.RunPython(
            lambda apps, schema_editor: refresh(schema_editor), lambda apps, schema_editor: drop(schema_editor)
        )
    ]
