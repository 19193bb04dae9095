from django.db import migrations, models

CREATE_VIEW = """
CREATE VIEW count_reading AS
SELECT tag_id || '@' || to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS id,
       tag_id, occurred_at, value, recorded_at, source
FROM counts_counthistory
"""


class Migration(migrations.Migration):
    dependencies = [
        ("counts", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(CREATE_VIEW, "DROP VIEW count_reading"),
        migrations.CreateModel(
            name="CountReading",
            fields=[
                (
                    "id",
                    models.CharField(
                        help_text="The tag's id, @, and the moment in UTC.",
                        max_length=60,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("occurred_at", models.DateTimeField()),
                ("value", models.DecimalField(decimal_places=6, max_digits=24)),
                ("recorded_at", models.DateTimeField()),
                ("source", models.CharField(max_length=64)),
            ],
            options={
                "db_table": "count_reading",
                "ordering": ["-tag_id", "-occurred_at"],
                "managed": False,
            },
        ),
    ]
