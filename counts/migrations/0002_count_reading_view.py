from django.db import migrations

CREATE_VIEW = """
CREATE VIEW count_reading AS
SELECT tag_id || '@' || to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS id,
       tag_id, occurred_at, value, recorded_at, source
FROM counts_counthistory
"""


class Migration(migrations.Migration):
    dependencies = [("counts", "0001_initial")]

    operations = [migrations.RunSQL(CREATE_VIEW, "DROP VIEW count_reading")]
