from django.db import migrations

CREATE_VIEW = """
CREATE VIEW recorded_state AS
SELECT machine_id || '@' || to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS id,
       machine_id, occurred_at, reason_id, detail, recorded_at, source
FROM downtime_statehistory
"""


class Migration(migrations.Migration):
    dependencies = [("downtime", "0001_initial")]

    operations = [migrations.RunSQL(CREATE_VIEW, "DROP VIEW recorded_state")]
