import django.core.validators
import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

from core.migration_operations import Together


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "__first__"),
        ("enterprise", "0001_initial"),
    ]

    operations = [
        Together(
            [
                migrations.CreateModel(
                    name="HistoricalSchedulingPolicy",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "start_tolerance",
                            models.PositiveSmallIntegerField(
                                default=15,
                                help_text="What starts later than planned by more than this is late.",
                                validators=[django.core.validators.MaxValueValidator(1440)],
                                verbose_name="start may be late by (min)",
                            ),
                        ),
                        (
                            "end_tolerance",
                            models.PositiveSmallIntegerField(
                                default=15,
                                help_text="What ends later than planned by more than this is late.",
                                validators=[django.core.validators.MaxValueValidator(1440)],
                                verbose_name="end may be late by (min)",
                            ),
                        ),
                        ("history_id", models.AutoField(primary_key=True, serialize=False)),
                        ("history_date", models.DateTimeField(db_index=True)),
                        ("history_change_reason", models.CharField(max_length=100, null=True)),
                        (
                            "history_type",
                            models.CharField(
                                choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                            ),
                        ),
                        (
                            "history_user",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.site",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical scheduling policy",
                        "verbose_name_plural": "historical scheduling policies",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="SchedulingPolicy",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "start_tolerance",
                            models.PositiveSmallIntegerField(
                                default=15,
                                help_text="What starts later than planned by more than this is late.",
                                validators=[django.core.validators.MaxValueValidator(1440)],
                                verbose_name="start may be late by (min)",
                            ),
                        ),
                        (
                            "end_tolerance",
                            models.PositiveSmallIntegerField(
                                default=15,
                                help_text="What ends later than planned by more than this is late.",
                                validators=[django.core.validators.MaxValueValidator(1440)],
                                verbose_name="end may be late by (min)",
                            ),
                        ),
                        (
                            "site",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="scheduling_policy",
                                to="enterprise.site",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name_plural": "scheduling policies",
                        "ordering": ["site"],
                    },
                ),
            ]
        ),
    ]
