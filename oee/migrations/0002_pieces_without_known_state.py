from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("enterprise", "0001_initial"),
        ("oee", "0001_initial"),
        ("products", "0001_initial"),
        ("workorders", "0002_target_quantity_positive"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="hourslice",
            name="hour_slice_once",
        ),
        migrations.AddField(
            model_name="hourslice",
            name="has_data",
            field=models.BooleanField(
                default=True, help_text="Off: pieces counted while nobody knew the machine's state."
            ),
        ),
        migrations.AddConstraint(
            model_name="hourslice",
            constraint=models.UniqueConstraint(
                fields=("machine", "starts_at", "calendar", "shift", "shift_date", "run", "rate", "has_data"),
                name="hour_slice_once",
                nulls_distinct=False,
            ),
        ),
    ]
