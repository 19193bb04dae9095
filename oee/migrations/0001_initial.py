from decimal import Decimal

import django.core.validators
import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("downtime", "0001_initial"),
        ("enterprise", "0001_initial"),
        ("products", "0001_initial"),
        ("workorders", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ComputedHour",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "machine_id",
                        "starts_at",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("starts_at", models.DateTimeField(help_text="UTC, a full hour.")),
                (
                    "machine",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="enterprise.machine",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="HistoricalOeePolicy",
            fields=[
                (
                    "id",
                    models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID"),
                ),
                (
                    "changeover",
                    models.CharField(
                        choices=[
                            ("availability_loss", "It counts against availability"),
                            ("planned", "It is planned time and counts against nothing"),
                        ],
                        default="availability_loss",
                        max_length=20,
                    ),
                ),
                (
                    "overtime",
                    models.CharField(
                        choices=[
                            ("count", "Production outside the planned time counts like any other"),
                            ("exclude", "Production outside the planned time is left out"),
                        ],
                        default="count",
                        max_length=10,
                    ),
                ),
                (
                    "target_oee",
                    models.DecimalField(
                        decimal_places=4,
                        default=Decimal("0.85"),
                        help_text="0.85 = 85 %; the target so far on screens follows from it.",
                        max_digits=5,
                        validators=[
                            django.core.validators.MinValueValidator(Decimal("0.0001")),
                            django.core.validators.MaxValueValidator(Decimal("1")),
                        ],
                        verbose_name="OEE target",
                    ),
                ),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
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
                "verbose_name": "historical OEE policy",
                "verbose_name_plural": "historical OEE policies",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="OeePolicy",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "changeover",
                    models.CharField(
                        choices=[
                            ("availability_loss", "It counts against availability"),
                            ("planned", "It is planned time and counts against nothing"),
                        ],
                        default="availability_loss",
                        max_length=20,
                    ),
                ),
                (
                    "overtime",
                    models.CharField(
                        choices=[
                            ("count", "Production outside the planned time counts like any other"),
                            ("exclude", "Production outside the planned time is left out"),
                        ],
                        default="count",
                        max_length=10,
                    ),
                ),
                (
                    "target_oee",
                    models.DecimalField(
                        decimal_places=4,
                        default=Decimal("0.85"),
                        help_text="0.85 = 85 %; the target so far on screens follows from it.",
                        max_digits=5,
                        validators=[
                            django.core.validators.MinValueValidator(Decimal("0.0001")),
                            django.core.validators.MaxValueValidator(Decimal("1")),
                        ],
                        verbose_name="OEE target",
                    ),
                ),
                (
                    "site",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="oee_policy",
                        to="enterprise.site",
                    ),
                ),
            ],
            options={
                "verbose_name": "OEE policy",
                "verbose_name_plural": "OEE policies",
            },
        ),
        migrations.CreateModel(
            name="HourReason",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("starts_at", models.DateTimeField(help_text="Of the hour: UTC, a full hour.")),
                (
                    "calendar",
                    models.CharField(
                        choices=[
                            ("scheduled", "In a shift"),
                            ("on_break", "In a break"),
                            ("unscheduled", "Outside the shifts"),
                        ],
                        max_length=11,
                    ),
                ),
                (
                    "shift_date",
                    models.DateField(help_text="The day on which the shift started, in the site's zone.", null=True),
                ),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("unplanned", "Unplanned stop"),
                            ("planned", "Planned stop"),
                            ("changeover", "Changeover"),
                            ("not_scheduled", "Not scheduled"),
                            ("no_data", "No data"),
                        ],
                        max_length=14,
                    ),
                ),
                ("microseconds", models.BigIntegerField()),
                (
                    "occurrences",
                    models.IntegerField(help_text="Stretches of this reason that began in this part."),
                ),
                (
                    "machine",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="enterprise.machine",
                    ),
                ),
                (
                    "reason",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="downtime.statereason",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="workorders.run",
                    ),
                ),
                (
                    "shift",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="enterprise.shift",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=(
                            "machine",
                            "starts_at",
                            "calendar",
                            "shift",
                            "shift_date",
                            "run",
                            "reason",
                            "category",
                        ),
                        name="hour_reason_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="HourSlice",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("starts_at", models.DateTimeField(help_text="Of the hour: UTC, a full hour.")),
                (
                    "calendar",
                    models.CharField(
                        choices=[
                            ("scheduled", "In a shift"),
                            ("on_break", "In a break"),
                            ("unscheduled", "Outside the shifts"),
                        ],
                        max_length=11,
                    ),
                ),
                (
                    "shift_date",
                    models.DateField(help_text="The day on which the shift started, in the site's zone.", null=True),
                ),
                ("running", models.BigIntegerField(default=0, help_text="µs")),
                ("unplanned", models.BigIntegerField(default=0, help_text="µs")),
                ("planned", models.BigIntegerField(default=0, help_text="µs")),
                ("changeover", models.BigIntegerField(default=0, help_text="µs")),
                ("not_scheduled", models.BigIntegerField(default=0, help_text="µs")),
                ("no_data", models.BigIntegerField(default=0, help_text="µs")),
                ("good", models.DecimalField(decimal_places=12, default=0, max_digits=38)),
                ("reject", models.DecimalField(decimal_places=12, default=0, max_digits=38)),
                ("rework", models.DecimalField(decimal_places=12, default=0, max_digits=38)),
                ("infeed", models.DecimalField(decimal_places=12, default=0, max_digits=38)),
                ("total", models.DecimalField(decimal_places=12, default=0, max_digits=38)),
                (
                    "machine",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="enterprise.machine",
                    ),
                ),
                (
                    "rate",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="products.idealrate",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="workorders.run",
                    ),
                ),
                (
                    "shift",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="enterprise.shift",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("run__isnull", False)), fields=["run"], name="hour_slice_of_run")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("machine", "starts_at", "calendar", "shift", "shift_date", "run", "rate"),
                        name="hour_slice_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="OeeRecord",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("computed_at", models.DateTimeField()),
                (
                    "elements",
                    models.JSONField(
                        help_text="Time elements in microseconds, quantities and ideal times as exact text."
                    ),
                ),
                ("availability", models.DecimalField(decimal_places=12, max_digits=24, null=True)),
                ("performance", models.DecimalField(decimal_places=12, max_digits=24, null=True)),
                ("quality", models.DecimalField(decimal_places=12, max_digits=24, null=True)),
                ("oee", models.DecimalField(decimal_places=12, max_digits=24, null=True)),
                (
                    "line",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="oee_records",
                        to="enterprise.line",
                    ),
                ),
                (
                    "machine",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="oee_records",
                        to="enterprise.machine",
                    ),
                ),
            ],
            options={
                "verbose_name": "OEE record",
                "ordering": ["-starts_at", "-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("line__isnull", False), ("machine__isnull", True)),
                            models.Q(("line__isnull", True), ("machine__isnull", False)),
                            _connector="OR",
                        ),
                        name="oee_record_of_line_or_machine",
                        violation_error_message="Name either a line or a machine.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                        name="oee_record_window_not_empty",
                        violation_error_message="The window must end after it starts.",
                    ),
                    models.UniqueConstraint(
                        fields=("line", "machine", "starts_at", "ends_at"),
                        name="one_oee_record_per_window",
                        nulls_distinct=False,
                    ),
                ],
            },
        ),
    ]
