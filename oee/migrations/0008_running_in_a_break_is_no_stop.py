from django.db import migrations

from oee.bi import refresh


class Migration(migrations.Migration):
    """The view of elements says so, too."""

    dependencies = [("oee", "0007_closed_shifts")]

    operations = [migrations.RunPython(lambda apps, schema_editor: refresh(schema_editor), migrations.RunPython.noop)]
