from decimal import Decimal

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import enterprise.models
from core.migration_operations import Together


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "__first__"),
    ]

    operations = [
        Together(
            [
                migrations.CreateModel(
                    name="Area",
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
                    name="Enterprise",
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
                    name="MachineClass",
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
                        "verbose_name": "machine class",
                        "verbose_name_plural": "machine classes",
                        "ordering": ["code"],
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="HistoricalEnterprise",
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
                        "verbose_name": "historical enterprise",
                        "verbose_name_plural": "historical enterprises",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalLine",
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
                            "oee_mode",
                            models.CharField(
                                choices=[
                                    ("constraint", "The constraint machine's"),
                                    ("last", "The last machine's"),
                                    ("weighted", "All machines', summed"),
                                ],
                                default="constraint",
                                help_text="Which machines' times and pieces stand for the line.",
                                max_length=10,
                                verbose_name="OEE of the line is",
                            ),
                        ),
                        (
                            "buffer_time",
                            models.PositiveIntegerField(
                                default=300,
                                help_text="How long what lies between two machines keeps the next one busy. The search for what began a stop of the line looks that far back.",
                                validators=[django.core.validators.MaxValueValidator(86400)],
                                verbose_name="buffer between machines (s)",
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
                            "area",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.area",
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
                        "verbose_name": "historical line",
                        "verbose_name_plural": "historical lines",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalMachineClass",
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
                        "verbose_name": "historical machine class",
                        "verbose_name_plural": "historical machine classes",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalSite",
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
                            "time_zone",
                            models.CharField(
                                default="UTC",
                                help_text="IANA name, for example Europe/Warsaw. Shifts and reports follow it; storage is UTC.",
                                max_length=64,
                                validators=[enterprise.models.validate_time_zone],
                            ),
                        ),
                        (
                            "locale",
                            models.CharField(
                                default="en", help_text="Language of its screens, for example en or pl.", max_length=10
                            ),
                        ),
                        (
                            "currency",
                            models.CharField(
                                blank=True,
                                help_text="ISO 4217, such as EUR. The costs of its machines are in it.",
                                max_length=3,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "^[A-Z]{3}\\Z",
                                        "Write the currency as three capital letters, such as EUR or PLN.",
                                    )
                                ],
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
                            "enterprise",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.enterprise",
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
                        "verbose_name": "historical site",
                        "verbose_name_plural": "historical sites",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="Line",
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
                            "oee_mode",
                            models.CharField(
                                choices=[
                                    ("constraint", "The constraint machine's"),
                                    ("last", "The last machine's"),
                                    ("weighted", "All machines', summed"),
                                ],
                                default="constraint",
                                help_text="Which machines' times and pieces stand for the line.",
                                max_length=10,
                                verbose_name="OEE of the line is",
                            ),
                        ),
                        (
                            "buffer_time",
                            models.PositiveIntegerField(
                                default=300,
                                help_text="How long what lies between two machines keeps the next one busy. The search for what began a stop of the line looks that far back.",
                                validators=[django.core.validators.MaxValueValidator(86400)],
                                verbose_name="buffer between machines (s)",
                            ),
                        ),
                        (
                            "area",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="enterprise.area"
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["code"],
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="Machine",
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
                            "custom",
                            models.JSONField(blank=True, default=dict, editable=False, verbose_name="custom fields"),
                        ),
                        (
                            "position",
                            models.PositiveSmallIntegerField(
                                default=1, help_text="Its place along the line; the highest is the last."
                            ),
                        ),
                        (
                            "is_constraint",
                            models.BooleanField(
                                default=False,
                                help_text="The machine that sets the pace of the line. A line has at most one.",
                                verbose_name="constraint",
                            ),
                        ),
                        (
                            "no_signal_timeout",
                            models.PositiveIntegerField(
                                blank=True,
                                help_text="When the machine sends neither a state nor a count for longer, nothing is known of it from its last signal on: no data, not idle. Empty = its last state holds, however long it is silent.",
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(10),
                                    django.core.validators.MaxValueValidator(604800),
                                ],
                                verbose_name="no-signal timeout (s)",
                            ),
                        ),
                        (
                            "stop_detection",
                            models.CharField(
                                choices=[
                                    ("states", "From the states that it sends"),
                                    ("counts", "From its counts: it stands when none comes"),
                                ],
                                default="states",
                                help_text="With counts, states only say why it stands.",
                                max_length=6,
                                verbose_name="stops are found",
                            ),
                        ),
                        (
                            "stop_after",
                            models.PositiveIntegerField(
                                blank=True,
                                help_text="For stops from counts: it has stood since its last piece when none follows for longer.",
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(86400),
                                ],
                                verbose_name="stands after (s)",
                            ),
                        ),
                        (
                            "run_after",
                            models.PositiveSmallIntegerField(
                                default=1,
                                help_text="For stops from counts: so many pieces in a row make it run again; fewer are a nudge.",
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(100),
                                ],
                                verbose_name="runs after (pieces)",
                            ),
                        ),
                        (
                            "micro_stop_below",
                            models.PositiveIntegerField(
                                blank=True,
                                help_text="An unplanned stop that is shorter is a micro-stop. Empty = there are none. A product may say otherwise.",
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(3600),
                                ],
                                verbose_name="micro-stops are below (s)",
                            ),
                        ),
                        (
                            "slow_cycle_above",
                            models.PositiveSmallIntegerField(
                                blank=True,
                                help_text="In percent of the ideal cycle time: 120 = a fifth slower. Empty = not looked for.",
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(101),
                                    django.core.validators.MaxValueValidator(1000),
                                ],
                                verbose_name="slow cycles are above (%)",
                            ),
                        ),
                        (
                            "hourly_cost",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                help_text="In the site's currency: what an hour costs in which it should run and does not. Empty = not known.",
                                max_digits=12,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                                verbose_name="cost of a lost hour",
                            ),
                        ),
                        (
                            "line",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="machines",
                                to="enterprise.line",
                            ),
                        ),
                        (
                            "machine_class",
                            models.ForeignKey(
                                blank=True,
                                help_text="Any machine of the class can do an operation that asks for the class.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="machines",
                                to="enterprise.machineclass",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["line", "position", "code"],
                        "abstract": False,
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("is_constraint", True)),
                                fields=("line",),
                                name="one_constraint_machine_per_line",
                                violation_error_message="The line has another constraint machine; clear its mark first.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("stop_detection", "counts"), _negated=True),
                                    ("stop_after__isnull", False),
                                    _connector="OR",
                                ),
                                name="machine_stops_from_counts_after",
                                violation_error_message="Say after how many seconds without a piece it stands ('stands after').",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="HistoricalMachine",
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
                            "custom",
                            models.JSONField(blank=True, default=dict, editable=False, verbose_name="custom fields"),
                        ),
                        (
                            "position",
                            models.PositiveSmallIntegerField(
                                default=1, help_text="Its place along the line; the highest is the last."
                            ),
                        ),
                        (
                            "is_constraint",
                            models.BooleanField(
                                default=False,
                                help_text="The machine that sets the pace of the line. A line has at most one.",
                                verbose_name="constraint",
                            ),
                        ),
                        (
                            "no_signal_timeout",
                            models.PositiveIntegerField(
                                blank=True,
                                help_text="When the machine sends neither a state nor a count for longer, nothing is known of it from its last signal on: no data, not idle. Empty = its last state holds, however long it is silent.",
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(10),
                                    django.core.validators.MaxValueValidator(604800),
                                ],
                                verbose_name="no-signal timeout (s)",
                            ),
                        ),
                        (
                            "stop_detection",
                            models.CharField(
                                choices=[
                                    ("states", "From the states that it sends"),
                                    ("counts", "From its counts: it stands when none comes"),
                                ],
                                default="states",
                                help_text="With counts, states only say why it stands.",
                                max_length=6,
                                verbose_name="stops are found",
                            ),
                        ),
                        (
                            "stop_after",
                            models.PositiveIntegerField(
                                blank=True,
                                help_text="For stops from counts: it has stood since its last piece when none follows for longer.",
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(86400),
                                ],
                                verbose_name="stands after (s)",
                            ),
                        ),
                        (
                            "run_after",
                            models.PositiveSmallIntegerField(
                                default=1,
                                help_text="For stops from counts: so many pieces in a row make it run again; fewer are a nudge.",
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(100),
                                ],
                                verbose_name="runs after (pieces)",
                            ),
                        ),
                        (
                            "micro_stop_below",
                            models.PositiveIntegerField(
                                blank=True,
                                help_text="An unplanned stop that is shorter is a micro-stop. Empty = there are none. A product may say otherwise.",
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(3600),
                                ],
                                verbose_name="micro-stops are below (s)",
                            ),
                        ),
                        (
                            "slow_cycle_above",
                            models.PositiveSmallIntegerField(
                                blank=True,
                                help_text="In percent of the ideal cycle time: 120 = a fifth slower. Empty = not looked for.",
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(101),
                                    django.core.validators.MaxValueValidator(1000),
                                ],
                                verbose_name="slow cycles are above (%)",
                            ),
                        ),
                        (
                            "hourly_cost",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                help_text="In the site's currency: what an hour costs in which it should run and does not. Empty = not known.",
                                max_digits=12,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                                verbose_name="cost of a lost hour",
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
                            "machine_class",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="Any machine of the class can do an operation that asks for the class.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.machineclass",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical machine",
                        "verbose_name_plural": "historical machines",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="Shift",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=100)),
                        (
                            "kind",
                            models.CharField(
                                choices=[("regular", "Regular"), ("extra", "Extra shift"), ("overtime", "Overtime")],
                                default="regular",
                                max_length=10,
                            ),
                        ),
                        (
                            "weekdays",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.PositiveSmallIntegerField(
                                    choices=[
                                        (1, "Monday"),
                                        (2, "Tuesday"),
                                        (3, "Wednesday"),
                                        (4, "Thursday"),
                                        (5, "Friday"),
                                        (6, "Saturday"),
                                        (7, "Sunday"),
                                    ]
                                ),
                                default=enterprise.models.every_weekday,
                                help_text="ISO weekdays on which it starts: 1 = Monday … 7 = Sunday.",
                                size=None,
                            ),
                        ),
                        ("start_time", models.TimeField(help_text="Wall-clock time of the site.")),
                        ("end_time", models.TimeField(help_text="At or before the start = on the next day.")),
                        (
                            "valid_from",
                            models.DateField(blank=True, help_text="First day; empty = always was.", null=True),
                        ),
                        (
                            "valid_until",
                            models.DateField(
                                blank=True, help_text="The first day on which it no longer holds.", null=True
                            ),
                        ),
                        (
                            "line",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="%(class)ss",
                                to="enterprise.line",
                            ),
                        ),
                        (
                            "machine",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="%(class)ss",
                                to="enterprise.machine",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["site", "line", "machine", "start_time", "name"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("weekdays__contained_by", [1, 2, 3, 4, 5, 6, 7]), ("weekdays__len__gt", 0)
                                ),
                                name="shift_weekdays_are_iso",
                                violation_error_message="Weekdays are numbers from 1 (Monday) to 7 (Sunday), at least one.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("valid_from__isnull", True),
                                    ("valid_until__isnull", True),
                                    ("valid_until__gt", models.F("valid_from")),
                                    _connector="OR",
                                ),
                                name="shift_validity_not_empty",
                                violation_error_message="The shift must be valid on at least one day: 'valid until' is the day after the last.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("kind", "regular"),
                                    models.Q(("valid_from__isnull", False), ("valid_until__isnull", False)),
                                    _connector="OR",
                                ),
                                name="shift_extra_names_its_days",
                                violation_error_message="An extra shift or overtime names its days: fill in 'valid from' and 'valid until'.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="HistoricalShiftBreak",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        ("name", models.CharField(default="Break", max_length=100)),
                        (
                            "start_time",
                            models.TimeField(help_text="Wall-clock; before the shift's start = on the next day."),
                        ),
                        ("end_time", models.TimeField()),
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
                        "verbose_name": "historical shift break",
                        "verbose_name_plural": "historical shift breaks",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="ShiftBreak",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(default="Break", max_length=100)),
                        (
                            "start_time",
                            models.TimeField(help_text="Wall-clock; before the shift's start = on the next day."),
                        ),
                        ("end_time", models.TimeField()),
                        (
                            "shift",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="breaks",
                                to="enterprise.shift",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["shift", "start_time"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("start_time", models.F("end_time")), _negated=True),
                                name="shift_break_not_empty",
                                violation_error_message="A break ends after it starts.",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Site",
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
                            "time_zone",
                            models.CharField(
                                default="UTC",
                                help_text="IANA name, for example Europe/Warsaw. Shifts and reports follow it; storage is UTC.",
                                max_length=64,
                                validators=[enterprise.models.validate_time_zone],
                            ),
                        ),
                        (
                            "locale",
                            models.CharField(
                                default="en", help_text="Language of its screens, for example en or pl.", max_length=10
                            ),
                        ),
                        (
                            "currency",
                            models.CharField(
                                blank=True,
                                help_text="ISO 4217, such as EUR. The costs of its machines are in it.",
                                max_length=3,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "^[A-Z]{3}\\Z",
                                        "Write the currency as three capital letters, such as EUR or PLN.",
                                    )
                                ],
                            ),
                        ),
                        (
                            "enterprise",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="sites",
                                to="enterprise.enterprise",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["code"],
                        "abstract": False,
                    },
                ),
            ]
        ),
        migrations.AddField(
            model_name="shift",
            name="site",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="%(class)ss",
                to="enterprise.site",
            ),
        ),
        Together(
            [
                migrations.CreateModel(
                    name="HistoricalShift",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        ("name", models.CharField(max_length=100)),
                        (
                            "kind",
                            models.CharField(
                                choices=[("regular", "Regular"), ("extra", "Extra shift"), ("overtime", "Overtime")],
                                default="regular",
                                max_length=10,
                            ),
                        ),
                        (
                            "weekdays",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.PositiveSmallIntegerField(
                                    choices=[
                                        (1, "Monday"),
                                        (2, "Tuesday"),
                                        (3, "Wednesday"),
                                        (4, "Thursday"),
                                        (5, "Friday"),
                                        (6, "Saturday"),
                                        (7, "Sunday"),
                                    ]
                                ),
                                default=enterprise.models.every_weekday,
                                help_text="ISO weekdays on which it starts: 1 = Monday … 7 = Sunday.",
                                size=None,
                            ),
                        ),
                        ("start_time", models.TimeField(help_text="Wall-clock time of the site.")),
                        ("end_time", models.TimeField(help_text="At or before the start = on the next day.")),
                        (
                            "valid_from",
                            models.DateField(blank=True, help_text="First day; empty = always was.", null=True),
                        ),
                        (
                            "valid_until",
                            models.DateField(
                                blank=True, help_text="The first day on which it no longer holds.", null=True
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
                        "verbose_name": "historical shift",
                        "verbose_name_plural": "historical shifts",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalCalendarException",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        ("date", models.DateField()),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("holiday", "Holiday: no regular shifts"),
                                    ("working_day", "Working day: regular shifts as usual"),
                                ],
                                default="holiday",
                                max_length=12,
                            ),
                        ),
                        ("name", models.CharField(max_length=100)),
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
                        "verbose_name": "historical calendar exception",
                        "verbose_name_plural": "historical calendar exceptions",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalArea",
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
                        "verbose_name": "historical area",
                        "verbose_name_plural": "historical areas",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="CalendarException",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("date", models.DateField()),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("holiday", "Holiday: no regular shifts"),
                                    ("working_day", "Working day: regular shifts as usual"),
                                ],
                                default="holiday",
                                max_length=12,
                            ),
                        ),
                        ("name", models.CharField(max_length=100)),
                        (
                            "line",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="%(class)ss",
                                to="enterprise.line",
                            ),
                        ),
                        (
                            "machine",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="%(class)ss",
                                to="enterprise.machine",
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="%(class)ss",
                                to="enterprise.site",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["date"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("line__isnull", True), ("machine__isnull", True), ("site__isnull", False)
                                    ),
                                    models.Q(
                                        ("line__isnull", False), ("machine__isnull", True), ("site__isnull", True)
                                    ),
                                    models.Q(
                                        ("line__isnull", True), ("machine__isnull", False), ("site__isnull", True)
                                    ),
                                    _connector="OR",
                                ),
                                name="calendarexception_has_one_level",
                                violation_error_message="Choose exactly one of site, line and machine.",
                            ),
                            models.UniqueConstraint(
                                fields=("date", "site", "line", "machine"),
                                name="one_calendar_exception_per_level_and_day",
                                nulls_distinct=False,
                                violation_error_message="There is an exception for that day already; change that one.",
                            ),
                        ],
                    },
                ),
            ]
        ),
        migrations.AddField(
            model_name="area",
            name="site",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="areas", to="enterprise.site"
            ),
        ),
        migrations.AddConstraint(
            model_name="shift",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("line__isnull", True), ("machine__isnull", True), ("site__isnull", False)),
                    models.Q(("line__isnull", False), ("machine__isnull", True), ("site__isnull", True)),
                    models.Q(("line__isnull", True), ("machine__isnull", False), ("site__isnull", True)),
                    _connector="OR",
                ),
                name="shift_has_one_level",
                violation_error_message="Choose exactly one of site, line and machine.",
            ),
        ),
    ]
