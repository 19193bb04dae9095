from decimal import Decimal

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.comparison
import pgtrigger.compiler
import pgtrigger.migrations
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import execution.models
from core.migration_operations import Together


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "__first__"),
        ("enterprise", "0001_initial"),
        ("labor", "0001_initial"),
        ("products", "0001_initial"),
        ("workorders", "0001_initial"),
    ]

    operations = [
        Together(
            [
                migrations.CreateModel(
                    name="ScrapReason",
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
                    name="ExecutionPolicy",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "missing_material",
                            models.CharField(
                                choices=[("refuse", "Refuse to start"), ("warn", "Warn"), ("ignore", "Say nothing")],
                                default="warn",
                                help_text="When less is in usable stock at the site than the operation still needs.",
                                max_length=6,
                            ),
                        ),
                        (
                            "machine_down",
                            models.CharField(
                                choices=[("refuse", "Refuse to start"), ("warn", "Warn"), ("ignore", "Say nothing")],
                                default="warn",
                                help_text="When the machine is stopped by a fault or in maintenance, or maintenance is scheduled on its line.",
                                max_length=6,
                            ),
                        ),
                        (
                            "site",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="execution_policy",
                                to="enterprise.site",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name_plural": "execution policies",
                    },
                ),
                migrations.CreateModel(
                    name="HistoricalExecutionPolicy",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "missing_material",
                            models.CharField(
                                choices=[("refuse", "Refuse to start"), ("warn", "Warn"), ("ignore", "Say nothing")],
                                default="warn",
                                help_text="When less is in usable stock at the site than the operation still needs.",
                                max_length=6,
                            ),
                        ),
                        (
                            "machine_down",
                            models.CharField(
                                choices=[("refuse", "Refuse to start"), ("warn", "Warn"), ("ignore", "Say nothing")],
                                default="warn",
                                help_text="When the machine is stopped by a fault or in maintenance, or maintenance is scheduled on its line.",
                                max_length=6,
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
                        "verbose_name": "historical execution policy",
                        "verbose_name_plural": "historical execution policies",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalScrapReason",
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
                        "verbose_name": "historical scrap reason",
                        "verbose_name_plural": "historical scrap reasons",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="OperationRun",
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
                                choices=[("setup", "Set-up"), ("production", "Production")],
                                default="production",
                                max_length=10,
                            ),
                        ),
                        ("started_at", models.DateTimeField()),
                        ("ended_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "ending",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("paused", "Paused"),
                                    ("finished", "Finished"),
                                    ("held", "Put on hold"),
                                    ("producing", "Set up, now producing"),
                                ],
                                max_length=9,
                            ),
                        ),
                        ("reason", models.CharField(blank=True, help_text="Why it ended.", max_length=500)),
                        ("recorded_at", models.DateTimeField()),
                        (
                            "employee",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="operation_runs",
                                to="labor.employee",
                            ),
                        ),
                        (
                            "machine",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="operation_runs",
                                to="enterprise.machine",
                            ),
                        ),
                        (
                            "operation",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="operation_runs",
                                to="workorders.operation",
                            ),
                        ),
                        (
                            "recorded_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-started_at", "-id"],
                        "indexes": [
                            models.Index(fields=["machine", "started_at"], name="operation_run_of_machine"),
                            models.Index(
                                condition=models.Q(("ended_at__isnull", True)),
                                fields=["operation"],
                                name="operation_run_open",
                            ),
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("ended_at__isnull", True),
                                    ("ended_at__gt", models.F("started_at")),
                                    _connector="OR",
                                ),
                                name="operation_run_not_empty",
                                violation_error_message="Work ends after it starts.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("ended_at__isnull", True), ("ending", "")),
                                    models.Q(("ended_at__isnull", False), models.Q(("ending", ""), _negated=True)),
                                    _connector="OR",
                                ),
                                name="operation_run_ended_says_how",
                            ),
                            django.contrib.postgres.constraints.ExclusionConstraint(
                                expressions=[
                                    ("operation", "="),
                                    ("machine", "="),
                                    (
                                        django.db.models.functions.comparison.Coalesce(
                                            models.F("employee"), models.Value(0)
                                        ),
                                        "=",
                                    ),
                                    (
                                        execution.models.SpanRange(
                                            "started_at",
                                            "ended_at",
                                            django.contrib.postgres.fields.ranges.RangeBoundary(),
                                        ),
                                        "&&",
                                    ),
                                ],
                                name="one_operation_run_at_a_time",
                                violation_error_message="That work is recorded for that time already.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="OperationStep",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "action",
                            models.CharField(
                                choices=[
                                    ("start", "Start"),
                                    ("pause", "Pause"),
                                    ("resume", "Resume"),
                                    ("finish", "Finish"),
                                    ("skip", "Skip"),
                                    ("hold", "Hold"),
                                    ("unhold", "Take off hold"),
                                    ("record", "Record afterwards"),
                                ],
                                max_length=7,
                            ),
                        ),
                        (
                            "from_status",
                            models.CharField(
                                choices=[
                                    ("pending", "Pending"),
                                    ("ready", "Ready"),
                                    ("in_progress", "In progress"),
                                    ("completed", "Completed"),
                                    ("skipped", "Skipped"),
                                    ("on_hold", "On hold"),
                                ],
                                max_length=12,
                            ),
                        ),
                        (
                            "to_status",
                            models.CharField(
                                choices=[
                                    ("pending", "Pending"),
                                    ("ready", "Ready"),
                                    ("in_progress", "In progress"),
                                    ("completed", "Completed"),
                                    ("skipped", "Skipped"),
                                    ("on_hold", "On hold"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("reason", models.CharField(blank=True, max_length=500)),
                        (
                            "warnings",
                            models.TextField(blank=True, help_text="What was warned of, and started all the same."),
                        ),
                        ("occurred_at", models.DateTimeField()),
                        ("recorded_at", models.DateTimeField()),
                        ("idempotency_key", models.CharField(blank=True, max_length=100, null=True, unique=True)),
                        (
                            "employee",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="labor.employee",
                            ),
                        ),
                        (
                            "operation",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="steps",
                                to="workorders.operation",
                            ),
                        ),
                        (
                            "operation_run",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="steps",
                                to="execution.operationrun",
                            ),
                        ),
                        (
                            "recorded_by",
                            models.ForeignKey(
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
                    name="ParameterReading",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("value", models.DecimalField(decimal_places=6, max_digits=18)),
                        ("note", models.CharField(blank=True, max_length=500)),
                        ("occurred_at", models.DateTimeField()),
                        ("recorded_at", models.DateTimeField()),
                        (
                            "parameter",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="readings",
                                to="workorders.orderparameter",
                            ),
                        ),
                        (
                            "recorded_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-occurred_at", "-id"],
                        "constraints": [
                            models.UniqueConstraint(fields=("parameter", "occurred_at"), name="parameter_reading_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ProductionReport",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("good", models.DecimalField(decimal_places=6, default=Decimal("0"), max_digits=18)),
                        ("scrap", models.DecimalField(decimal_places=6, default=Decimal("0"), max_digits=18)),
                        ("rework", models.DecimalField(decimal_places=6, default=Decimal("0"), max_digits=18)),
                        (
                            "factor_numerator",
                            models.DecimalField(decimal_places=0, default=Decimal("1"), editable=False, max_digits=40),
                        ),
                        (
                            "factor_denominator",
                            models.DecimalField(decimal_places=0, default=Decimal("1"), editable=False, max_digits=40),
                        ),
                        ("counter_start", models.DecimalField(blank=True, decimal_places=6, max_digits=18, null=True)),
                        ("counter_end", models.DecimalField(blank=True, decimal_places=6, max_digits=18, null=True)),
                        ("note", models.CharField(blank=True, max_length=500)),
                        ("occurred_at", models.DateTimeField()),
                        ("recorded_at", models.DateTimeField()),
                        ("idempotency_key", models.CharField(blank=True, max_length=100, null=True, unique=True)),
                        (
                            "employee",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="production_reports",
                                to="labor.employee",
                            ),
                        ),
                        (
                            "machine",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="production_reports",
                                to="enterprise.machine",
                            ),
                        ),
                        (
                            "operation",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="production_reports",
                                to="workorders.operation",
                            ),
                        ),
                        (
                            "recorded_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "reverses",
                            models.OneToOneField(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="reversed_by",
                                to="execution.productionreport",
                            ),
                        ),
                        (
                            "unit",
                            models.ForeignKey(
                                blank=True,
                                db_column="unit",
                                help_text="Empty = the order's own.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="products.unitofmeasure",
                                to_field="code",
                            ),
                        ),
                        (
                            "scrap_reason",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="production_reports",
                                to="execution.scrapreason",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-id"],
                        "indexes": [models.Index(fields=["operation", "occurred_at"], name="report_of_operation")],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("good__gte", 0),
                                        ("reverses__isnull", True),
                                        ("rework__gte", 0),
                                        ("scrap__gte", 0),
                                    ),
                                    models.Q(
                                        ("good__lte", 0),
                                        ("reverses__isnull", False),
                                        ("rework__lte", 0),
                                        ("scrap__lte", 0),
                                    ),
                                    _connector="OR",
                                ),
                                name="production_report_signs",
                                violation_error_message="Quantities are not negative; take a report back by reversing it.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("good", 0), ("rework", 0), ("scrap", 0), _negated=True),
                                name="production_report_says_something",
                                violation_error_message="Report good pieces, scrap or rework.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("counter_end__isnull", True), ("counter_start__isnull", True)),
                                    models.Q(
                                        ("counter_end__gte", models.F("counter_start")),
                                        ("counter_start__isnull", False),
                                    ),
                                    _connector="OR",
                                ),
                                name="production_report_two_readings",
                                violation_error_message="Give both readings of the counter, the second not below the first.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("factor_denominator__gt", 0), ("factor_numerator__gt", 0)),
                                name="production_report_factor_positive",
                            ),
                        ],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="operationstep",
                    trigger=pgtrigger.compiler.Trigger(
                        name="operation_step_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="95108322a74c2d8811095ad78da7022106501382",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_operation_step_append_only_feaf2",
                            table="execution_operationstep",
                            when="BEFORE",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="parameterreading",
                    trigger=pgtrigger.compiler.Trigger(
                        name="parameter_reading_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="79c05c0a0d5089094e5009b5564a4365d6e274e5",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_parameter_reading_append_only_6a086",
                            table="execution_parameterreading",
                            when="BEFORE",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="productionreport",
                    trigger=pgtrigger.compiler.Trigger(
                        name="production_report_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="a893b3940e9d32627d4eab72dbcd21ab4d9b7b00",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_production_report_append_only_b4290",
                            table="execution_productionreport",
                            when="BEFORE",
                        ),
                    ),
                ),
            ]
        ),
    ]
