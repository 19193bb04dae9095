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
        ("enterprise", "0001_initial"),
        ("materials", "0001_initial"),
        ("products", "0001_initial"),
        ("workorders", "0001_initial"),
    ]

    operations = [
        Together(
            [
                migrations.CreateModel(
                    name="DefectCode",
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
                            "category",
                            models.CharField(
                                choices=[
                                    ("dimensional", "Dimensional"),
                                    ("visual", "Visual"),
                                    ("functional", "Functional"),
                                    ("material", "Material"),
                                    ("assembly", "Assembly"),
                                ],
                                max_length=11,
                            ),
                        ),
                        (
                            "severity",
                            models.CharField(
                                choices=[("critical", "Critical"), ("major", "Major"), ("minor", "Minor")],
                                default="major",
                                max_length=8,
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["code"],
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="Characteristic",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("position", models.PositiveSmallIntegerField(default=10)),
                        (
                            "code",
                            models.CharField(
                                help_text="The same in all versions: charts follow it.",
                                max_length=32,
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
                            "kind",
                            models.CharField(
                                choices=[
                                    ("variable", "Measured value"),
                                    ("attribute", "OK, not OK or not applicable"),
                                    ("count", "Number of defects"),
                                    ("text", "Text"),
                                    ("photo", "Photo"),
                                    ("choice", "One of several"),
                                ],
                                default="variable",
                                max_length=9,
                            ),
                        ),
                        (
                            "severity",
                            models.CharField(
                                choices=[("critical", "Critical"), ("major", "Major"), ("minor", "Minor")],
                                default="major",
                                max_length=8,
                            ),
                        ),
                        ("nominal", models.DecimalField(blank=True, decimal_places=9, max_digits=24, null=True)),
                        (
                            "lower_limit",
                            models.DecimalField(
                                blank=True,
                                decimal_places=9,
                                help_text="Empty = none.",
                                max_digits=24,
                                null=True,
                                verbose_name="lower limit (LSL)",
                            ),
                        ),
                        (
                            "upper_limit",
                            models.DecimalField(
                                blank=True,
                                decimal_places=9,
                                help_text="Empty = none. Of a count: how many are allowed.",
                                max_digits=24,
                                null=True,
                                verbose_name="upper limit (USL)",
                            ),
                        ),
                        (
                            "decimals",
                            models.PositiveSmallIntegerField(
                                default=3,
                                help_text="How many places a value is read to, at most.",
                                validators=[django.core.validators.MaxValueValidator(9)],
                            ),
                        ),
                        (
                            "choices",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=100),
                                blank=True,
                                default=list,
                                help_text="For one of several: the values, with commas between.",
                                size=None,
                            ),
                        ),
                        (
                            "accepted",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=100),
                                blank=True,
                                default=list,
                                help_text="Those of them that are fine.",
                                size=None,
                            ),
                        ),
                        (
                            "needs_gauge",
                            models.BooleanField(
                                default=False, help_text="A result names the gauge, which must be calibrated."
                            ),
                        ),
                        (
                            "is_required",
                            models.BooleanField(
                                default=True,
                                help_text="The inspection ends only with its results.",
                                verbose_name="required",
                            ),
                        ),
                        ("instructions", models.TextField(blank=True, max_length=4000)),
                        (
                            "unit",
                            models.ForeignKey(
                                blank=True,
                                db_column="unit",
                                help_text="What values and limits are in.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="products.unitofmeasure",
                                to_field="code",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["plan", "position", "id"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("lower_limit__isnull", True),
                                    ("upper_limit__isnull", True),
                                    ("lower_limit__lte", models.F("upper_limit")),
                                    _connector="OR",
                                ),
                                name="characteristic_limits_in_order",
                                violation_error_message="The lower limit is not above the upper one.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("kind__in", ["variable", "count"]),
                                    models.Q(("lower_limit__isnull", True), ("upper_limit__isnull", True)),
                                    _connector="OR",
                                ),
                                name="characteristic_limits_of_numbers",
                                violation_error_message="Only measured values and counts have limits.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("choices__len__gt", 0), ("kind", "choice")),
                                    models.Q(models.Q(("kind", "choice"), _negated=True), ("choices", [])),
                                    _connector="OR",
                                ),
                                name="characteristic_choice_has_choices",
                                violation_error_message="One of several, and only that, has values to choose from.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("choices__contains", models.F("accepted"))),
                                name="characteristic_accepts_its_choices",
                                violation_error_message="What is accepted is among the choices.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ControlChart",
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
                            "kind",
                            models.CharField(
                                choices=[
                                    ("xbar_r", "X̄-R: mean and range"),
                                    ("xbar_s", "X̄-S: mean and standard deviation"),
                                    ("i_mr", "I-MR: single values and moving range"),
                                    ("ewma", "EWMA: weighted moving average"),
                                    ("p", "p: share of nonconforming units"),
                                    ("np", "np: number of nonconforming units"),
                                    ("c", "c: defects per sample"),
                                    ("u", "u: defects per unit"),
                                ],
                                default="i_mr",
                                max_length=6,
                            ),
                        ),
                        (
                            "subgroup_size",
                            models.PositiveSmallIntegerField(
                                default=1,
                                help_text="Results to a point.",
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(1000),
                                ],
                            ),
                        ),
                        (
                            "rule_set",
                            models.CharField(
                                choices=[("western_electric", "Western Electric"), ("nelson", "Nelson")],
                                default="nelson",
                                max_length=16,
                                verbose_name="rules",
                            ),
                        ),
                        (
                            "weight",
                            models.DecimalField(
                                blank=True,
                                decimal_places=4,
                                max_digits=5,
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(Decimal("0.0001")),
                                    django.core.validators.MaxValueValidator(Decimal("1")),
                                ],
                                verbose_name="weight λ of an EWMA",
                            ),
                        ),
                        (
                            "on_signal",
                            models.CharField(
                                choices=[
                                    ("nothing", "Show it"),
                                    ("nonconformance", "Raise a non-conformance"),
                                    ("contain", "Raise one, and block order and lot"),
                                ],
                                default="nothing",
                                max_length=14,
                                verbose_name="when a rule is broken",
                            ),
                        ),
                        (
                            "characteristic",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="control_charts",
                                to="quality.characteristic",
                            ),
                        ),
                        (
                            "machine",
                            models.ForeignKey(
                                blank=True,
                                help_text="Only results of this machine. Empty = of all.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="control_charts",
                                to="enterprise.machine",
                            ),
                        ),
                        (
                            "product",
                            models.ForeignKey(
                                blank=True,
                                help_text="Only results of this product. Empty = of all.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="control_charts",
                                to="products.product",
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="control_charts",
                                to="enterprise.site",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["code"],
                        "abstract": False,
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("kind", "i_mr"), ("subgroup_size", 1)),
                                    models.Q(
                                        ("kind__in", ["xbar_r", "xbar_s"]),
                                        ("subgroup_size__gte", 2),
                                        ("subgroup_size__lte", 25),
                                    ),
                                    ("kind__in", ["ewma", "p", "np", "c", "u"]),
                                    _connector="OR",
                                ),
                                name="chart_subgroup_fits_its_kind",
                                violation_error_message="Single values: subgroups of 1; means: subgroups of 2 to 25.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("kind", "ewma"), ("weight__isnull", False)),
                                    models.Q(models.Q(("kind", "ewma"), _negated=True), ("weight__isnull", True)),
                                    _connector="OR",
                                ),
                                name="chart_weight_of_an_ewma",
                                violation_error_message="An EWMA, and only that, has a weight.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ChartPhase",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=100)),
                        ("starts_at", models.DateTimeField()),
                        ("centre", models.CharField(max_length=60)),
                        ("sigma", models.CharField(blank=True, help_text="Empty on charts of counts.", max_length=60)),
                        ("size", models.DecimalField(blank=True, decimal_places=6, max_digits=18, null=True)),
                        ("subgroups", models.PositiveIntegerField()),
                        ("learned_from", models.DateTimeField(help_text="The first result that it rests on …")),
                        ("learned_until", models.DateTimeField(help_text="… and the end of those.")),
                        ("comment", models.CharField(blank=True, max_length=500)),
                        ("set_at", models.DateTimeField()),
                        (
                            "set_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "chart",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="phases",
                                to="quality.controlchart",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["chart", "starts_at", "id"],
                    },
                ),
                migrations.CreateModel(
                    name="Gauge",
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
                        ("serial_number", models.CharField(blank=True, max_length=100)),
                        (
                            "interval_days",
                            models.PositiveIntegerField(
                                blank=True,
                                help_text="Proposed with the next calibration. Empty = not said.",
                                null=True,
                                verbose_name="calibrate every (days)",
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="gauges", to="enterprise.site"
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["code"],
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="Calibration",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("calibrated_at", models.DateTimeField()),
                        ("valid_until", models.DateTimeField(help_text="From then on the gauge is refused.")),
                        (
                            "result",
                            models.CharField(
                                choices=[("good", "Within tolerance"), ("failed", "Out of tolerance")],
                                default="good",
                                max_length=6,
                            ),
                        ),
                        (
                            "deviation",
                            models.CharField(blank=True, help_text="How far it was off, as found.", max_length=200),
                        ),
                        ("certificate", models.CharField(blank=True, max_length=200)),
                        ("comment", models.CharField(blank=True, max_length=500)),
                        (
                            "calibrated_by",
                            models.CharField(blank=True, help_text="The laboratory or person.", max_length=200),
                        ),
                        ("recorded_at", models.DateTimeField()),
                        (
                            "recorded_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "gauge",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="calibrations",
                                to="quality.gauge",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-calibrated_at", "-id"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("gauge", "calibrated_at"),
                                name="calibration_once",
                                violation_error_message="There is a calibration of that moment already.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("valid_until__gt", models.F("calibrated_at"))),
                                name="calibration_validity_not_empty",
                                violation_error_message="It is valid until after it was done.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="GaugeTag",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "tag_path",
                            models.CharField(
                                help_text="How the device names it: L1/CALIPER/diameter.", max_length=255, unique=True
                            ),
                        ),
                        ("is_active", models.BooleanField(default=True, verbose_name="active")),
                        (
                            "characteristic",
                            models.ForeignKey(
                                help_text="Of any version of the plan; a reading counts for the version that is valid then.",
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="gauge_tags",
                                to="quality.characteristic",
                            ),
                        ),
                        (
                            "gauge",
                            models.ForeignKey(
                                blank=True,
                                help_text="Whose calibration is checked. Empty = none is.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="tags",
                                to="quality.gauge",
                            ),
                        ),
                        (
                            "machine",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="gauge_tags",
                                to="enterprise.machine",
                            ),
                        ),
                        (
                            "unit",
                            models.ForeignKey(
                                blank=True,
                                db_column="unit",
                                help_text="What it sends. Empty = the characteristic's unit.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="products.unitofmeasure",
                                to_field="code",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["tag_path"],
                    },
                ),
                migrations.CreateModel(
                    name="HistoricalControlChart",
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
                            "kind",
                            models.CharField(
                                choices=[
                                    ("xbar_r", "X̄-R: mean and range"),
                                    ("xbar_s", "X̄-S: mean and standard deviation"),
                                    ("i_mr", "I-MR: single values and moving range"),
                                    ("ewma", "EWMA: weighted moving average"),
                                    ("p", "p: share of nonconforming units"),
                                    ("np", "np: number of nonconforming units"),
                                    ("c", "c: defects per sample"),
                                    ("u", "u: defects per unit"),
                                ],
                                default="i_mr",
                                max_length=6,
                            ),
                        ),
                        (
                            "subgroup_size",
                            models.PositiveSmallIntegerField(
                                default=1,
                                help_text="Results to a point.",
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(1000),
                                ],
                            ),
                        ),
                        (
                            "rule_set",
                            models.CharField(
                                choices=[("western_electric", "Western Electric"), ("nelson", "Nelson")],
                                default="nelson",
                                max_length=16,
                                verbose_name="rules",
                            ),
                        ),
                        (
                            "weight",
                            models.DecimalField(
                                blank=True,
                                decimal_places=4,
                                max_digits=5,
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(Decimal("0.0001")),
                                    django.core.validators.MaxValueValidator(Decimal("1")),
                                ],
                                verbose_name="weight λ of an EWMA",
                            ),
                        ),
                        (
                            "on_signal",
                            models.CharField(
                                choices=[
                                    ("nothing", "Show it"),
                                    ("nonconformance", "Raise a non-conformance"),
                                    ("contain", "Raise one, and block order and lot"),
                                ],
                                default="nothing",
                                max_length=14,
                                verbose_name="when a rule is broken",
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
                            "characteristic",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="quality.characteristic",
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
                            "machine",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="Only results of this machine. Empty = of all.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.machine",
                            ),
                        ),
                        (
                            "product",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="Only results of this product. Empty = of all.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="products.product",
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
                        "verbose_name": "historical control chart",
                        "verbose_name_plural": "historical control charts",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalDefectCode",
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
                            "category",
                            models.CharField(
                                choices=[
                                    ("dimensional", "Dimensional"),
                                    ("visual", "Visual"),
                                    ("functional", "Functional"),
                                    ("material", "Material"),
                                    ("assembly", "Assembly"),
                                ],
                                max_length=11,
                            ),
                        ),
                        (
                            "severity",
                            models.CharField(
                                choices=[("critical", "Critical"), ("major", "Major"), ("minor", "Minor")],
                                default="major",
                                max_length=8,
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
                        "verbose_name": "historical defect code",
                        "verbose_name_plural": "historical defect codes",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalGauge",
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
                        ("serial_number", models.CharField(blank=True, max_length=100)),
                        (
                            "interval_days",
                            models.PositiveIntegerField(
                                blank=True,
                                help_text="Proposed with the next calibration. Empty = not said.",
                                null=True,
                                verbose_name="calibrate every (days)",
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
                        "verbose_name": "historical gauge",
                        "verbose_name_plural": "historical gauges",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalGaugeTag",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "tag_path",
                            models.CharField(
                                db_index=True, help_text="How the device names it: L1/CALIPER/diameter.", max_length=255
                            ),
                        ),
                        ("is_active", models.BooleanField(default=True, verbose_name="active")),
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
                            "characteristic",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="Of any version of the plan; a reading counts for the version that is valid then.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="quality.characteristic",
                            ),
                        ),
                        (
                            "gauge",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="Whose calibration is checked. Empty = none is.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="quality.gauge",
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
                            "unit",
                            models.ForeignKey(
                                blank=True,
                                db_column="unit",
                                db_constraint=False,
                                help_text="What it sends. Empty = the characteristic's unit.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="products.unitofmeasure",
                                to_field="code",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical gauge tag",
                        "verbose_name_plural": "historical gauge tags",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalInspectionPlan",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "code",
                            models.CharField(
                                help_text="The same for all its versions.",
                                max_length=64,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "^[A-Za-z0-9][A-Za-z0-9._-]*\\Z",
                                        "Use letters, digits, '.', '_' and '-' only, beginning with a letter or digit; it becomes part of addresses.",
                                    )
                                ],
                            ),
                        ),
                        (
                            "version",
                            models.PositiveIntegerField(
                                default=1,
                                help_text="1, 2, 3 …: a change of a released plan is a new version.",
                                validators=[django.core.validators.MinValueValidator(1)],
                            ),
                        ),
                        ("name", models.CharField(max_length=200)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("incoming", "Incoming goods"),
                                    ("in_process", "In process"),
                                    ("final", "Final"),
                                    ("first_piece", "First piece"),
                                    ("audit", "Audit or patrol"),
                                ],
                                default="in_process",
                                max_length=11,
                            ),
                        ),
                        (
                            "status",
                            models.CharField(
                                choices=[("draft", "Draft"), ("released", "Released"), ("obsolete", "Obsolete")],
                                default="draft",
                                editable=False,
                                max_length=8,
                            ),
                        ),
                        ("valid_from", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("valid_until", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "material_type",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("raw", "Raw material"),
                                    ("component", "Component"),
                                    ("sub_assembly", "Sub-assembly"),
                                    ("consumable", "Consumable"),
                                    ("finished", "Finished product"),
                                ],
                                help_text="… or every one of a kind of material.",
                                max_length=12,
                            ),
                        ),
                        (
                            "operation_code",
                            models.CharField(
                                blank=True,
                                help_text="The operation's code. Empty = the order or lot as a whole.",
                                max_length=32,
                                verbose_name="operation",
                            ),
                        ),
                        (
                            "supplier",
                            models.CharField(
                                blank=True, help_text="Only lots of this supplier. Empty = all.", max_length=200
                            ),
                        ),
                        (
                            "blocks",
                            models.BooleanField(
                                default=True,
                                help_text="Operation, order or lot go on only when it is passed.",
                                verbose_name="quality gate",
                            ),
                        ),
                        ("instructions", models.TextField(blank=True, max_length=20000)),
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
                            "machine",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="Only what is made at this machine. Empty = wherever.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.machine",
                            ),
                        ),
                        (
                            "product",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="Empty = every product …",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="products.product",
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="Empty = every site.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.site",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical inspection plan",
                        "verbose_name_plural": "historical inspection plans",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="Inspection",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("operation_code", models.CharField(blank=True, max_length=32, verbose_name="operation")),
                        ("batch", models.CharField(blank=True, max_length=64)),
                        ("serial", models.CharField(blank=True, max_length=64)),
                        ("lot_size", models.DecimalField(blank=True, decimal_places=6, max_digits=18, null=True)),
                        (
                            "sample_size",
                            models.PositiveIntegerField(validators=[django.core.validators.MinValueValidator(1)]),
                        ),
                        (
                            "accept_number",
                            models.PositiveIntegerField(
                                default=0, help_text="With up to so many nonconforming units it is passed."
                            ),
                        ),
                        (
                            "severity",
                            models.CharField(
                                blank=True, help_text="By AQL: normal, tightened or reduced.", max_length=10
                            ),
                        ),
                        ("code_letter", models.CharField(blank=True, max_length=1)),
                        ("shift_date", models.DateField(blank=True, null=True)),
                        ("opened_at", models.DateTimeField()),
                        ("finished_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("open", "Open"),
                                    ("passed", "Passed"),
                                    ("failed", "Failed"),
                                    ("conditional", "Conditional"),
                                ],
                                default="open",
                                editable=False,
                                max_length=11,
                            ),
                        ),
                        (
                            "result",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("pass", "Pass"),
                                    ("fail", "Fail"),
                                    ("conditional_pass", "Conditional pass"),
                                    ("hold", "Hold"),
                                    ("rework_required", "Rework required"),
                                ],
                                editable=False,
                                max_length=16,
                            ),
                        ),
                        ("nonconforming", models.PositiveIntegerField(blank=True, editable=False, null=True)),
                        ("notes", models.TextField(blank=True, max_length=4000)),
                        ("idempotency_key", models.CharField(blank=True, max_length=100, null=True, unique=True)),
                        (
                            "inspector",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "lot",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="inspections",
                                to="materials.materiallot",
                            ),
                        ),
                        (
                            "machine",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="inspections",
                                to="enterprise.machine",
                            ),
                        ),
                        (
                            "product",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="inspections",
                                to="products.product",
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
                            "site",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="inspections",
                                to="enterprise.site",
                            ),
                        ),
                        (
                            "work_order",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="inspections",
                                to="workorders.workorder",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-opened_at", "-id"],
                        "indexes": [
                            models.Index(fields=["machine", "opened_at"], name="inspection_at_machine"),
                            models.Index(fields=["site", "status"], name="inspection_of_site"),
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("work_order__isnull", False),
                                    ("lot__isnull", False),
                                    ("machine__isnull", False),
                                    _connector="OR",
                                ),
                                name="inspection_of_something",
                                violation_error_message="Name an order, a lot or a machine.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("finished_at__isnull", True), ("status", "open")),
                                    models.Q(
                                        models.Q(("status", "open"), _negated=True), ("finished_at__isnull", False)
                                    ),
                                    _connector="OR",
                                ),
                                name="inspection_open_until_finished",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="HistoricalNonConformance",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        ("number", models.CharField(db_index=True, editable=False, max_length=20)),
                        ("title", models.CharField(max_length=200)),
                        ("description", models.TextField(blank=True, max_length=4000)),
                        (
                            "severity",
                            models.CharField(
                                choices=[("critical", "Critical"), ("major", "Major"), ("minor", "Minor")],
                                default="major",
                                max_length=8,
                            ),
                        ),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("open", "Open"),
                                    ("investigating", "Investigating"),
                                    ("action_pending", "Action pending"),
                                    ("closed", "Closed"),
                                ],
                                default="open",
                                editable=False,
                                max_length=14,
                            ),
                        ),
                        ("operation_code", models.CharField(blank=True, max_length=32, verbose_name="operation")),
                        (
                            "quantity",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                help_text="How much does not conform, in the product's unit. Empty = not known yet.",
                                max_digits=18,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                            ),
                        ),
                        (
                            "is_contained",
                            models.BooleanField(
                                default=True,
                                help_text="Order, operation and lot are blocked until it is decided.",
                                verbose_name="containment",
                            ),
                        ),
                        (
                            "containment",
                            models.CharField(blank=True, help_text="What was done at once.", max_length=500),
                        ),
                        (
                            "cause",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("man", "Man"),
                                    ("machine", "Machine"),
                                    ("material", "Material"),
                                    ("method", "Method"),
                                    ("measurement", "Measurement"),
                                    ("environment", "Milieu (environment)"),
                                ],
                                max_length=11,
                                verbose_name="root cause by the six Ms",
                            ),
                        ),
                        ("root_cause", models.TextField(blank=True, max_length=4000)),
                        ("raised_at", models.DateTimeField()),
                        ("approved_at", models.DateTimeField(blank=True, null=True)),
                        ("closed_at", models.DateTimeField(blank=True, null=True)),
                        ("idempotency_key", models.CharField(blank=True, db_index=True, max_length=100, null=True)),
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
                            "closed_by",
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
                            "lot",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="materials.materiallot",
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
                            "product",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="products.product",
                            ),
                        ),
                        (
                            "raised_by",
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
                        (
                            "inspection",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="quality.inspection",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical non-conformance",
                        "verbose_name_plural": "historical non-conformances",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="InspectionDecision",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "result",
                            models.CharField(
                                choices=[
                                    ("pass", "Pass"),
                                    ("fail", "Fail"),
                                    ("conditional_pass", "Conditional pass"),
                                    ("hold", "Hold"),
                                    ("rework_required", "Rework required"),
                                ],
                                max_length=16,
                            ),
                        ),
                        (
                            "disposition",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("use_as_is", "Use as is"),
                                    ("rework", "Rework"),
                                    ("scrap", "Scrap"),
                                    ("return", "Return to the supplier"),
                                ],
                                max_length=9,
                            ),
                        ),
                        ("reason", models.CharField(max_length=500)),
                        ("decided_at", models.DateTimeField()),
                        (
                            "decided_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "inspection",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="decisions",
                                to="quality.inspection",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-id"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("reason", ""), _negated=True),
                                name="inspection_decision_has_a_reason",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="InspectionPlan",
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
                                help_text="The same for all its versions.",
                                max_length=64,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "^[A-Za-z0-9][A-Za-z0-9._-]*\\Z",
                                        "Use letters, digits, '.', '_' and '-' only, beginning with a letter or digit; it becomes part of addresses.",
                                    )
                                ],
                            ),
                        ),
                        (
                            "version",
                            models.PositiveIntegerField(
                                default=1,
                                help_text="1, 2, 3 …: a change of a released plan is a new version.",
                                validators=[django.core.validators.MinValueValidator(1)],
                            ),
                        ),
                        ("name", models.CharField(max_length=200)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("incoming", "Incoming goods"),
                                    ("in_process", "In process"),
                                    ("final", "Final"),
                                    ("first_piece", "First piece"),
                                    ("audit", "Audit or patrol"),
                                ],
                                default="in_process",
                                max_length=11,
                            ),
                        ),
                        (
                            "status",
                            models.CharField(
                                choices=[("draft", "Draft"), ("released", "Released"), ("obsolete", "Obsolete")],
                                default="draft",
                                editable=False,
                                max_length=8,
                            ),
                        ),
                        ("valid_from", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("valid_until", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "material_type",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("raw", "Raw material"),
                                    ("component", "Component"),
                                    ("sub_assembly", "Sub-assembly"),
                                    ("consumable", "Consumable"),
                                    ("finished", "Finished product"),
                                ],
                                help_text="… or every one of a kind of material.",
                                max_length=12,
                            ),
                        ),
                        (
                            "operation_code",
                            models.CharField(
                                blank=True,
                                help_text="The operation's code. Empty = the order or lot as a whole.",
                                max_length=32,
                                verbose_name="operation",
                            ),
                        ),
                        (
                            "supplier",
                            models.CharField(
                                blank=True, help_text="Only lots of this supplier. Empty = all.", max_length=200
                            ),
                        ),
                        (
                            "blocks",
                            models.BooleanField(
                                default=True,
                                help_text="Operation, order or lot go on only when it is passed.",
                                verbose_name="quality gate",
                            ),
                        ),
                        ("instructions", models.TextField(blank=True, max_length=20000)),
                        (
                            "machine",
                            models.ForeignKey(
                                blank=True,
                                help_text="Only what is made at this machine. Empty = wherever.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="inspection_plans",
                                to="enterprise.machine",
                            ),
                        ),
                        (
                            "product",
                            models.ForeignKey(
                                blank=True,
                                help_text="Empty = every product …",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="inspection_plans",
                                to="products.product",
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                blank=True,
                                help_text="Empty = every site.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="inspection_plans",
                                to="enterprise.site",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["code", "-version"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("code", "version"),
                                name="one_plan_of_a_version",
                                violation_error_message="There is a version of that number already.",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("status", "released")),
                                fields=("code",),
                                name="one_released_version_of_a_plan",
                                violation_error_message="Another version of the plan is released.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("status", "draft"), ("valid_from__isnull", True)),
                                    models.Q(
                                        models.Q(("status", "draft"), _negated=True), ("valid_from__isnull", False)
                                    ),
                                    _connector="OR",
                                ),
                                name="plan_released_from_a_moment",
                                violation_error_message="A released plan says from when on it is valid.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("valid_until__isnull", True),
                                    ("valid_until__gte", models.F("valid_from")),
                                    _connector="OR",
                                ),
                                name="plan_validity_not_negative",
                            ),
                        ],
                    },
                ),
            ]
        ),
        migrations.AddField(
            model_name="inspection",
            name="plan",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="inspections", to="quality.inspectionplan"
            ),
        ),
        Together(
            [
                migrations.CreateModel(
                    name="HistoricalSamplingRule",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("each", "Each lot, or each operation of an order"),
                                    ("every_pieces", "Every so many pieces"),
                                    ("every_minutes", "Every so many minutes"),
                                    ("after_changeover", "After a changeover to another product"),
                                    ("after_stop", "After a stop longer than so many minutes"),
                                    ("aql", "Each lot, a sample by AQL"),
                                ],
                                default="each",
                                max_length=16,
                            ),
                        ),
                        (
                            "every",
                            models.PositiveIntegerField(
                                blank=True,
                                help_text="Pieces or minutes; of a stop, how long it is at least.",
                                null=True,
                                validators=[django.core.validators.MinValueValidator(1)],
                            ),
                        ),
                        (
                            "sample_size",
                            models.PositiveIntegerField(
                                default=1,
                                help_text="Units inspected each time; by AQL the table says.",
                                validators=[django.core.validators.MinValueValidator(1)],
                            ),
                        ),
                        (
                            "level",
                            models.CharField(
                                choices=[
                                    ("S-1", "S-1"),
                                    ("S-2", "S-2"),
                                    ("S-3", "S-3"),
                                    ("S-4", "S-4"),
                                    ("I", "I"),
                                    ("II", "II"),
                                    ("III", "III"),
                                ],
                                default="II",
                                max_length=3,
                                verbose_name="inspection level",
                            ),
                        ),
                        (
                            "aql",
                            models.DecimalField(
                                blank=True,
                                decimal_places=3,
                                help_text="0.65, 1, 2.5 …",
                                max_digits=7,
                                null=True,
                                verbose_name="AQL",
                            ),
                        ),
                        (
                            "may_reduce",
                            models.BooleanField(
                                default=False,
                                help_text="By AQL: after a long row of good lots fewer units are inspected. Production must run steadily.",
                                verbose_name="reduced inspection allowed",
                            ),
                        ),
                        (
                            "overdue_minutes",
                            models.PositiveIntegerField(
                                blank=True,
                                help_text="Empty = it is due, but never late.",
                                null=True,
                                verbose_name="overdue after (min)",
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
                            "plan",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="quality.inspectionplan",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical sampling rule",
                        "verbose_name_plural": "historical sampling rules",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalCharacteristic",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        ("position", models.PositiveSmallIntegerField(default=10)),
                        (
                            "code",
                            models.CharField(
                                help_text="The same in all versions: charts follow it.",
                                max_length=32,
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
                            "kind",
                            models.CharField(
                                choices=[
                                    ("variable", "Measured value"),
                                    ("attribute", "OK, not OK or not applicable"),
                                    ("count", "Number of defects"),
                                    ("text", "Text"),
                                    ("photo", "Photo"),
                                    ("choice", "One of several"),
                                ],
                                default="variable",
                                max_length=9,
                            ),
                        ),
                        (
                            "severity",
                            models.CharField(
                                choices=[("critical", "Critical"), ("major", "Major"), ("minor", "Minor")],
                                default="major",
                                max_length=8,
                            ),
                        ),
                        ("nominal", models.DecimalField(blank=True, decimal_places=9, max_digits=24, null=True)),
                        (
                            "lower_limit",
                            models.DecimalField(
                                blank=True,
                                decimal_places=9,
                                help_text="Empty = none.",
                                max_digits=24,
                                null=True,
                                verbose_name="lower limit (LSL)",
                            ),
                        ),
                        (
                            "upper_limit",
                            models.DecimalField(
                                blank=True,
                                decimal_places=9,
                                help_text="Empty = none. Of a count: how many are allowed.",
                                max_digits=24,
                                null=True,
                                verbose_name="upper limit (USL)",
                            ),
                        ),
                        (
                            "decimals",
                            models.PositiveSmallIntegerField(
                                default=3,
                                help_text="How many places a value is read to, at most.",
                                validators=[django.core.validators.MaxValueValidator(9)],
                            ),
                        ),
                        (
                            "choices",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=100),
                                blank=True,
                                default=list,
                                help_text="For one of several: the values, with commas between.",
                                size=None,
                            ),
                        ),
                        (
                            "accepted",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=100),
                                blank=True,
                                default=list,
                                help_text="Those of them that are fine.",
                                size=None,
                            ),
                        ),
                        (
                            "needs_gauge",
                            models.BooleanField(
                                default=False, help_text="A result names the gauge, which must be calibrated."
                            ),
                        ),
                        (
                            "is_required",
                            models.BooleanField(
                                default=True,
                                help_text="The inspection ends only with its results.",
                                verbose_name="required",
                            ),
                        ),
                        ("instructions", models.TextField(blank=True, max_length=4000)),
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
                            "unit",
                            models.ForeignKey(
                                blank=True,
                                db_column="unit",
                                db_constraint=False,
                                help_text="What values and limits are in.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="products.unitofmeasure",
                                to_field="code",
                            ),
                        ),
                        (
                            "plan",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="quality.inspectionplan",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical characteristic",
                        "verbose_name_plural": "historical characteristics",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
            ]
        ),
        migrations.AddField(
            model_name="characteristic",
            name="plan",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="characteristics", to="quality.inspectionplan"
            ),
        ),
        Together(
            [
                migrations.CreateModel(
                    name="NonConformance",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("number", models.CharField(editable=False, max_length=20, unique=True)),
                        ("title", models.CharField(max_length=200)),
                        ("description", models.TextField(blank=True, max_length=4000)),
                        (
                            "severity",
                            models.CharField(
                                choices=[("critical", "Critical"), ("major", "Major"), ("minor", "Minor")],
                                default="major",
                                max_length=8,
                            ),
                        ),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("open", "Open"),
                                    ("investigating", "Investigating"),
                                    ("action_pending", "Action pending"),
                                    ("closed", "Closed"),
                                ],
                                default="open",
                                editable=False,
                                max_length=14,
                            ),
                        ),
                        ("operation_code", models.CharField(blank=True, max_length=32, verbose_name="operation")),
                        (
                            "quantity",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                help_text="How much does not conform, in the product's unit. Empty = not known yet.",
                                max_digits=18,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                            ),
                        ),
                        (
                            "is_contained",
                            models.BooleanField(
                                default=True,
                                help_text="Order, operation and lot are blocked until it is decided.",
                                verbose_name="containment",
                            ),
                        ),
                        (
                            "containment",
                            models.CharField(blank=True, help_text="What was done at once.", max_length=500),
                        ),
                        (
                            "cause",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("man", "Man"),
                                    ("machine", "Machine"),
                                    ("material", "Material"),
                                    ("method", "Method"),
                                    ("measurement", "Measurement"),
                                    ("environment", "Milieu (environment)"),
                                ],
                                max_length=11,
                                verbose_name="root cause by the six Ms",
                            ),
                        ),
                        ("root_cause", models.TextField(blank=True, max_length=4000)),
                        ("raised_at", models.DateTimeField()),
                        ("approved_at", models.DateTimeField(blank=True, null=True)),
                        ("closed_at", models.DateTimeField(blank=True, null=True)),
                        ("idempotency_key", models.CharField(blank=True, max_length=100, null=True, unique=True)),
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
                            "inspection",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="nonconformances",
                                to="quality.inspection",
                            ),
                        ),
                        (
                            "lot",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="nonconformances",
                                to="materials.materiallot",
                            ),
                        ),
                        (
                            "machine",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="nonconformances",
                                to="enterprise.machine",
                            ),
                        ),
                        (
                            "product",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="nonconformances",
                                to="products.product",
                            ),
                        ),
                        (
                            "raised_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="nonconformances",
                                to="enterprise.site",
                            ),
                        ),
                        (
                            "work_order",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="nonconformances",
                                to="workorders.workorder",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "non-conformance",
                        "ordering": ["-id"],
                        "indexes": [
                            models.Index(fields=["work_order", "status"], name="nonconformance_of_order"),
                            models.Index(fields=["lot", "status"], name="nonconformance_of_lot"),
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("quantity__isnull", True), ("quantity__gt", 0), _connector="OR"),
                                name="nonconformance_quantity_positive",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("closed_at__isnull", False), ("status", "closed")),
                                    models.Q(
                                        models.Q(("status", "closed"), _negated=True), ("closed_at__isnull", True)
                                    ),
                                    _connector="OR",
                                ),
                                name="nonconformance_closed_at_a_moment",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="HistoricalCorrectiveAction",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "kind",
                            models.CharField(
                                choices=[("corrective", "Corrective"), ("preventive", "Preventive")],
                                default="corrective",
                                max_length=10,
                            ),
                        ),
                        ("description", models.TextField(max_length=4000)),
                        ("due_date", models.DateField(verbose_name="due")),
                        (
                            "check_date",
                            models.DateField(
                                help_text="The day from which its effect can be seen.",
                                verbose_name="effectiveness checked from",
                            ),
                        ),
                        ("done_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("done_note", models.CharField(blank=True, editable=False, max_length=1000)),
                        ("checked_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "verdict",
                            models.CharField(
                                blank=True,
                                choices=[("effective", "Effective"), ("not_effective", "Not effective")],
                                editable=False,
                                max_length=13,
                            ),
                        ),
                        ("check_note", models.CharField(blank=True, editable=False, max_length=1000)),
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
                            "checked_by",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                editable=False,
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
                            "owner",
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
                            "nonconformance",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="quality.nonconformance",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical corrective action",
                        "verbose_name_plural": "historical corrective actions",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="Disposition",
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
                                    ("use_as_is", "Use as is"),
                                    ("rework", "Rework"),
                                    ("scrap", "Scrap"),
                                    ("return", "Return to the supplier"),
                                ],
                                max_length=9,
                            ),
                        ),
                        (
                            "quantity",
                            models.DecimalField(
                                decimal_places=6,
                                max_digits=18,
                                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                            ),
                        ),
                        ("reason", models.CharField(max_length=500)),
                        ("decided_at", models.DateTimeField()),
                        ("idempotency_key", models.CharField(blank=True, max_length=100, null=True, unique=True)),
                        (
                            "decided_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "from_location",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="materials.location",
                            ),
                        ),
                        (
                            "material_transaction",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="materials.materialtransaction",
                            ),
                        ),
                        (
                            "rework_order",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="workorders.workorder",
                            ),
                        ),
                        (
                            "nonconformance",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="dispositions",
                                to="quality.nonconformance",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-id"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("quantity__gt", 0)), name="disposition_quantity_positive"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("reason", ""), _negated=True), name="disposition_has_a_reason"
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Defect",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "quantity",
                            models.PositiveIntegerField(
                                default=1,
                                help_text="Defects found.",
                                validators=[django.core.validators.MinValueValidator(1)],
                            ),
                        ),
                        (
                            "units",
                            models.PositiveIntegerField(
                                default=1,
                                help_text="Units that have them: one may have several.",
                                validators=[django.core.validators.MinValueValidator(1)],
                            ),
                        ),
                        (
                            "severity",
                            models.CharField(
                                choices=[("critical", "Critical"), ("major", "Major"), ("minor", "Minor")],
                                help_text="As the catalogue says, unless told.",
                                max_length=8,
                            ),
                        ),
                        (
                            "detection",
                            models.CharField(
                                choices=[
                                    ("visual", "Seen"),
                                    ("measurement", "Measured"),
                                    ("test", "Tested"),
                                    ("automatic", "Found by a machine"),
                                    ("customer", "Reported by the customer"),
                                ],
                                default="visual",
                                max_length=11,
                                verbose_name="detection method",
                            ),
                        ),
                        (
                            "cause",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("man", "Man"),
                                    ("machine", "Machine"),
                                    ("material", "Material"),
                                    ("method", "Method"),
                                    ("measurement", "Measurement"),
                                    ("environment", "Milieu (environment)"),
                                ],
                                max_length=11,
                                verbose_name="cause by the six Ms",
                            ),
                        ),
                        ("operation_code", models.CharField(blank=True, max_length=32, verbose_name="operation")),
                        ("serial", models.CharField(blank=True, max_length=64)),
                        (
                            "scrap_cost",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                max_digits=18,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                                verbose_name="cost of scrap",
                            ),
                        ),
                        (
                            "rework_cost",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                max_digits=18,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                                verbose_name="cost of rework",
                            ),
                        ),
                        ("note", models.CharField(blank=True, max_length=1000)),
                        ("detected_at", models.DateTimeField()),
                        ("recorded_at", models.DateTimeField()),
                        ("idempotency_key", models.CharField(blank=True, max_length=100, null=True, unique=True)),
                        (
                            "lot",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="defects",
                                to="materials.materiallot",
                            ),
                        ),
                        (
                            "machine",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="defects",
                                to="enterprise.machine",
                            ),
                        ),
                        (
                            "product",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="defects",
                                to="products.product",
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
                            "site",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="defects",
                                to="enterprise.site",
                            ),
                        ),
                        (
                            "work_order",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="defects",
                                to="workorders.workorder",
                            ),
                        ),
                        (
                            "code",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="defects",
                                to="quality.defectcode",
                            ),
                        ),
                        (
                            "inspection",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="defects",
                                to="quality.inspection",
                            ),
                        ),
                        (
                            "nonconformance",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="defects",
                                to="quality.nonconformance",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-detected_at", "-id"],
                        "indexes": [
                            models.Index(fields=["site", "detected_at"], name="defect_of_site"),
                            models.Index(fields=["machine", "detected_at"], name="defect_at_machine"),
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("quantity__gte", 1), ("units__gte", 1)),
                                name="defect_quantity_positive",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("scrap_cost__isnull", True), ("scrap_cost__gte", 0), _connector="OR"),
                                    models.Q(("rework_cost__isnull", True), ("rework_cost__gte", 0), _connector="OR"),
                                ),
                                name="defect_costs_not_negative",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="CorrectiveAction",
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
                                choices=[("corrective", "Corrective"), ("preventive", "Preventive")],
                                default="corrective",
                                max_length=10,
                            ),
                        ),
                        ("description", models.TextField(max_length=4000)),
                        ("due_date", models.DateField(verbose_name="due")),
                        (
                            "check_date",
                            models.DateField(
                                help_text="The day from which its effect can be seen.",
                                verbose_name="effectiveness checked from",
                            ),
                        ),
                        ("done_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("done_note", models.CharField(blank=True, editable=False, max_length=1000)),
                        ("checked_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "verdict",
                            models.CharField(
                                blank=True,
                                choices=[("effective", "Effective"), ("not_effective", "Not effective")],
                                editable=False,
                                max_length=13,
                            ),
                        ),
                        ("check_note", models.CharField(blank=True, editable=False, max_length=1000)),
                        (
                            "checked_by",
                            models.ForeignKey(
                                blank=True,
                                editable=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "owner",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "nonconformance",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="actions",
                                to="quality.nonconformance",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["due_date", "id"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("checked_at__isnull", True), ("verdict", "")),
                                    models.Q(
                                        models.Q(("verdict", ""), _negated=True),
                                        ("checked_at__isnull", False),
                                        ("checked_by__isnull", False),
                                        ("done_at__isnull", False),
                                    ),
                                    _connector="OR",
                                ),
                                name="action_checked_after_it_was_done",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("check_date__gte", models.F("due_date"))),
                                name="action_checked_when_or_after_it_is_due",
                                violation_error_message="Its effect is checked on the day it is due, or later.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Result",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "sample",
                            models.PositiveIntegerField(
                                blank=True, null=True, validators=[django.core.validators.MinValueValidator(1)]
                            ),
                        ),
                        ("serial", models.CharField(blank=True, max_length=64)),
                        ("occurred_at", models.DateTimeField()),
                        ("value", models.DecimalField(blank=True, decimal_places=9, max_digits=24, null=True)),
                        (
                            "verdict",
                            models.CharField(
                                blank=True,
                                choices=[("ok", "OK"), ("not_ok", "Not OK"), ("n/a", "Not applicable")],
                                max_length=6,
                            ),
                        ),
                        ("text", models.CharField(blank=True, max_length=1000)),
                        (
                            "source",
                            models.CharField(
                                default="", help_text="A device key's prefix, or a person.", max_length=64
                            ),
                        ),
                        ("recorded_at", models.DateTimeField()),
                        (
                            "characteristic",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="results",
                                to="quality.characteristic",
                            ),
                        ),
                        (
                            "gauge",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="results",
                                to="quality.gauge",
                            ),
                        ),
                        (
                            "inspection",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="results",
                                to="quality.inspection",
                            ),
                        ),
                        (
                            "machine",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="results",
                                to="enterprise.machine",
                            ),
                        ),
                        (
                            "product",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="products.product",
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
                            "tag",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="results",
                                to="quality.gaugetag",
                            ),
                        ),
                        (
                            "unit",
                            models.ForeignKey(
                                blank=True,
                                db_column="unit",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="products.unitofmeasure",
                                to_field="code",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-occurred_at", "-id"],
                        "indexes": [
                            models.Index(fields=["characteristic", "occurred_at"], name="result_of_characteristic"),
                            models.Index(fields=["gauge", "occurred_at"], name="result_of_gauge"),
                            models.Index(fields=["machine", "occurred_at"], name="result_at_machine"),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("tag__isnull", True)),
                                fields=("inspection", "characteristic", "sample"),
                                name="result_of_a_sample_once",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("tag__isnull", False)),
                                fields=("tag", "occurred_at"),
                                name="result_of_a_gauge_once",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("inspection__isnull", True),
                                        ("machine__isnull", False),
                                        ("sample__isnull", True),
                                        ("tag__isnull", False),
                                    ),
                                    models.Q(
                                        ("inspection__isnull", False), ("sample__isnull", False), ("tag__isnull", True)
                                    ),
                                    _connector="OR",
                                ),
                                name="result_by_hand_or_gauge",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Picture",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("content_type", models.CharField(max_length=40)),
                        (
                            "digest",
                            models.CharField(
                                help_text="SHA-256 of what was sent: the same picture once.", max_length=64
                            ),
                        ),
                        ("content", models.BinaryField()),
                        ("recorded_at", models.DateTimeField()),
                        (
                            "defect",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="pictures",
                                to="quality.defect",
                            ),
                        ),
                        (
                            "nonconformance",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="pictures",
                                to="quality.nonconformance",
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
                            "site",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="enterprise.site"
                            ),
                        ),
                        (
                            "result",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="pictures",
                                to="quality.result",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["id"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("result", "defect", "nonconformance", "digest"),
                                name="picture_once",
                                nulls_distinct=False,
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("defect__isnull", True),
                                        ("nonconformance__isnull", True),
                                        ("result__isnull", False),
                                    ),
                                    models.Q(
                                        ("defect__isnull", False),
                                        ("nonconformance__isnull", True),
                                        ("result__isnull", True),
                                    ),
                                    models.Q(
                                        ("defect__isnull", True),
                                        ("nonconformance__isnull", False),
                                        ("result__isnull", True),
                                    ),
                                    _connector="OR",
                                ),
                                name="picture_of_one_thing",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ResultCorrection",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("is_void", models.BooleanField(default=False, verbose_name="void")),
                        ("value", models.DecimalField(blank=True, decimal_places=9, max_digits=24, null=True)),
                        (
                            "verdict",
                            models.CharField(
                                blank=True,
                                choices=[("ok", "OK"), ("not_ok", "Not OK"), ("n/a", "Not applicable")],
                                max_length=6,
                            ),
                        ),
                        ("text", models.CharField(blank=True, max_length=1000)),
                        ("reason", models.CharField(max_length=500)),
                        ("recorded_at", models.DateTimeField()),
                        (
                            "corrected_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "result",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="corrections",
                                to="quality.result",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-id"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("reason", ""), _negated=True), name="result_correction_has_a_reason"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SamplingRule",
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
                                    ("each", "Each lot, or each operation of an order"),
                                    ("every_pieces", "Every so many pieces"),
                                    ("every_minutes", "Every so many minutes"),
                                    ("after_changeover", "After a changeover to another product"),
                                    ("after_stop", "After a stop longer than so many minutes"),
                                    ("aql", "Each lot, a sample by AQL"),
                                ],
                                default="each",
                                max_length=16,
                            ),
                        ),
                        (
                            "every",
                            models.PositiveIntegerField(
                                blank=True,
                                help_text="Pieces or minutes; of a stop, how long it is at least.",
                                null=True,
                                validators=[django.core.validators.MinValueValidator(1)],
                            ),
                        ),
                        (
                            "sample_size",
                            models.PositiveIntegerField(
                                default=1,
                                help_text="Units inspected each time; by AQL the table says.",
                                validators=[django.core.validators.MinValueValidator(1)],
                            ),
                        ),
                        (
                            "level",
                            models.CharField(
                                choices=[
                                    ("S-1", "S-1"),
                                    ("S-2", "S-2"),
                                    ("S-3", "S-3"),
                                    ("S-4", "S-4"),
                                    ("I", "I"),
                                    ("II", "II"),
                                    ("III", "III"),
                                ],
                                default="II",
                                max_length=3,
                                verbose_name="inspection level",
                            ),
                        ),
                        (
                            "aql",
                            models.DecimalField(
                                blank=True,
                                decimal_places=3,
                                help_text="0.65, 1, 2.5 …",
                                max_digits=7,
                                null=True,
                                verbose_name="AQL",
                            ),
                        ),
                        (
                            "may_reduce",
                            models.BooleanField(
                                default=False,
                                help_text="By AQL: after a long row of good lots fewer units are inspected. Production must run steadily.",
                                verbose_name="reduced inspection allowed",
                            ),
                        ),
                        (
                            "overdue_minutes",
                            models.PositiveIntegerField(
                                blank=True,
                                help_text="Empty = it is due, but never late.",
                                null=True,
                                verbose_name="overdue after (min)",
                            ),
                        ),
                        (
                            "plan",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="rules",
                                to="quality.inspectionplan",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["plan", "id"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("every__isnull", False),
                                        ("kind__in", ["every_pieces", "every_minutes", "after_stop"]),
                                    ),
                                    models.Q(
                                        models.Q(
                                            ("kind__in", ["every_pieces", "every_minutes", "after_stop"]), _negated=True
                                        ),
                                        ("every__isnull", True),
                                    ),
                                    _connector="OR",
                                ),
                                name="sampling_rule_says_how_often",
                                violation_error_message="Say how many pieces or minutes where, and only where, the rule counts them.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("aql__isnull", False), ("kind", "aql")),
                                    models.Q(models.Q(("kind", "aql"), _negated=True), ("aql__isnull", True)),
                                    _connector="OR",
                                ),
                                name="sampling_rule_by_aql_has_one",
                                violation_error_message="Sampling by AQL, and only that, has an AQL.",
                            ),
                        ],
                    },
                ),
            ]
        ),
        migrations.AddField(
            model_name="inspection",
            name="rule",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="quality.samplingrule",
            ),
        ),
        Together(
            [
                migrations.CreateModel(
                    name="HistoricalInspection",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        ("operation_code", models.CharField(blank=True, max_length=32, verbose_name="operation")),
                        ("batch", models.CharField(blank=True, max_length=64)),
                        ("serial", models.CharField(blank=True, max_length=64)),
                        ("lot_size", models.DecimalField(blank=True, decimal_places=6, max_digits=18, null=True)),
                        (
                            "sample_size",
                            models.PositiveIntegerField(validators=[django.core.validators.MinValueValidator(1)]),
                        ),
                        (
                            "accept_number",
                            models.PositiveIntegerField(
                                default=0, help_text="With up to so many nonconforming units it is passed."
                            ),
                        ),
                        (
                            "severity",
                            models.CharField(
                                blank=True, help_text="By AQL: normal, tightened or reduced.", max_length=10
                            ),
                        ),
                        ("code_letter", models.CharField(blank=True, max_length=1)),
                        ("shift_date", models.DateField(blank=True, null=True)),
                        ("opened_at", models.DateTimeField()),
                        ("finished_at", models.DateTimeField(blank=True, null=True)),
                        ("notes", models.TextField(blank=True, max_length=4000)),
                        ("idempotency_key", models.CharField(blank=True, db_index=True, max_length=100, null=True)),
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
                            "inspector",
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
                            "lot",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="materials.materiallot",
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
                            "product",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="products.product",
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
                        (
                            "plan",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="quality.inspectionplan",
                            ),
                        ),
                        (
                            "rule",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="quality.samplingrule",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical inspection",
                        "verbose_name_plural": "historical inspections",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="Signal",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("panel", models.CharField(max_length=8)),
                        ("point_at", models.DateTimeField(help_text="Of the last result of the point.")),
                        ("rule", models.CharField(max_length=4)),
                        ("text", models.CharField(max_length=200)),
                        ("detected_at", models.DateTimeField()),
                        (
                            "chart",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="signals",
                                to="quality.controlchart",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-point_at", "-id"],
                        "constraints": [
                            models.UniqueConstraint(fields=("chart", "panel", "point_at", "rule"), name="one_signal")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SignalAcknowledgement",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("panel", models.CharField(max_length=8)),
                        ("point_at", models.DateTimeField()),
                        ("rule", models.CharField(max_length=4)),
                        ("comment", models.CharField(max_length=500)),
                        ("acknowledged_at", models.DateTimeField()),
                        (
                            "acknowledged_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "chart",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="acknowledgements",
                                to="quality.controlchart",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-id"],
                        "indexes": [models.Index(fields=["chart", "point_at"], name="acknowledged_signal")],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="chartphase",
                    trigger=pgtrigger.compiler.Trigger(
                        name="chart_phase_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="c0e7827fa896aea7d7b05ab3751c601b484e7d43",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_chart_phase_append_only_877af",
                            table="quality_chartphase",
                            when="BEFORE",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="calibration",
                    trigger=pgtrigger.compiler.Trigger(
                        name="calibration_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="12267dfa8f2309c93a036eb210b2ab3ff193ce69",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_calibration_append_only_20be1",
                            table="quality_calibration",
                            when="BEFORE",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="inspectiondecision",
                    trigger=pgtrigger.compiler.Trigger(
                        name="inspection_decision_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="101c77bb18bf3e91c9de4105b612526fe4700522",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_inspection_decision_append_only_31bbb",
                            table="quality_inspectiondecision",
                            when="BEFORE",
                        ),
                    ),
                ),
            ]
        ),
        migrations.AddConstraint(
            model_name="characteristic",
            constraint=models.UniqueConstraint(
                fields=("plan", "code"),
                name="one_characteristic_of_a_code",
                violation_error_message="The plan has a characteristic of that code already.",
            ),
        ),
        Together(
            [
                pgtrigger.migrations.AddTrigger(
                    model_name="disposition",
                    trigger=pgtrigger.compiler.Trigger(
                        name="disposition_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="199aea7291bc3dcf3a7f070c279c9ccc46b9ff92",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_disposition_append_only_6f351",
                            table="quality_disposition",
                            when="BEFORE",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="defect",
                    trigger=pgtrigger.compiler.Trigger(
                        name="defect_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="45cd2d1895847edd73848958c07f0a7d5076ece5",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_defect_append_only_18e0c",
                            table="quality_defect",
                            when="BEFORE",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="result",
                    trigger=pgtrigger.compiler.Trigger(
                        name="result_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="c2d2a6bc9b102f63f655065bb52ba4a4003084cf",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_result_append_only_b7aac",
                            table="quality_result",
                            when="BEFORE",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="picture",
                    trigger=pgtrigger.compiler.Trigger(
                        name="quality_picture_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="b1a8a0def2d9b440561d98ed61336eebf155319c",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_quality_picture_append_only_28711",
                            table="quality_picture",
                            when="BEFORE",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="resultcorrection",
                    trigger=pgtrigger.compiler.Trigger(
                        name="result_correction_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="10ffc56e958004eda0a3c8daa19e5d524b8f809a",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_result_correction_append_only_2ef6a",
                            table="quality_resultcorrection",
                            when="BEFORE",
                        ),
                    ),
                ),
            ]
        ),
        migrations.AddIndex(
            model_name="inspection",
            index=models.Index(fields=["work_order", "plan"], name="inspection_of_order"),
        ),
        migrations.AddIndex(
            model_name="inspection",
            index=models.Index(fields=["lot", "plan"], name="inspection_of_lot"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="signalacknowledgement",
            trigger=pgtrigger.compiler.Trigger(
                name="signal_acknowledgement_append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="3f5d8b9b6eeb6d1eaded20bccfe451042aa583a0",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_signal_acknowledgement_append_only_5fb7a",
                    table="quality_signalacknowledgement",
                    when="BEFORE",
                ),
            ),
        ),
    ]
