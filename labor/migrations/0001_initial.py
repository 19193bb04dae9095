from decimal import Decimal

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.core.validators
import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import labor.models
import labor.plan_models
from core.migration_operations import Together


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "__first__"),
        ("enterprise", "0001_initial"),
        ("workorders", "0001_initial"),
    ]

    operations = [
        Together(
            [
                migrations.CreateModel(
                    name="Skill",
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
                    ],
                    options={
                        "ordering": ["code"],
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="Crew",
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
                            "site",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="crews", to="enterprise.site"
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["code"],
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="Employee",
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
                            "badge",
                            models.CharField(
                                blank=True,
                                help_text="What the badge's barcode, QR code or chip says; empty = none.",
                                max_length=100,
                                null=True,
                                unique=True,
                            ),
                        ),
                        (
                            "pin",
                            models.CharField(
                                blank=True,
                                editable=False,
                                help_text="Stored hashed; empty = cannot clock in by PIN.",
                                max_length=128,
                                verbose_name="PIN",
                            ),
                        ),
                        (
                            "hourly_rate",
                            models.DecimalField(
                                blank=True,
                                decimal_places=4,
                                help_text="What an hour costs, in the site's currency.",
                                max_digits=12,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                            ),
                        ),
                        (
                            "crew",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="members",
                                to="labor.crew",
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="employees",
                                to="enterprise.site",
                            ),
                        ),
                        (
                            "user",
                            models.OneToOneField(
                                blank=True,
                                help_text="The log-in of the same person, if there is one.",
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="employee",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["code"],
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="Attendance",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("started_at", models.DateTimeField(verbose_name="clocked in at")),
                        ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="clocked out at")),
                        ("shift_date", models.DateField(blank=True, null=True)),
                        (
                            "ended_by",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "recorded_by",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "shift",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="enterprise.shift",
                            ),
                        ),
                        (
                            "employee",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="attendances",
                                to="labor.employee",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-started_at", "-id"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("ended_at__isnull", True),
                                    ("ended_at__gt", models.F("started_at")),
                                    _connector="OR",
                                ),
                                name="attendance_not_empty",
                                violation_error_message="One clocks out after clocking in.",
                            ),
                            django.contrib.postgres.constraints.ExclusionConstraint(
                                expressions=[
                                    ("employee", "="),
                                    (
                                        labor.models.SpanRange(
                                            "started_at",
                                            "ended_at",
                                            django.contrib.postgres.fields.ranges.RangeBoundary(),
                                        ),
                                        "&&",
                                    ),
                                ],
                                name="one_attendance_at_a_time",
                                violation_error_message="There is another attendance at that time.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Absence",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("holiday", "Holiday"),
                                    ("sick", "Sick"),
                                    ("training", "Training"),
                                    ("other", "Other"),
                                ],
                                default="holiday",
                                max_length=8,
                            ),
                        ),
                        ("first_date", models.DateField(verbose_name="first day")),
                        ("last_date", models.DateField(verbose_name="last day")),
                        (
                            "employee",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="absences",
                                to="labor.employee",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["first_date", "employee"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("last_date__gte", models.F("first_date"))),
                                name="absence_not_empty",
                                violation_error_message="The last day must not be before the first.",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="EmploymentTerms",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("valid_from", models.DateField()),
                        (
                            "valid_until",
                            models.DateField(
                                blank=True, help_text="The first day on which they no longer hold.", null=True
                            ),
                        ),
                        (
                            "hours_per_day",
                            models.DecimalField(
                                blank=True,
                                decimal_places=3,
                                help_text="Work beyond it is overtime. Empty = no limit by day.",
                                max_digits=5,
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(Decimal("0")),
                                    django.core.validators.MaxValueValidator(Decimal("24")),
                                ],
                            ),
                        ),
                        (
                            "hours_per_week",
                            models.DecimalField(
                                blank=True,
                                decimal_places=3,
                                help_text="From Monday on; what is overtime of a day does not count again. Empty = no limit by week.",
                                max_digits=6,
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(Decimal("0")),
                                    django.core.validators.MaxValueValidator(Decimal("168")),
                                ],
                            ),
                        ),
                        (
                            "hourly_rate",
                            models.DecimalField(
                                blank=True,
                                decimal_places=4,
                                help_text="What an hour costs, in the site's currency. Empty = as on the person's page.",
                                max_digits=12,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                            ),
                        ),
                        (
                            "employee",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="terms", to="labor.employee"
                            ),
                        ),
                    ],
                    options={
                        "verbose_name_plural": "employment terms",
                        "ordering": ["employee", "-valid_from"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("valid_until__isnull", True),
                                    ("valid_until__gt", models.F("valid_from")),
                                    _connector="OR",
                                ),
                                name="employment_terms_not_empty",
                                violation_error_message="They must hold on at least one day.",
                            ),
                            django.contrib.postgres.constraints.ExclusionConstraint(
                                expressions=[
                                    ("employee", "="),
                                    (labor.plan_models.DayRange("valid_from", "valid_until", models.Value("[)")), "&&"),
                                ],
                                name="one_employment_terms_a_day",
                                violation_error_message="Others hold on some of those days; end those first.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="HistoricalAbsence",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("holiday", "Holiday"),
                                    ("sick", "Sick"),
                                    ("training", "Training"),
                                    ("other", "Other"),
                                ],
                                default="holiday",
                                max_length=8,
                            ),
                        ),
                        ("first_date", models.DateField(verbose_name="first day")),
                        ("last_date", models.DateField(verbose_name="last day")),
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
                            "employee",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="labor.employee",
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
                    ],
                    options={
                        "verbose_name": "historical absence",
                        "verbose_name_plural": "historical absences",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalAttendance",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        ("started_at", models.DateTimeField(verbose_name="clocked in at")),
                        ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="clocked out at")),
                        ("shift_date", models.DateField(blank=True, null=True)),
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
                            "employee",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="labor.employee",
                            ),
                        ),
                        (
                            "ended_by",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
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
                            "recorded_by",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "shift",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.shift",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical attendance",
                        "verbose_name_plural": "historical attendances",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalCrew",
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
                        "verbose_name": "historical crew",
                        "verbose_name_plural": "historical crews",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalCrewAssignment",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "first_date",
                            models.DateField(
                                help_text="Its week is the first in which the crew has this shift.",
                                verbose_name="first day",
                            ),
                        ),
                        (
                            "last_date",
                            models.DateField(
                                blank=True,
                                help_text="Empty = until further notice.",
                                null=True,
                                verbose_name="last day",
                            ),
                        ),
                        (
                            "every_weeks",
                            models.PositiveSmallIntegerField(
                                default=1,
                                help_text="1 = every week. A crew that takes turns on three shifts has three assignments of every 3 weeks, the first days of which are a week apart.",
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(52),
                                ],
                                verbose_name="every … weeks",
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
                            "crew",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="labor.crew",
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
                            "line",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="Where the crew works. Empty = anywhere at the site.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.line",
                            ),
                        ),
                        (
                            "shift",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.shift",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical crew assignment",
                        "verbose_name_plural": "historical crew assignments",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalEmployee",
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
                            "badge",
                            models.CharField(
                                blank=True,
                                db_index=True,
                                help_text="What the badge's barcode, QR code or chip says; empty = none.",
                                max_length=100,
                                null=True,
                            ),
                        ),
                        (
                            "pin",
                            models.CharField(
                                blank=True,
                                editable=False,
                                help_text="Stored hashed; empty = cannot clock in by PIN.",
                                max_length=128,
                                verbose_name="PIN",
                            ),
                        ),
                        (
                            "hourly_rate",
                            models.DecimalField(
                                blank=True,
                                decimal_places=4,
                                help_text="What an hour costs, in the site's currency.",
                                max_digits=12,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
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
                            "crew",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="labor.crew",
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
                        (
                            "user",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="The log-in of the same person, if there is one.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical employee",
                        "verbose_name_plural": "historical employees",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalEmploymentTerms",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        ("valid_from", models.DateField()),
                        (
                            "valid_until",
                            models.DateField(
                                blank=True, help_text="The first day on which they no longer hold.", null=True
                            ),
                        ),
                        (
                            "hours_per_day",
                            models.DecimalField(
                                blank=True,
                                decimal_places=3,
                                help_text="Work beyond it is overtime. Empty = no limit by day.",
                                max_digits=5,
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(Decimal("0")),
                                    django.core.validators.MaxValueValidator(Decimal("24")),
                                ],
                            ),
                        ),
                        (
                            "hours_per_week",
                            models.DecimalField(
                                blank=True,
                                decimal_places=3,
                                help_text="From Monday on; what is overtime of a day does not count again. Empty = no limit by week.",
                                max_digits=6,
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(Decimal("0")),
                                    django.core.validators.MaxValueValidator(Decimal("168")),
                                ],
                            ),
                        ),
                        (
                            "hourly_rate",
                            models.DecimalField(
                                blank=True,
                                decimal_places=4,
                                help_text="What an hour costs, in the site's currency. Empty = as on the person's page.",
                                max_digits=12,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
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
                            "employee",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="labor.employee",
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
                    ],
                    options={
                        "verbose_name": "historical employment terms",
                        "verbose_name_plural": "historical employment terms",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalLaborEntry",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("direct", "Direct work"),
                                    ("setup", "Set-up"),
                                    ("indirect", "Indirect work"),
                                    ("maintenance", "Maintenance"),
                                    ("training", "Training"),
                                    ("meeting", "Meeting"),
                                    ("break", "Break"),
                                ],
                                default="direct",
                                max_length=11,
                            ),
                        ),
                        (
                            "operation",
                            models.CharField(
                                blank=True, help_text="The operation's code in the order's routing.", max_length=64
                            ),
                        ),
                        ("started_at", models.DateTimeField()),
                        ("ended_at", models.DateTimeField(blank=True, null=True)),
                        ("quantity_produced", models.DecimalField(decimal_places=6, default=0, max_digits=18)),
                        ("quantity_rejected", models.DecimalField(decimal_places=6, default=0, max_digits=18)),
                        (
                            "standard_seconds",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                help_text="What the work takes by the standard; efficiency is measured against it.",
                                max_digits=18,
                                null=True,
                                verbose_name="standard time (s)",
                            ),
                        ),
                        ("note", models.CharField(blank=True, max_length=500)),
                        ("recorded_at", models.DateTimeField()),
                        ("approved_at", models.DateTimeField(blank=True, null=True)),
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
                            "approved_by",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "employee",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="labor.employee",
                            ),
                        ),
                        (
                            "ended_by",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
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
                            "line",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.line",
                            ),
                        ),
                        (
                            "machine",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.machine",
                            ),
                        ),
                        (
                            "recorded_by",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "work_order",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="workorders.workorder",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical labor entry",
                        "verbose_name_plural": "historical labor entries",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalLaborPolicy",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "shows_persons",
                            models.BooleanField(
                                default=False,
                                help_text="Off = efficiency is shown for crews, lines and orders only, of three people at least; everybody sees their own.",
                                verbose_name="efficiency by person",
                            ),
                        ),
                        (
                            "terminal_timeout",
                            models.PositiveSmallIntegerField(
                                default=60,
                                help_text="So long after the last touch a shared terminal forgets who stood there.",
                                validators=[
                                    django.core.validators.MinValueValidator(10),
                                    django.core.validators.MaxValueValidator(3600),
                                ],
                                verbose_name="terminal forgets after (s)",
                            ),
                        ),
                        (
                            "terminal_forgets",
                            models.BooleanField(
                                default=True,
                                help_text="Off = somebody may make several entries before they leave.",
                                verbose_name="terminal forgets after each entry",
                            ),
                        ),
                        (
                            "overtime_supplement",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                help_text="What an hour of overtime costs more: 25 = a quarter. Empty = nothing more.",
                                max_digits=5,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                                verbose_name="overtime supplement (%)",
                            ),
                        ),
                        (
                            "overtime_counts_from",
                            models.PositiveSmallIntegerField(
                                default=0,
                                help_text="On a day with less, none is counted. 0 = every moment counts.",
                                validators=[django.core.validators.MaxValueValidator(240)],
                                verbose_name="overtime counts from (min a day)",
                            ),
                        ),
                        (
                            "overtime_rounds_to",
                            models.PositiveSmallIntegerField(
                                default=0,
                                help_text="Of each day, to whole so many minutes. 0 = not rounded.",
                                validators=[django.core.validators.MaxValueValidator(60)],
                                verbose_name="overtime rounded down to (min)",
                            ),
                        ),
                        (
                            "longest_entry",
                            models.PositiveSmallIntegerField(
                                default=12,
                                help_text="Longer entries and attendances are marked when hours are approved.",
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(48),
                                ],
                                verbose_name="entries are odd from (h)",
                            ),
                        ),
                        (
                            "expiry_warning",
                            models.PositiveSmallIntegerField(
                                default=30,
                                help_text="So many days before it expires a certificate is shown as expiring.",
                                validators=[django.core.validators.MaxValueValidator(365)],
                                verbose_name="warn of certificates (days)",
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
                        "verbose_name": "historical labor policy",
                        "verbose_name_plural": "historical labor policies",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalSkill",
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
                    ],
                    options={
                        "verbose_name": "historical skill",
                        "verbose_name_plural": "historical skills",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="IdentificationTally",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("subject", models.CharField(max_length=80)),
                        ("failures", models.PositiveIntegerField(default=0)),
                        (
                            "counted_from",
                            models.DateTimeField(help_text="Failures are forgiven one by one from here on."),
                        ),
                        ("blocked_until", models.DateTimeField(null=True)),
                        (
                            "site",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="enterprise.site"
                            ),
                        ),
                    ],
                    options={
                        "verbose_name_plural": "identification tallies",
                        "constraints": [
                            models.UniqueConstraint(fields=("site", "subject"), name="identification_tally_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="LaborEntry",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("direct", "Direct work"),
                                    ("setup", "Set-up"),
                                    ("indirect", "Indirect work"),
                                    ("maintenance", "Maintenance"),
                                    ("training", "Training"),
                                    ("meeting", "Meeting"),
                                    ("break", "Break"),
                                ],
                                default="direct",
                                max_length=11,
                            ),
                        ),
                        (
                            "operation",
                            models.CharField(
                                blank=True, help_text="The operation's code in the order's routing.", max_length=64
                            ),
                        ),
                        ("started_at", models.DateTimeField()),
                        ("ended_at", models.DateTimeField(blank=True, null=True)),
                        ("quantity_produced", models.DecimalField(decimal_places=6, default=0, max_digits=18)),
                        ("quantity_rejected", models.DecimalField(decimal_places=6, default=0, max_digits=18)),
                        (
                            "standard_seconds",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                help_text="What the work takes by the standard; efficiency is measured against it.",
                                max_digits=18,
                                null=True,
                                verbose_name="standard time (s)",
                            ),
                        ),
                        ("note", models.CharField(blank=True, max_length=500)),
                        ("recorded_at", models.DateTimeField()),
                        ("approved_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "approved_by",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "employee",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="labor_entries",
                                to="labor.employee",
                            ),
                        ),
                        (
                            "ended_by",
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
                                related_name="labor_entries",
                                to="enterprise.line",
                            ),
                        ),
                        (
                            "machine",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="labor_entries",
                                to="enterprise.machine",
                            ),
                        ),
                        (
                            "recorded_by",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "work_order",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="labor_entries",
                                to="workorders.workorder",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name_plural": "labor entries",
                        "ordering": ["-started_at", "-id"],
                        "indexes": [
                            models.Index(fields=["employee", "started_at"], name="labor_entry_of_employee"),
                            models.Index(fields=["work_order", "started_at"], name="labor_entry_of_order"),
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("ended_at__isnull", True),
                                    ("ended_at__gt", models.F("started_at")),
                                    _connector="OR",
                                ),
                                name="labor_entry_not_empty",
                                violation_error_message="Work ends after it starts.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("kind__in", ["direct", "setup"]), _negated=True),
                                    ("work_order__isnull", False),
                                    _connector="OR",
                                ),
                                name="labor_entry_on_an_order_names_it",
                                violation_error_message="Direct work and set-up name their order.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("quantity_produced__gte", 0), ("quantity_rejected__gte", 0)),
                                name="labor_entry_quantities_not_negative",
                                violation_error_message="Quantities are not negative.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="LaborPolicy",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "shows_persons",
                            models.BooleanField(
                                default=False,
                                help_text="Off = efficiency is shown for crews, lines and orders only, of three people at least; everybody sees their own.",
                                verbose_name="efficiency by person",
                            ),
                        ),
                        (
                            "terminal_timeout",
                            models.PositiveSmallIntegerField(
                                default=60,
                                help_text="So long after the last touch a shared terminal forgets who stood there.",
                                validators=[
                                    django.core.validators.MinValueValidator(10),
                                    django.core.validators.MaxValueValidator(3600),
                                ],
                                verbose_name="terminal forgets after (s)",
                            ),
                        ),
                        (
                            "terminal_forgets",
                            models.BooleanField(
                                default=True,
                                help_text="Off = somebody may make several entries before they leave.",
                                verbose_name="terminal forgets after each entry",
                            ),
                        ),
                        (
                            "overtime_supplement",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                help_text="What an hour of overtime costs more: 25 = a quarter. Empty = nothing more.",
                                max_digits=5,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                                verbose_name="overtime supplement (%)",
                            ),
                        ),
                        (
                            "overtime_counts_from",
                            models.PositiveSmallIntegerField(
                                default=0,
                                help_text="On a day with less, none is counted. 0 = every moment counts.",
                                validators=[django.core.validators.MaxValueValidator(240)],
                                verbose_name="overtime counts from (min a day)",
                            ),
                        ),
                        (
                            "overtime_rounds_to",
                            models.PositiveSmallIntegerField(
                                default=0,
                                help_text="Of each day, to whole so many minutes. 0 = not rounded.",
                                validators=[django.core.validators.MaxValueValidator(60)],
                                verbose_name="overtime rounded down to (min)",
                            ),
                        ),
                        (
                            "longest_entry",
                            models.PositiveSmallIntegerField(
                                default=12,
                                help_text="Longer entries and attendances are marked when hours are approved.",
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(48),
                                ],
                                verbose_name="entries are odd from (h)",
                            ),
                        ),
                        (
                            "expiry_warning",
                            models.PositiveSmallIntegerField(
                                default=30,
                                help_text="So many days before it expires a certificate is shown as expiring.",
                                validators=[django.core.validators.MaxValueValidator(365)],
                                verbose_name="warn of certificates (days)",
                            ),
                        ),
                        (
                            "site",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="labor_policy",
                                to="enterprise.site",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name_plural": "labor policies",
                    },
                ),
                migrations.CreateModel(
                    name="HistoricalBreakRule",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "after_hours",
                            models.DecimalField(
                                decimal_places=2,
                                help_text="Longer work needs the break: 6 and 30 minutes, 9 and 45 minutes in Germany.",
                                max_digits=4,
                                validators=[
                                    django.core.validators.MinValueValidator(Decimal("0")),
                                    django.core.validators.MaxValueValidator(Decimal("24")),
                                ],
                                verbose_name="after (h of work)",
                            ),
                        ),
                        (
                            "minutes",
                            models.PositiveSmallIntegerField(
                                help_text="In all, over the day.",
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(240),
                                ],
                                verbose_name="break (min)",
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
                            "policy",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="labor.laborpolicy",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical break rule",
                        "verbose_name_plural": "historical break rules",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="BreakRule",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "after_hours",
                            models.DecimalField(
                                decimal_places=2,
                                help_text="Longer work needs the break: 6 and 30 minutes, 9 and 45 minutes in Germany.",
                                max_digits=4,
                                validators=[
                                    django.core.validators.MinValueValidator(Decimal("0")),
                                    django.core.validators.MaxValueValidator(Decimal("24")),
                                ],
                                verbose_name="after (h of work)",
                            ),
                        ),
                        (
                            "minutes",
                            models.PositiveSmallIntegerField(
                                help_text="In all, over the day.",
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(240),
                                ],
                                verbose_name="break (min)",
                            ),
                        ),
                        (
                            "policy",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="break_rules",
                                to="labor.laborpolicy",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["policy", "after_hours"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("policy", "after_hours"),
                                name="break_rule_once",
                                violation_error_message="There is a rule for that many hours already.",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="HistoricalSkillNeed",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
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
                            "line",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.line",
                            ),
                        ),
                        (
                            "machine",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.machine",
                            ),
                        ),
                        (
                            "skill",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="labor.skill",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical skill need",
                        "verbose_name_plural": "historical skill needs",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalCertificate",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        ("valid_from", models.DateField()),
                        (
                            "valid_until",
                            models.DateField(blank=True, help_text="The last day; empty = does not expire.", null=True),
                        ),
                        ("reference", models.CharField(blank=True, help_text="Where the paper is.", max_length=200)),
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
                            "employee",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="labor.employee",
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
                            "skill",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="labor.skill",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical certificate",
                        "verbose_name_plural": "historical certificates",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="Certificate",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("valid_from", models.DateField()),
                        (
                            "valid_until",
                            models.DateField(blank=True, help_text="The last day; empty = does not expire.", null=True),
                        ),
                        ("reference", models.CharField(blank=True, help_text="Where the paper is.", max_length=200)),
                        (
                            "employee",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="certificates",
                                to="labor.employee",
                            ),
                        ),
                        (
                            "skill",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="certificates",
                                to="labor.skill",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["employee", "skill", "-valid_from"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("employee", "skill", "valid_from"),
                                name="certificate_once",
                                violation_error_message="There is a certificate of that skill from that day on already.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("valid_until__isnull", True),
                                    ("valid_until__gte", models.F("valid_from")),
                                    _connector="OR",
                                ),
                                name="certificate_validity_not_empty",
                                violation_error_message="It must be valid on at least one day.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SkillNeed",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "line",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="skill_needs",
                                to="enterprise.line",
                            ),
                        ),
                        (
                            "machine",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="skill_needs",
                                to="enterprise.machine",
                            ),
                        ),
                        (
                            "skill",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="needs", to="labor.skill"
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["skill", "line", "machine"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("line__isnull", False), ("machine__isnull", True)),
                                    models.Q(("line__isnull", True), ("machine__isnull", False)),
                                    _connector="OR",
                                ),
                                name="skill_need_of_line_or_machine",
                                violation_error_message="Name either a line or a machine.",
                            ),
                            models.UniqueConstraint(
                                fields=("skill", "line", "machine"),
                                name="skill_need_once",
                                nulls_distinct=False,
                                violation_error_message="That skill is needed there already.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="TerminalCommand",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("key", models.CharField(max_length=100, unique=True)),
                        ("action", models.CharField(max_length=9)),
                        (
                            "digest",
                            models.CharField(help_text="SHA-256 of what was asked, without its time.", max_length=64),
                        ),
                        ("recorded_at", models.DateTimeField()),
                        (
                            "attendance",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="labor.attendance",
                            ),
                        ),
                        (
                            "employee",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="labor.employee"
                            ),
                        ),
                        (
                            "entry",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="labor.laborentry",
                            ),
                        ),
                        (
                            "recorded_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-id"],
                    },
                ),
                migrations.CreateModel(
                    name="CrewAssignment",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "first_date",
                            models.DateField(
                                help_text="Its week is the first in which the crew has this shift.",
                                verbose_name="first day",
                            ),
                        ),
                        (
                            "last_date",
                            models.DateField(
                                blank=True,
                                help_text="Empty = until further notice.",
                                null=True,
                                verbose_name="last day",
                            ),
                        ),
                        (
                            "every_weeks",
                            models.PositiveSmallIntegerField(
                                default=1,
                                help_text="1 = every week. A crew that takes turns on three shifts has three assignments of every 3 weeks, the first days of which are a week apart.",
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(52),
                                ],
                                verbose_name="every … weeks",
                            ),
                        ),
                        (
                            "crew",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="assignments", to="labor.crew"
                            ),
                        ),
                        (
                            "line",
                            models.ForeignKey(
                                blank=True,
                                help_text="Where the crew works. Empty = anywhere at the site.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="crew_assignments",
                                to="enterprise.line",
                            ),
                        ),
                        (
                            "shift",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="crew_assignments",
                                to="enterprise.shift",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["crew", "first_date", "id"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("crew", "shift", "line", "first_date"),
                                name="crew_assignment_once",
                                nulls_distinct=False,
                                violation_error_message="The crew has that shift from that day on already.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("last_date__isnull", True),
                                    ("last_date__gte", models.F("first_date")),
                                    _connector="OR",
                                ),
                                name="crew_assignment_not_empty",
                                violation_error_message="The last day must not be before the first.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("every_weeks__gte", 1)),
                                name="crew_assignment_weeks_positive",
                                violation_error_message="Every week is 1.",
                            ),
                        ],
                    },
                ),
            ]
        ),
    ]
