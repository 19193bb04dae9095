from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        # Exclusion constraints that compare ids with ranges need it.
        BtreeGistExtension(),
        migrations.CreateModel(
            name="ChangedSpan",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("subject_id", models.BigIntegerField()),
                ("changed_from", models.DateTimeField()),
                ("changed_until", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["subject_id"], name="changed_span_subject")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("changed_until__isnull", True),
                            ("changed_until__gt", models.F("changed_from")),
                            _connector="OR",
                        ),
                        name="changed_span_not_empty",
                    )
                ],
            },
        ),
    ]
