from decimal import Decimal

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import simple_history.models
from django.conf import settings
from django.db import migrations, models

from core.migration_operations import Together


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "__first__"),
        ("counts", "0001_initial"),
        ("downtime", "0001_initial"),
        ("enterprise", "0001_initial"),
        ("products", "0001_initial"),
        ("workorders", "0001_initial"),
    ]

    operations = [
        Together(
            [
                migrations.CreateModel(
                    name="ShiftClosing",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("shift_name", models.CharField(max_length=100)),
                        ("shift_date", models.DateField(help_text="The day on which the shift started, at the site.")),
                        ("starts_at", models.DateTimeField()),
                        ("ends_at", models.DateTimeField()),
                        (
                            "revision",
                            models.PositiveIntegerField(
                                help_text="1 = closed; each accepted difference makes the next."
                            ),
                        ),
                        ("closed_at", models.DateTimeField()),
                        (
                            "signed_as",
                            models.CharField(
                                help_text="The name as signed, or the rule.", max_length=300, verbose_name="signed"
                            ),
                        ),
                        (
                            "meaning",
                            models.CharField(
                                choices=[
                                    ("closed", "I close this shift; these are its numbers as far as I know"),
                                    ("accepted", "I accept that these numbers replace those that were signed before"),
                                    ("by_rule", "Closed by the site's rule; nobody looked at it"),
                                ],
                                max_length=10,
                                verbose_name="meaning of the signature",
                            ),
                        ),
                        ("comment", models.CharField(blank=True, max_length=500)),
                        (
                            "numbers",
                            models.JSONField(
                                help_text="Elements, KPIs, losses and policies: whole numbers, and exact text."
                            ),
                        ),
                        (
                            "open_points",
                            models.JSONField(help_text="What was undecided or unexplained when it was signed."),
                        ),
                        (
                            "sequence",
                            models.PositiveIntegerField(help_text="Its number among the closings of its place."),
                        ),
                        (
                            "previous_hash",
                            models.CharField(
                                blank=True, help_text="Of the closing before it at its place.", max_length=64
                            ),
                        ),
                        (
                            "content_hash",
                            models.CharField(
                                help_text="SHA-256 of what was signed, chained to the one before.", max_length=64
                            ),
                        ),
                        (
                            "closed_by",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "line",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="shift_closings",
                                to="enterprise.line",
                            ),
                        ),
                        (
                            "machine",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="shift_closings",
                                to="enterprise.machine",
                            ),
                        ),
                        (
                            "shift",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.shift",
                            ),
                        ),
                        (
                            "supersedes",
                            models.OneToOneField(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="superseded_by",
                                to="oee.shiftclosing",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-starts_at", "-id"],
                        "indexes": [models.Index(fields=["starts_at"], name="shift_closing_start")],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("line__isnull", False), ("machine__isnull", True)),
                                    models.Q(("line__isnull", True), ("machine__isnull", False)),
                                    _connector="OR",
                                ),
                                name="shift_closing_of_line_or_machine",
                                violation_error_message="Name either a line or a machine.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                                name="shift_closing_not_empty",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("revision", 1), ("supersedes__isnull", True)),
                                    models.Q(("revision__gt", 1), ("supersedes__isnull", False)),
                                    _connector="OR",
                                ),
                                name="shift_closing_revisions_supersede",
                            ),
                            models.UniqueConstraint(
                                fields=("line", "machine", "shift", "shift_date", "revision"),
                                name="shift_closing_revision_once",
                                nulls_distinct=False,
                            ),
                            models.UniqueConstraint(
                                fields=("line", "machine", "sequence"),
                                name="shift_closing_sequence_once",
                                nulls_distinct=False,
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="TouchedClosing",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("closing_id", models.BigIntegerField(db_index=True)),
                    ],
                ),
                migrations.CreateModel(
                    name="ClosingCheck",
                    fields=[
                        (
                            "closing",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="check_row",
                                serialize=False,
                                to="oee.shiftclosing",
                            ),
                        ),
                        (
                            "machine_ids",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.BigIntegerField(), help_text="Whose facts it follows from.", size=None
                            ),
                        ),
                        ("starts_at", models.DateTimeField()),
                        ("ends_at", models.DateTimeField(db_index=True)),
                        ("differs", models.BooleanField(default=False)),
                        ("oee_now", models.DecimalField(decimal_places=12, max_digits=24, null=True)),
                        ("checked_at", models.DateTimeField()),
                    ],
                ),
                migrations.CreateModel(
                    name="ClosingRule",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "close_after_hours",
                            models.PositiveSmallIntegerField(
                                blank=True,
                                help_text="Each line's shift is closed so many hours after its end, if nobody closed it by then. Empty = only people close shifts.",
                                null=True,
                                validators=[django.core.validators.MaxValueValidator(720)],
                                verbose_name="close after (h)",
                            ),
                        ),
                        (
                            "first_date",
                            models.DateField(
                                blank=True,
                                help_text="Shifts of earlier days are left to people. Empty = all shifts of the last 40 days are closed.",
                                null=True,
                                verbose_name="first day",
                            ),
                        ),
                        (
                            "unexplained_minutes",
                            models.PositiveSmallIntegerField(
                                default=5,
                                help_text="A stop without a reason that lasts at least so long is listed as open when its shift is closed.",
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(1440),
                                ],
                                verbose_name="unexplained from (min)",
                            ),
                        ),
                        (
                            "site",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="closing_rule",
                                to="enterprise.site",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["site"],
                    },
                ),
                migrations.CreateModel(
                    name="ComputedHour",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "machine_id", "starts_at", blank=True, editable=False, primary_key=True, serialize=False
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
                    name="CounterStep",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("starts_at", models.DateTimeField(help_text="Of the hour: UTC, a full hour.")),
                        ("before_at", models.DateTimeField()),
                        (
                            "value_before",
                            models.DecimalField(decimal_places=6, max_digits=24, verbose_name="read before"),
                        ),
                        ("occurred_at", models.DateTimeField(verbose_name="happened by")),
                        ("value", models.DecimalField(decimal_places=6, max_digits=24, verbose_name="read after")),
                        (
                            "verdict",
                            models.CharField(
                                choices=[
                                    ("held", "Held back: not plausible"),
                                    ("reset", "Restarted: counted from there"),
                                    ("new_baseline", "New baseline: counted nothing"),
                                    ("rollover", "Rolled over"),
                                ],
                                max_length=12,
                                verbose_name="read as",
                            ),
                        ),
                        ("pulses", models.DecimalField(decimal_places=6, max_digits=24, verbose_name="pulses counted")),
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
                            "tag",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="counts.counttag",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-occurred_at", "tag"],
                        "constraints": [
                            models.UniqueConstraint(fields=("machine", "occurred_at", "tag"), name="counter_step_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="CustomKpi",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "code",
                            models.CharField(
                                help_text="Short, stable and unique: devices, files and the ERP call it by this.",
                                max_length=64,
                                unique=True,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "^[A-Za-z0-9][A-Za-z0-9._-]*\\Z",
                                        "Use letters, digits, '.', '_' and '-' only, beginning with a letter or digit; it becomes part of addresses.",
                                    )
                                ],
                            ),
                        ),
                        ("name", models.CharField(max_length=200)),
                        (
                            "is_active",
                            models.BooleanField(
                                default=True,
                                help_text="Switch off instead of deleting what has a past.",
                                verbose_name="active",
                            ),
                        ),
                        (
                            "formula",
                            models.CharField(
                                help_text="Over the codes of elements: + - * / ( ), min, max, abs, first(a, b) = the first that is known, if(a < b, x, y). Decimals with a point.",
                                max_length=500,
                            ),
                        ),
                        (
                            "unit",
                            models.CharField(
                                choices=[
                                    ("ratio", "Ratio (0.85 = 85 %)"),
                                    ("seconds", "Seconds"),
                                    ("per_hour", "Per hour"),
                                    ("pieces", "Pieces"),
                                    ("index", "Index (a number without a unit)"),
                                ],
                                default="ratio",
                                max_length=10,
                            ),
                        ),
                        (
                            "meaning",
                            models.CharField(
                                blank=True, help_text="What it tells, in a sentence; shown next to it.", max_length=500
                            ),
                        ),
                        (
                            "better",
                            models.CharField(
                                blank=True,
                                choices=[("higher", "Higher is better"), ("lower", "Lower is better")],
                                help_text="Empty = neither.",
                                max_length=6,
                            ),
                        ),
                        (
                            "target",
                            models.DecimalField(
                                blank=True,
                                decimal_places=12,
                                help_text="In the KPI's unit: 0.85 = 85 %.",
                                max_digits=24,
                                null=True,
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                blank=True,
                                help_text="Empty = all sites.",
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="custom_kpis",
                                to="enterprise.site",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "custom KPI",
                        "verbose_name_plural": "custom KPIs",
                        "ordering": ["code"],
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="DeliveryTally",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "machine_id", "starts_at", blank=True, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        (
                            "starts_at",
                            models.DateTimeField(help_text="The UTC hour in which the items say that they happened."),
                        ),
                        ("duplicates", models.PositiveIntegerField(default=0)),
                        ("conflicts", models.PositiveIntegerField(default=0, help_text="Contradicted what is stored.")),
                        (
                            "future",
                            models.PositiveIntegerField(
                                default=0, help_text="Said to have happened later than they came."
                            ),
                        ),
                        (
                            "refused",
                            models.PositiveIntegerField(default=0, help_text="Not taken for any other reason."),
                        ),
                        (
                            "machine",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.machine",
                            ),
                        ),
                    ],
                ),
                migrations.CreateModel(
                    name="HistoricalClosingRule",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "close_after_hours",
                            models.PositiveSmallIntegerField(
                                blank=True,
                                help_text="Each line's shift is closed so many hours after its end, if nobody closed it by then. Empty = only people close shifts.",
                                null=True,
                                validators=[django.core.validators.MaxValueValidator(720)],
                                verbose_name="close after (h)",
                            ),
                        ),
                        (
                            "first_date",
                            models.DateField(
                                blank=True,
                                help_text="Shifts of earlier days are left to people. Empty = all shifts of the last 40 days are closed.",
                                null=True,
                                verbose_name="first day",
                            ),
                        ),
                        (
                            "unexplained_minutes",
                            models.PositiveSmallIntegerField(
                                default=5,
                                help_text="A stop without a reason that lasts at least so long is listed as open when its shift is closed.",
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(1440),
                                ],
                                verbose_name="unexplained from (min)",
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
                        "verbose_name": "historical closing rule",
                        "verbose_name_plural": "historical closing rules",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalCustomKpi",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "code",
                            models.CharField(
                                db_index=True,
                                help_text="Short, stable and unique: devices, files and the ERP call it by this.",
                                max_length=64,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "^[A-Za-z0-9][A-Za-z0-9._-]*\\Z",
                                        "Use letters, digits, '.', '_' and '-' only, beginning with a letter or digit; it becomes part of addresses.",
                                    )
                                ],
                            ),
                        ),
                        ("name", models.CharField(max_length=200)),
                        (
                            "is_active",
                            models.BooleanField(
                                default=True,
                                help_text="Switch off instead of deleting what has a past.",
                                verbose_name="active",
                            ),
                        ),
                        (
                            "formula",
                            models.CharField(
                                help_text="Over the codes of elements: + - * / ( ), min, max, abs, first(a, b) = the first that is known, if(a < b, x, y). Decimals with a point.",
                                max_length=500,
                            ),
                        ),
                        (
                            "unit",
                            models.CharField(
                                choices=[
                                    ("ratio", "Ratio (0.85 = 85 %)"),
                                    ("seconds", "Seconds"),
                                    ("per_hour", "Per hour"),
                                    ("pieces", "Pieces"),
                                    ("index", "Index (a number without a unit)"),
                                ],
                                default="ratio",
                                max_length=10,
                            ),
                        ),
                        (
                            "meaning",
                            models.CharField(
                                blank=True, help_text="What it tells, in a sentence; shown next to it.", max_length=500
                            ),
                        ),
                        (
                            "better",
                            models.CharField(
                                blank=True,
                                choices=[("higher", "Higher is better"), ("lower", "Lower is better")],
                                help_text="Empty = neither.",
                                max_length=6,
                            ),
                        ),
                        (
                            "target",
                            models.DecimalField(
                                blank=True,
                                decimal_places=12,
                                help_text="In the KPI's unit: 0.85 = 85 %.",
                                max_digits=24,
                                null=True,
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
                                help_text="Empty = all sites.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.site",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical custom KPI",
                        "verbose_name_plural": "historical custom KPIs",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalOeePolicy",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "valid_from",
                            models.DateField(
                                blank=True,
                                help_text="The first day on which it holds, at the site; empty = from ever.",
                                null=True,
                                verbose_name="from",
                            ),
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
                            "breaks",
                            models.CharField(
                                choices=[
                                    ("planned", "They are planned downtime"),
                                    ("unscheduled", "They are no planned time at all"),
                                    ("availability_loss", "Standing in them counts against availability"),
                                ],
                                default="planned",
                                max_length=20,
                            ),
                        ),
                        (
                            "micro_stops",
                            models.CharField(
                                choices=[
                                    ("performance", "They count against performance"),
                                    ("availability", "They count against availability"),
                                ],
                                default="performance",
                                max_length=12,
                                verbose_name="micro-stops",
                            ),
                        ),
                        (
                            "no_data",
                            models.CharField(
                                choices=[
                                    ("exclude", "It is left out, and lowers the coverage"),
                                    ("availability_loss", "It counts against availability"),
                                ],
                                default="exclude",
                                max_length=20,
                                verbose_name="planned time without data",
                            ),
                        ),
                        (
                            "startup_rejects",
                            models.CharField(
                                choices=[
                                    ("quality_loss", "They count against quality like any other"),
                                    ("exclude", "They are left out"),
                                ],
                                default="quality_loss",
                                max_length=12,
                                verbose_name="start-up rejects",
                            ),
                        ),
                        (
                            "startup_minutes",
                            models.PositiveSmallIntegerField(
                                default=0,
                                help_text="Rejects in the first so many minutes of a run are start-up rejects; 0 = there are none.",
                                validators=[django.core.validators.MaxValueValidator(1440)],
                                verbose_name="start-up (min)",
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
                        "verbose_name": "historical OEE policy",
                        "verbose_name_plural": "historical OEE policies",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HourReason",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
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
                            models.DateField(
                                help_text="The day on which the shift started, in the site's zone.", null=True
                            ),
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
                                    ("micro_stop", "Micro-stop"),
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
                                    "rate",
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
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
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
                            models.DateField(
                                help_text="The day on which the shift started, in the site's zone.", null=True
                            ),
                        ),
                        (
                            "has_data",
                            models.BooleanField(
                                default=True, help_text="Off: pieces counted while nobody knew the machine's state."
                            ),
                        ),
                        ("running", models.BigIntegerField(default=0, help_text="µs")),
                        ("unplanned", models.BigIntegerField(default=0, help_text="µs")),
                        ("planned", models.BigIntegerField(default=0, help_text="µs")),
                        ("changeover", models.BigIntegerField(default=0, help_text="µs")),
                        ("not_scheduled", models.BigIntegerField(default=0, help_text="µs")),
                        ("no_data", models.BigIntegerField(default=0, help_text="µs")),
                        ("micro_stop", models.BigIntegerField(default=0, help_text="µs")),
                        ("good", models.DecimalField(decimal_places=12, default=0, max_digits=38)),
                        ("reject", models.DecimalField(decimal_places=12, default=0, max_digits=38)),
                        ("rework", models.DecimalField(decimal_places=12, default=0, max_digits=38)),
                        ("infeed", models.DecimalField(decimal_places=12, default=0, max_digits=38)),
                        ("total", models.DecimalField(decimal_places=12, default=0, max_digits=38)),
                        ("startup_reject", models.DecimalField(decimal_places=12, default=0, max_digits=38)),
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
                            models.Index(
                                condition=models.Q(("run__isnull", False)), fields=["run"], name="hour_slice_of_run"
                            )
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=(
                                    "machine",
                                    "starts_at",
                                    "calendar",
                                    "shift",
                                    "shift_date",
                                    "run",
                                    "rate",
                                    "has_data",
                                ),
                                name="hour_slice_once",
                                nulls_distinct=False,
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="OeePolicy",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "valid_from",
                            models.DateField(
                                blank=True,
                                help_text="The first day on which it holds, at the site; empty = from ever.",
                                null=True,
                                verbose_name="from",
                            ),
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
                            "breaks",
                            models.CharField(
                                choices=[
                                    ("planned", "They are planned downtime"),
                                    ("unscheduled", "They are no planned time at all"),
                                    ("availability_loss", "Standing in them counts against availability"),
                                ],
                                default="planned",
                                max_length=20,
                            ),
                        ),
                        (
                            "micro_stops",
                            models.CharField(
                                choices=[
                                    ("performance", "They count against performance"),
                                    ("availability", "They count against availability"),
                                ],
                                default="performance",
                                max_length=12,
                                verbose_name="micro-stops",
                            ),
                        ),
                        (
                            "no_data",
                            models.CharField(
                                choices=[
                                    ("exclude", "It is left out, and lowers the coverage"),
                                    ("availability_loss", "It counts against availability"),
                                ],
                                default="exclude",
                                max_length=20,
                                verbose_name="planned time without data",
                            ),
                        ),
                        (
                            "startup_rejects",
                            models.CharField(
                                choices=[
                                    ("quality_loss", "They count against quality like any other"),
                                    ("exclude", "They are left out"),
                                ],
                                default="quality_loss",
                                max_length=12,
                                verbose_name="start-up rejects",
                            ),
                        ),
                        (
                            "startup_minutes",
                            models.PositiveSmallIntegerField(
                                default=0,
                                help_text="Rejects in the first so many minutes of a run are start-up rejects; 0 = there are none.",
                                validators=[django.core.validators.MaxValueValidator(1440)],
                                verbose_name="start-up (min)",
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
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="oee_policies",
                                to="enterprise.site",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "OEE policy",
                        "verbose_name_plural": "OEE policies",
                        "ordering": ["site", "valid_from"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("site", "valid_from"),
                                name="one_oee_policy_per_site_and_day",
                                nulls_distinct=False,
                                violation_error_message="The site has a policy from that day on already; change that one.",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="OeeRecord",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
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
                pgtrigger.migrations.AddTrigger(
                    model_name="shiftclosing",
                    trigger=pgtrigger.compiler.Trigger(
                        name="shift_closing_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="6ec6d645a9f9cda47670a9f4f65f40b6ea071879",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_shift_closing_append_only_9b2ab",
                            table="oee_shiftclosing",
                            when="BEFORE",
                        ),
                    ),
                ),
            ]
        ),
    ]
