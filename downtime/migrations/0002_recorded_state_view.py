from django.db import migrations, models

CREATE_VIEW = """
CREATE VIEW recorded_state AS
SELECT machine_id || '@' || to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS id,
       machine_id, occurred_at, reason_id, detail, recorded_at, source
FROM downtime_statehistory
"""


class Migration(migrations.Migration):
    dependencies = [
        ("downtime", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(CREATE_VIEW, "DROP VIEW recorded_state"),
        migrations.CreateModel(
            name="RecordedState",
            fields=[
                (
                    "id",
                    models.CharField(
                        help_text="The machine's id, @, and the moment in UTC.",
                        max_length=60,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("occurred_at", models.DateTimeField()),
                ("detail", models.CharField(max_length=500)),
                ("recorded_at", models.DateTimeField()),
                ("source", models.CharField(max_length=64)),
            ],
            options={
                "db_table": "recorded_state",
                "ordering": ["-machine_id", "-occurred_at"],
                "managed": False,
            },
        ),
    ]
