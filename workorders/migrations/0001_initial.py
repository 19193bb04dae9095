from decimal import Decimal

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.constraints
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import workorders.models
from core.migration_operations import Together


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "__first__"),
        ("enterprise", "0001_initial"),
        ("products", "0001_initial"),
    ]

    operations = [
        Together(
            [
                migrations.CreateModel(
                    name="OrderReason",
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
                                    ("quality", "Quality"),
                                    ("safety", "Safety"),
                                    ("material", "Material"),
                                    ("customer", "Customer"),
                                    ("other", "Other"),
                                ],
                                default="other",
                                help_text="Who or what stands behind it.",
                                max_length=8,
                            ),
                        ),
                        (
                            "for_hold",
                            models.BooleanField(
                                default=True,
                                help_text="An order may be put on hold for it.",
                                verbose_name="for holding",
                            ),
                        ),
                        (
                            "for_cancel",
                            models.BooleanField(
                                default=True,
                                help_text="An order may be cancelled for it.",
                                verbose_name="for cancelling",
                            ),
                        ),
                        (
                            "for_short",
                            models.BooleanField(
                                default=True,
                                help_text="An order may be completed with too little for it.",
                                verbose_name="for completing short",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["kind", "code"],
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="Changeover",
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
                                    ("product", "Product"),
                                    ("tool", "Tool"),
                                    ("material", "Material"),
                                    ("format", "Format"),
                                ],
                                default="product",
                                max_length=8,
                            ),
                        ),
                        (
                            "target_minutes",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                help_text="What the targets allowed when it began. Empty = none fitted.",
                                max_digits=8,
                                null=True,
                                verbose_name="target (min)",
                            ),
                        ),
                        ("started_at", models.DateTimeField()),
                        ("ended_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "first_good_at",
                            models.DateTimeField(blank=True, null=True, verbose_name="first good piece at"),
                        ),
                        (
                            "pieces_made",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                max_digits=18,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                            ),
                        ),
                        (
                            "pieces_scrapped",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                max_digits=18,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                            ),
                        ),
                        ("operators", models.CharField(blank=True, help_text="Who did it.", max_length=500)),
                        (
                            "inspection",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("passed", "Passed"),
                                    ("failed", "Failed"),
                                    ("conditional", "Passed conditionally"),
                                ],
                                help_text="Empty = not inspected.",
                                max_length=11,
                                verbose_name="first piece",
                            ),
                        ),
                        ("inspection_note", models.CharField(blank=True, max_length=500)),
                        ("improvement_idea", models.TextField(blank=True, max_length=4000)),
                        ("recorded_at", models.DateTimeField()),
                        ("approved_at", models.DateTimeField(blank=True, null=True)),
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
                            "from_product",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="products.product",
                            ),
                        ),
                        (
                            "line",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="changeovers",
                                to="enterprise.line",
                            ),
                        ),
                        (
                            "started_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "supervisor",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "to_product",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="products.product",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-started_at", "-id"],
                        "indexes": [models.Index(fields=["line", "started_at"], name="changeover_of_line")],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("ended_at__isnull", True)),
                                fields=("line",),
                                name="one_open_changeover_of_a_line",
                                violation_error_message="The line is being changed over already; finish that one first.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("ended_at__isnull", True),
                                    ("ended_at__gt", models.F("started_at")),
                                    _connector="OR",
                                ),
                                name="changeover_not_empty",
                                violation_error_message="A changeover ends after it started.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("first_good_at__isnull", True),
                                    ("first_good_at__gte", models.F("started_at")),
                                    _connector="OR",
                                ),
                                name="changeover_first_good_after_start",
                                violation_error_message="The first good piece comes after the changeover started.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("pieces_made__isnull", True),
                                    ("pieces_scrapped__isnull", True),
                                    ("pieces_scrapped__lte", models.F("pieces_made")),
                                    _connector="OR",
                                ),
                                name="changeover_scrap_among_pieces",
                                violation_error_message="No more is scrapped than was made.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("approved_at__isnull", True), ("approved_by__isnull", True)),
                                    models.Q(
                                        ("approved_at__isnull", False),
                                        ("approved_by__isnull", False),
                                        ("ended_at__isnull", False),
                                    ),
                                    _connector="OR",
                                ),
                                name="changeover_approved_when_over",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ChangeoverTarget",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "target_minutes",
                            models.DecimalField(
                                decimal_places=2,
                                help_text="From the last good piece of the one to the first good piece of the other.",
                                max_digits=8,
                                validators=[django.core.validators.MinValueValidator(Decimal("0.01"))],
                                verbose_name="target (min)",
                            ),
                        ),
                        (
                            "from_product",
                            models.ForeignKey(
                                blank=True,
                                help_text="Empty = any.",
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="targets_from_it",
                                to="products.product",
                            ),
                        ),
                        (
                            "line",
                            models.ForeignKey(
                                blank=True,
                                help_text="Empty = any line; only people with a role at every site set up such a target.",
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="changeover_targets",
                                to="enterprise.line",
                            ),
                        ),
                        (
                            "to_product",
                            models.ForeignKey(
                                blank=True,
                                help_text="Empty = any.",
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="targets_to_it",
                                to="products.product",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["line", "from_product", "to_product"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("line", "from_product", "to_product"),
                                name="one_changeover_target",
                                nulls_distinct=False,
                                violation_error_message="There is a target for that changeover already; change that one.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("target_minutes__gt", 0)),
                                name="changeover_target_positive",
                                violation_error_message="The target is longer than nothing.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ChangeoverTask",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("position", models.PositiveSmallIntegerField(default=1)),
                        ("name", models.CharField(max_length=200)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("internal", "Internal: the line stands"),
                                    ("external", "External: while the line runs"),
                                ],
                                default="internal",
                                max_length=8,
                            ),
                        ),
                        (
                            "target_minutes",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=8,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                                verbose_name="target (min)",
                            ),
                        ),
                        (
                            "target",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="tasks",
                                to="workorders.changeovertarget",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["target", "position", "id"],
                    },
                ),
                migrations.CreateModel(
                    name="Demand",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
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
                        ("due_at", models.DateTimeField(verbose_name="due")),
                        ("customer", models.CharField(blank=True, max_length=200)),
                        ("sales_order", models.CharField(blank=True, max_length=64)),
                        (
                            "external_id",
                            models.CharField(
                                blank=True,
                                help_text="What the ERP calls it. Empty = nothing.",
                                max_length=128,
                                null=True,
                                unique=True,
                            ),
                        ),
                        (
                            "is_active",
                            models.BooleanField(
                                default=True,
                                help_text="Switch off what was delivered or is no longer wanted.",
                                verbose_name="active",
                            ),
                        ),
                        (
                            "line",
                            models.ForeignKey(
                                blank=True,
                                help_text="Where to make it. Empty = where its product's lot sizing says.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="enterprise.line",
                            ),
                        ),
                        (
                            "product",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="demands",
                                to="products.product",
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="demands",
                                to="enterprise.site",
                            ),
                        ),
                        (
                            "unit",
                            models.ForeignKey(
                                blank=True,
                                db_column="unit",
                                help_text="What the quantity is in. Empty = the product's own unit.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="products.unitofmeasure",
                                to_field="code",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["due_at", "id"],
                        "indexes": [models.Index(fields=["site", "product", "due_at"], name="demand_of_product")],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("quantity__gt", 0)),
                                name="demand_quantity_positive",
                                violation_error_message="The quantity is greater than zero.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("external_id__isnull", True),
                                    models.Q(("external_id", ""), _negated=True),
                                    _connector="OR",
                                ),
                                name="demand_external_id_not_empty",
                                violation_error_message="Write what the ERP calls it, or null.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="HistoricalChangeoverPhase",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "phase",
                            models.CharField(
                                choices=[
                                    ("teardown", "Teardown"),
                                    ("setup", "Set-up"),
                                    ("adjustment", "Adjustment"),
                                    ("trial_run", "Trial run"),
                                ],
                                max_length=10,
                            ),
                        ),
                        ("started_at", models.DateTimeField()),
                        ("ended_at", models.DateTimeField(blank=True, null=True)),
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
                            "changeover",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="workorders.changeover",
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
                        "verbose_name": "historical changeover phase",
                        "verbose_name_plural": "historical changeover phases",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalChangeoverTarget",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "target_minutes",
                            models.DecimalField(
                                decimal_places=2,
                                help_text="From the last good piece of the one to the first good piece of the other.",
                                max_digits=8,
                                validators=[django.core.validators.MinValueValidator(Decimal("0.01"))],
                                verbose_name="target (min)",
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
                            "from_product",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="Empty = any.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="products.product",
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
                                help_text="Empty = any line; only people with a role at every site set up such a target.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.line",
                            ),
                        ),
                        (
                            "to_product",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="Empty = any.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="products.product",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical changeover target",
                        "verbose_name_plural": "historical changeover targets",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalChangeoverTask",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        ("position", models.PositiveSmallIntegerField(default=1)),
                        ("name", models.CharField(max_length=200)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("internal", "Internal: the line stands"),
                                    ("external", "External: while the line runs"),
                                ],
                                default="internal",
                                max_length=8,
                            ),
                        ),
                        (
                            "target_minutes",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=8,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                                verbose_name="target (min)",
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
                            "target",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="workorders.changeovertarget",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical changeover task",
                        "verbose_name_plural": "historical changeover tasks",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalDemand",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "quantity",
                            models.DecimalField(
                                decimal_places=6,
                                max_digits=18,
                                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                            ),
                        ),
                        ("due_at", models.DateTimeField(verbose_name="due")),
                        ("customer", models.CharField(blank=True, max_length=200)),
                        ("sales_order", models.CharField(blank=True, max_length=64)),
                        (
                            "external_id",
                            models.CharField(
                                blank=True,
                                db_index=True,
                                help_text="What the ERP calls it. Empty = nothing.",
                                max_length=128,
                                null=True,
                            ),
                        ),
                        (
                            "is_active",
                            models.BooleanField(
                                default=True,
                                help_text="Switch off what was delivered or is no longer wanted.",
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
                            "line",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="Where to make it. Empty = where its product's lot sizing says.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.line",
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
                            "unit",
                            models.ForeignKey(
                                blank=True,
                                db_column="unit",
                                db_constraint=False,
                                help_text="What the quantity is in. Empty = the product's own unit.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="products.unitofmeasure",
                                to_field="code",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical demand",
                        "verbose_name_plural": "historical demands",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalLotSizing",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "rule",
                            models.CharField(
                                choices=[
                                    ("lot_for_lot", "Lot for lot: as much as is wanted"),
                                    ("fixed_lot", "Fixed lot: whole lots"),
                                    ("stock_level", "To stock level: fill up when it falls below the reorder point"),
                                ],
                                default="lot_for_lot",
                                max_length=11,
                            ),
                        ),
                        (
                            "lot_size",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                help_text="For fixed lots: how much one order makes.",
                                max_digits=18,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                            ),
                        ),
                        (
                            "minimum",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                help_text="An order makes at least so much. Empty = no limit.",
                                max_digits=18,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                            ),
                        ),
                        (
                            "multiple",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                help_text="An order's quantity is a multiple of it: a full pallet, whole pieces. Empty = any quantity.",
                                max_digits=18,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                            ),
                        ),
                        (
                            "reorder_point",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                help_text="For a stock level: fill up when less than this would be left. Empty = whenever it is not full.",
                                max_digits=18,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                            ),
                        ),
                        (
                            "stock_level",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                help_text="For a stock level: what is filled up to.",
                                max_digits=18,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                            ),
                        ),
                        (
                            "lead_time_hours",
                            models.PositiveIntegerField(
                                default=0,
                                help_text="An order is planned to start so long before it is due.",
                                validators=[django.core.validators.MaxValueValidator(9600)],
                                verbose_name="lead time (h)",
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
                                help_text="Where it is made, unless the demand says otherwise.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.line",
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
                        "verbose_name": "historical lot sizing",
                        "verbose_name_plural": "historical lot sizing",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalOrderReason",
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
                                    ("quality", "Quality"),
                                    ("safety", "Safety"),
                                    ("material", "Material"),
                                    ("customer", "Customer"),
                                    ("other", "Other"),
                                ],
                                default="other",
                                help_text="Who or what stands behind it.",
                                max_length=8,
                            ),
                        ),
                        (
                            "for_hold",
                            models.BooleanField(
                                default=True,
                                help_text="An order may be put on hold for it.",
                                verbose_name="for holding",
                            ),
                        ),
                        (
                            "for_cancel",
                            models.BooleanField(
                                default=True,
                                help_text="An order may be cancelled for it.",
                                verbose_name="for cancelling",
                            ),
                        ),
                        (
                            "for_short",
                            models.BooleanField(
                                default=True,
                                help_text="An order may be completed with too little for it.",
                                verbose_name="for completing short",
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
                        "verbose_name": "historical order reason",
                        "verbose_name_plural": "historical order reasons",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="LotSizing",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "rule",
                            models.CharField(
                                choices=[
                                    ("lot_for_lot", "Lot for lot: as much as is wanted"),
                                    ("fixed_lot", "Fixed lot: whole lots"),
                                    ("stock_level", "To stock level: fill up when it falls below the reorder point"),
                                ],
                                default="lot_for_lot",
                                max_length=11,
                            ),
                        ),
                        (
                            "lot_size",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                help_text="For fixed lots: how much one order makes.",
                                max_digits=18,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                            ),
                        ),
                        (
                            "minimum",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                help_text="An order makes at least so much. Empty = no limit.",
                                max_digits=18,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                            ),
                        ),
                        (
                            "multiple",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                help_text="An order's quantity is a multiple of it: a full pallet, whole pieces. Empty = any quantity.",
                                max_digits=18,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                            ),
                        ),
                        (
                            "reorder_point",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                help_text="For a stock level: fill up when less than this would be left. Empty = whenever it is not full.",
                                max_digits=18,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                            ),
                        ),
                        (
                            "stock_level",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                help_text="For a stock level: what is filled up to.",
                                max_digits=18,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                            ),
                        ),
                        (
                            "lead_time_hours",
                            models.PositiveIntegerField(
                                default=0,
                                help_text="An order is planned to start so long before it is due.",
                                validators=[django.core.validators.MaxValueValidator(9600)],
                                verbose_name="lead time (h)",
                            ),
                        ),
                        (
                            "line",
                            models.ForeignKey(
                                help_text="Where it is made, unless the demand says otherwise.",
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="enterprise.line",
                            ),
                        ),
                        (
                            "product",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="lot_sizings",
                                to="products.product",
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="lot_sizings",
                                to="enterprise.site",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "lot sizing",
                        "verbose_name_plural": "lot sizing",
                        "ordering": ["site", "product"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("site", "product"),
                                name="one_lot_sizing",
                                violation_error_message="There is a rule for that product there already; change that one.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("rule", "fixed_lot"), _negated=True),
                                    ("lot_size__isnull", False),
                                    _connector="OR",
                                ),
                                name="lot_sizing_fixed_lot_has_a_size",
                                violation_error_message="Say how much a fixed lot is.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("rule", "stock_level"), _negated=True),
                                    ("stock_level__isnull", False),
                                    _connector="OR",
                                ),
                                name="lot_sizing_stock_level_is_known",
                                violation_error_message="Say what is filled up to.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("reorder_point__isnull", True),
                                    ("stock_level__isnull", True),
                                    ("reorder_point__lte", models.F("stock_level")),
                                    _connector="OR",
                                ),
                                name="lot_sizing_reorder_point_below_level",
                                violation_error_message="The reorder point is not above the stock level.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Operation",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "sequence",
                            models.PositiveSmallIntegerField(default=10, help_text="10, 20, 30 …: the order of work."),
                        ),
                        (
                            "code",
                            models.CharField(
                                help_text="What the bill calls it: FILL, CAP.",
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
                            "setup_time",
                            models.DecimalField(
                                blank=True,
                                decimal_places=3,
                                max_digits=12,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                                verbose_name="set-up (s)",
                            ),
                        ),
                        (
                            "run_time_per_unit",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                help_text="Standard time, not the ideal one of OEE. Empty = not known.",
                                max_digits=18,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                                verbose_name="run time per unit (s)",
                            ),
                        ),
                        (
                            "teardown_time",
                            models.DecimalField(
                                blank=True,
                                decimal_places=3,
                                max_digits=12,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                                verbose_name="teardown (s)",
                            ),
                        ),
                        (
                            "crew_size",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                help_text="People needed.",
                                max_digits=6,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                            ),
                        ),
                        (
                            "labour_hours",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                max_digits=18,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                                verbose_name="labour hours per unit",
                            ),
                        ),
                        ("inspection_required", models.BooleanField(default=False)),
                        ("instructions", models.TextField(blank=True, max_length=20000)),
                        ("safety_notes", models.TextField(blank=True, max_length=20000)),
                        (
                            "is_milestone",
                            models.BooleanField(
                                default=False,
                                help_text="Reporting it reports what comes before, too.",
                                verbose_name="milestone",
                            ),
                        ),
                        (
                            "counts_for_output",
                            models.BooleanField(
                                default=False,
                                help_text="What it makes is what the order has made.",
                                verbose_name="counts for the order",
                            ),
                        ),
                        (
                            "overlap_allowed",
                            models.BooleanField(
                                default=False, help_text="The next operation may start before this one has ended."
                            ),
                        ),
                        (
                            "counting_source",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("operator", "People report"),
                                    ("machine", "The machine counts"),
                                    ("both", "The machine counts, people report scrap"),
                                ],
                                help_text="Who says how much was made. Empty = the machine where it has a counter for good or all pieces, else people; that is settled when an order is released.",
                                max_length=8,
                                verbose_name="counted by",
                            ),
                        ),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("pending", "Pending"),
                                    ("ready", "Ready"),
                                    ("in_progress", "In progress"),
                                    ("completed", "Completed"),
                                    ("skipped", "Skipped"),
                                    ("on_hold", "On hold"),
                                ],
                                default="pending",
                                max_length=12,
                            ),
                        ),
                        (
                            "planned_quantity",
                            models.DecimalField(
                                decimal_places=6,
                                max_digits=18,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                            ),
                        ),
                        ("planned_start_at", models.DateTimeField(blank=True, null=True)),
                        ("planned_end_at", models.DateTimeField(blank=True, null=True)),
                        ("actual_start_at", models.DateTimeField(blank=True, null=True)),
                        ("actual_end_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "inspection_status",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("pending", "Pending"),
                                    ("passed", "Passed"),
                                    ("failed", "Failed"),
                                    ("conditional", "Passed conditionally"),
                                ],
                                help_text="Empty = none is required.",
                                max_length=11,
                            ),
                        ),
                        ("inspected_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "inspected_by",
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
                                help_text="Where: a line …",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="%(class)ss",
                                to="enterprise.line",
                            ),
                        ),
                        (
                            "machine",
                            models.ForeignKey(
                                blank=True,
                                help_text="… a machine …",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="%(class)ss",
                                to="enterprise.machine",
                            ),
                        ),
                        (
                            "machine_class",
                            models.ForeignKey(
                                blank=True,
                                help_text="… or any machine of a class. None of them = the order's line.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="%(class)ss",
                                to="enterprise.machineclass",
                            ),
                        ),
                        (
                            "template",
                            models.ForeignKey(
                                blank=True,
                                help_text="The step of the released routing that it was copied from; its documents are there.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="copies",
                                to="products.routingoperation",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["work_order", "sequence", "id"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("line__isnull", True), ("machine__isnull", True)),
                                    models.Q(("line__isnull", True), ("machine_class__isnull", True)),
                                    models.Q(("machine__isnull", True), ("machine_class__isnull", True)),
                                    _connector="OR",
                                ),
                                name="operation_at_one_work_centre",
                                violation_error_message="Choose one of line, machine and machine class, or none of them.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("planned_quantity__gte", 0)),
                                name="operation_quantities_not_negative",
                                violation_error_message="A quantity is not negative.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("planned_start_at__isnull", True),
                                    ("planned_end_at__isnull", True),
                                    ("planned_end_at__gt", models.F("planned_start_at")),
                                    _connector="OR",
                                ),
                                name="operation_plan_not_empty",
                                violation_error_message="The planned end must be after the planned start.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("actual_end_at__isnull", True),
                                    models.Q(
                                        ("actual_end_at__gte", models.F("actual_start_at")),
                                        ("actual_start_at__isnull", False),
                                    ),
                                    _connector="OR",
                                ),
                                name="operation_ends_after_it_started",
                                violation_error_message="An operation ends after it started.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="HistoricalOrderParameter",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "code",
                            models.CharField(
                                help_text="As the machine or the recipe calls it.",
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
                            "target",
                            models.DecimalField(
                                blank=True, decimal_places=6, max_digits=18, null=True, verbose_name="set-point"
                            ),
                        ),
                        ("minimum", models.DecimalField(blank=True, decimal_places=6, max_digits=18, null=True)),
                        ("maximum", models.DecimalField(blank=True, decimal_places=6, max_digits=18, null=True)),
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
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="products.unitofmeasure",
                                to_field="code",
                            ),
                        ),
                        (
                            "operation",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="workorders.operation",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical set-point of an order",
                        "verbose_name_plural": "historical set-points of orders",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="OrderParameter",
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
                                help_text="As the machine or the recipe calls it.",
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
                            "target",
                            models.DecimalField(
                                blank=True, decimal_places=6, max_digits=18, null=True, verbose_name="set-point"
                            ),
                        ),
                        ("minimum", models.DecimalField(blank=True, decimal_places=6, max_digits=18, null=True)),
                        ("maximum", models.DecimalField(blank=True, decimal_places=6, max_digits=18, null=True)),
                        (
                            "operation",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="parameters",
                                to="workorders.operation",
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
                        "verbose_name": "set-point of an order",
                        "verbose_name_plural": "set-points of orders",
                        "ordering": ["operation", "code"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("minimum__isnull", True),
                                    ("maximum__isnull", True),
                                    ("maximum__gte", models.F("minimum")),
                                    _connector="OR",
                                ),
                                name="orderparameter_bounds",
                                violation_error_message="The maximum is not below the minimum.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("minimum__isnull", True),
                                        ("target__isnull", True),
                                        ("target__gte", models.F("minimum")),
                                        _connector="OR",
                                    ),
                                    models.Q(
                                        ("maximum__isnull", True),
                                        ("target__isnull", True),
                                        ("target__lte", models.F("maximum")),
                                        _connector="OR",
                                    ),
                                ),
                                name="orderparameter_target_inside",
                                violation_error_message="The set-point lies between minimum and maximum.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("target__isnull", False),
                                    ("minimum__isnull", False),
                                    ("maximum__isnull", False),
                                    _connector="OR",
                                ),
                                name="orderparameter_says_something",
                                violation_error_message="Fill in a set-point, a minimum or a maximum.",
                            ),
                            models.UniqueConstraint(fields=("operation", "code"), name="one_order_parameter_of_a_code"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Run",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("started_at", models.DateTimeField()),
                        ("ended_at", models.DateTimeField(blank=True, null=True)),
                        ("estimated_finish_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "line",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="runs", to="enterprise.line"
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
                                name="run_not_empty",
                                violation_error_message="A run ends after it started.",
                            ),
                            django.contrib.postgres.constraints.ExclusionConstraint(
                                expressions=[
                                    ("line", "="),
                                    (
                                        workorders.models.RunRange(
                                            "started_at",
                                            "ended_at",
                                            django.contrib.postgres.fields.ranges.RangeBoundary(),
                                        ),
                                        "&&",
                                    ),
                                ],
                                name="one_run_at_a_time",
                                violation_error_message="The line has another run at that time; end that one first.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ChangeoverTaskDone",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("started_at", models.DateTimeField()),
                        ("ended_at", models.DateTimeField()),
                        ("recorded_at", models.DateTimeField()),
                        (
                            "done_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "task",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="done",
                                to="workorders.changeovertask",
                            ),
                        ),
                        (
                            "run",
                            models.ForeignKey(
                                help_text="The run that it led to.",
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="changeover_tasks_done",
                                to="workorders.run",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name_plural": "changeover tasks done",
                        "ordering": ["-started_at", "-id"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("run", "task", "started_at"), name="changeover_task_done_once"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("ended_at__gt", models.F("started_at"))),
                                name="changeover_task_done_not_empty",
                                violation_error_message="A task ends after it started.",
                            ),
                        ],
                    },
                ),
            ]
        ),
        migrations.AddField(
            model_name="changeover",
            name="run",
            field=models.OneToOneField(
                blank=True,
                help_text="What it led to.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="changeover",
                to="workorders.run",
            ),
        ),
        migrations.CreateModel(
            name="Schedule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("production", "Production"), ("maintenance", "Maintenance"), ("other", "Other")],
                        default="production",
                        max_length=12,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("planned", "Planned"), ("confirmed", "Confirmed"), ("cancelled", "Cancelled")],
                        default="planned",
                        max_length=9,
                    ),
                ),
                ("planned_start_at", models.DateTimeField()),
                ("planned_end_at", models.DateTimeField()),
                (
                    "planned_quantity",
                    models.DecimalField(
                        blank=True,
                        decimal_places=6,
                        help_text="In the order's unit. Empty = the order's share by planned time.",
                        max_digits=18,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=500)),
                (
                    "shift_date",
                    models.DateField(
                        blank=True,
                        editable=False,
                        help_text="The day that the shift, or else its start, belongs to.",
                        null=True,
                    ),
                ),
                (
                    "is_checked",
                    models.BooleanField(
                        default=True,
                        editable=False,
                        help_text="Off = it was planned before collisions were refused, and collides.",
                    ),
                ),
                (
                    "line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="schedules", to="enterprise.line"
                    ),
                ),
                (
                    "operation",
                    models.ForeignKey(
                        blank=True,
                        help_text="Which operation of the order. Empty = the order as a whole.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="schedules",
                        to="workorders.operation",
                    ),
                ),
                (
                    "planner",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        help_text="Who planned it last.",
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
                        editable=False,
                        help_text="The shift in which it is planned to start, by the line's calendar. Empty = outside of shifts.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="enterprise.shift",
                    ),
                ),
            ],
            options={
                "ordering": ["planned_start_at", "id"],
                "indexes": [models.Index(fields=["line", "shift_date"], name="schedule_of_a_shift")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("planned_end_at__gt", models.F("planned_start_at"))),
                        name="schedule_not_empty",
                        violation_error_message="The planned end must be after the planned start.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("planned_quantity__isnull", True), ("planned_quantity__gt", 0), _connector="OR"
                        ),
                        name="schedule_quantity_positive",
                        violation_error_message="The planned quantity is greater than zero.",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        condition=models.Q(("is_checked", True), models.Q(("status", "cancelled"), _negated=True)),
                        deferrable=django.db.models.constraints.Deferrable["IMMEDIATE"],
                        expressions=[
                            ("line", "="),
                            (
                                workorders.models.PlannedRange(
                                    "planned_start_at",
                                    "planned_end_at",
                                    django.contrib.postgres.fields.ranges.RangeBoundary(),
                                ),
                                "&&",
                            ),
                        ],
                        name="one_schedule_at_a_time",
                        violation_error_message="The line is planned for something else at that time.",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="run",
            name="schedule",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="runs",
                to="workorders.schedule",
            ),
        ),
        migrations.CreateModel(
            name="WorkOrder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("custom", models.JSONField(blank=True, default=dict, editable=False, verbose_name="custom fields")),
                ("order_number", models.CharField(max_length=64, unique=True)),
                ("description", models.CharField(blank=True, max_length=500)),
                (
                    "target_quantity",
                    models.DecimalField(
                        decimal_places=6,
                        max_digits=18,
                        validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                    ),
                ),
                ("planned_start_at", models.DateTimeField(blank=True, null=True)),
                ("planned_end_at", models.DateTimeField(blank=True, null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("created", "Created"),
                            ("released", "Released"),
                            ("scheduled", "Scheduled"),
                            ("in_progress", "In progress"),
                            ("on_hold", "On hold"),
                            ("completed", "Completed"),
                            ("closed", "Closed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="created",
                        max_length=12,
                    ),
                ),
                (
                    "routing_code",
                    models.CharField(
                        blank=True,
                        help_text="An alternative way to make it. Empty = the default one.",
                        max_length=32,
                        verbose_name="routing",
                    ),
                ),
                (
                    "released_at",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="When operations and materials were copied to it.",
                        null=True,
                    ),
                ),
                (
                    "priority",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="1 = first … 10 = last.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(10),
                        ],
                    ),
                ),
                (
                    "due_at",
                    models.DateTimeField(
                        blank=True, help_text="When the customer expects it.", null=True, verbose_name="due"
                    ),
                ),
                ("customer", models.CharField(blank=True, max_length=200)),
                ("sales_order", models.CharField(blank=True, max_length=64)),
                (
                    "external_id",
                    models.CharField(
                        blank=True,
                        help_text="What the ERP calls it. Empty = nothing.",
                        max_length=128,
                        null=True,
                        unique=True,
                    ),
                ),
                (
                    "lot_number",
                    models.CharField(
                        blank=True,
                        help_text="What it makes belongs to this lot.",
                        max_length=64,
                        verbose_name="lot or batch",
                    ),
                ),
                (
                    "parent_kind",
                    models.CharField(blank=True, choices=[("rework", "Rework"), ("split", "Split")], max_length=8),
                ),
                (
                    "held_from",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("created", "Created"),
                            ("released", "Released"),
                            ("scheduled", "Scheduled"),
                            ("in_progress", "In progress"),
                            ("on_hold", "On hold"),
                            ("completed", "Completed"),
                            ("closed", "Closed"),
                            ("cancelled", "Cancelled"),
                        ],
                        editable=False,
                        help_text="While on hold: the status before.",
                        max_length=12,
                    ),
                ),
                (
                    "over_tolerance",
                    models.DecimalField(
                        blank=True,
                        decimal_places=6,
                        help_text="How much more than the target may be made: 0.05 = 5 %. Empty = not decided.",
                        max_digits=7,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                    ),
                ),
                (
                    "under_tolerance",
                    models.DecimalField(
                        blank=True,
                        decimal_places=6,
                        help_text="How much less still completes it: 0.02 = 2 %. Empty = not decided.",
                        max_digits=7,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(Decimal("0")),
                            django.core.validators.MaxValueValidator(Decimal("1")),
                        ],
                    ),
                ),
                (
                    "line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="work_orders", to="enterprise.line"
                    ),
                ),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        help_text="The order that its quantity was added to.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merged",
                        to="workorders.workorder",
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        help_text="The order that it reworks or was split from.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="workorders.workorder",
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="work_orders",
                        to="products.product",
                    ),
                ),
                (
                    "revision",
                    models.ForeignKey(
                        blank=True,
                        help_text="Which revision is made. Empty = the one that is valid when the order is released.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="work_orders",
                        to="products.productrevision",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        db_column="unit",
                        help_text="What the target quantity is in. Empty = the product's own unit.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="products.unitofmeasure",
                        to_field="code",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["custom"], name="work_order_custom", opclasses=["jsonb_path_ops"]
                    ),
                    models.Index(fields=["status", "due_at"], name="work_order_status_due"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("priority__isnull", True),
                            models.Q(("priority__gte", 1), ("priority__lte", 10)),
                            _connector="OR",
                        ),
                        name="work_order_priority_1_to_10",
                        violation_error_message="The priority is a number from 1 to 10.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("external_id__isnull", True), models.Q(("external_id", ""), _negated=True), _connector="OR"
                        ),
                        name="work_order_external_id_not_empty",
                        violation_error_message="Write what the ERP calls it, or null.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("parent__isnull", True), ("parent_kind", "")),
                            models.Q(("parent__isnull", False), models.Q(("parent_kind", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="work_order_parent_and_kind",
                        violation_error_message="Say both: which order it comes from, and whether by rework or split.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("parent__isnull", True),
                            models.Q(("parent", models.F("id")), _negated=True),
                            _connector="OR",
                        ),
                        name="work_order_not_its_own_parent",
                        violation_error_message="An order does not come from itself.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("held_from", ""), ("status", "on_hold"), _connector="OR"),
                        name="work_order_held_from_while_on_hold",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("merged_into__isnull", True),
                            models.Q(("status", "cancelled"), models.Q(("merged_into", models.F("id")), _negated=True)),
                            _connector="OR",
                        ),
                        name="work_order_merged_is_cancelled",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("target_quantity__gt", 0)),
                        name="work_order_target_positive",
                        violation_error_message="The target quantity is greater than zero.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("planned_start_at__isnull", True),
                            ("planned_end_at__isnull", True),
                            ("planned_end_at__gt", models.F("planned_start_at")),
                            _connector="OR",
                        ),
                        name="work_order_plan_not_empty",
                        violation_error_message="The planned end must be after the planned start.",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="schedule",
            name="work_order",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="schedules",
                to="workorders.workorder",
            ),
        ),
        migrations.AddField(
            model_name="run",
            name="work_order",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="runs", to="workorders.workorder"
            ),
        ),
        Together(
            [
                migrations.CreateModel(
                    name="OrderStatusChange",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "from_status",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("created", "Created"),
                                    ("released", "Released"),
                                    ("scheduled", "Scheduled"),
                                    ("in_progress", "In progress"),
                                    ("on_hold", "On hold"),
                                    ("completed", "Completed"),
                                    ("closed", "Closed"),
                                    ("cancelled", "Cancelled"),
                                ],
                                help_text="Empty = it is new.",
                                max_length=12,
                            ),
                        ),
                        (
                            "to_status",
                            models.CharField(
                                choices=[
                                    ("created", "Created"),
                                    ("released", "Released"),
                                    ("scheduled", "Scheduled"),
                                    ("in_progress", "In progress"),
                                    ("on_hold", "On hold"),
                                    ("completed", "Completed"),
                                    ("closed", "Closed"),
                                    ("cancelled", "Cancelled"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("note", models.CharField(blank=True, max_length=500)),
                        ("changed_at", models.DateTimeField()),
                        (
                            "changed_by",
                            models.ForeignKey(
                                blank=True,
                                help_text="Empty = the system.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "reason",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="workorders.orderreason",
                            ),
                        ),
                        (
                            "order",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="status_changes",
                                to="workorders.workorder",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-id"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("from_status", models.F("to_status")), _negated=True),
                                name="order_status_change_changes",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="OrderMaterial",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("position", models.PositiveSmallIntegerField()),
                        (
                            "quantity_required",
                            models.DecimalField(
                                decimal_places=6,
                                help_text="Negative = it comes out.",
                                max_digits=24,
                                verbose_name="required",
                            ),
                        ),
                        (
                            "operation",
                            models.ForeignKey(
                                blank=True,
                                help_text="What takes or yields it. Empty = the order as a whole.",
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="materials",
                                to="workorders.operation",
                            ),
                        ),
                        (
                            "product",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="required_by_orders",
                                to="products.product",
                            ),
                        ),
                        (
                            "unit",
                            models.ForeignKey(
                                db_column="unit",
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="products.unitofmeasure",
                                to_field="code",
                            ),
                        ),
                        (
                            "work_order",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="materials",
                                to="workorders.workorder",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "material of an order",
                        "verbose_name_plural": "materials of orders",
                        "ordering": ["work_order", "position"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("work_order", "position"), name="one_order_material_per_position"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("quantity_required", 0), _negated=True),
                                name="order_material_not_zero",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="OrderConfirmation",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("good", models.DecimalField(decimal_places=6, default=0, max_digits=18)),
                        ("scrap", models.DecimalField(decimal_places=6, default=0, max_digits=18)),
                        ("rework", models.DecimalField(decimal_places=6, default=0, max_digits=18)),
                        ("note", models.CharField(blank=True, max_length=500)),
                        ("confirmed_at", models.DateTimeField()),
                        ("idempotency_key", models.CharField(blank=True, max_length=100, null=True, unique=True)),
                        (
                            "confirmed_by",
                            models.ForeignKey(
                                blank=True,
                                null=True,
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
                                to="workorders.orderconfirmation",
                            ),
                        ),
                        (
                            "order",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="confirmations",
                                to="workorders.workorder",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-id"],
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
                                name="order_confirmation_sign",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("good", 0), ("rework", 0), ("scrap", 0), _negated=True),
                                name="order_confirmation_says_something",
                            ),
                        ],
                    },
                ),
            ]
        ),
        migrations.AddField(
            model_name="operation",
            name="work_order",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="operations", to="workorders.workorder"
            ),
        ),
        Together(
            [
                migrations.CreateModel(
                    name="HistoricalWorkOrder",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "custom",
                            models.JSONField(blank=True, default=dict, editable=False, verbose_name="custom fields"),
                        ),
                        ("order_number", models.CharField(db_index=True, max_length=64)),
                        ("description", models.CharField(blank=True, max_length=500)),
                        (
                            "target_quantity",
                            models.DecimalField(
                                decimal_places=6,
                                max_digits=18,
                                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                            ),
                        ),
                        ("planned_start_at", models.DateTimeField(blank=True, null=True)),
                        ("planned_end_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("created", "Created"),
                                    ("released", "Released"),
                                    ("scheduled", "Scheduled"),
                                    ("in_progress", "In progress"),
                                    ("on_hold", "On hold"),
                                    ("completed", "Completed"),
                                    ("closed", "Closed"),
                                    ("cancelled", "Cancelled"),
                                ],
                                default="created",
                                max_length=12,
                            ),
                        ),
                        (
                            "routing_code",
                            models.CharField(
                                blank=True,
                                help_text="An alternative way to make it. Empty = the default one.",
                                max_length=32,
                                verbose_name="routing",
                            ),
                        ),
                        (
                            "released_at",
                            models.DateTimeField(
                                blank=True,
                                editable=False,
                                help_text="When operations and materials were copied to it.",
                                null=True,
                            ),
                        ),
                        (
                            "priority",
                            models.PositiveSmallIntegerField(
                                blank=True,
                                help_text="1 = first … 10 = last.",
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(10),
                                ],
                            ),
                        ),
                        (
                            "due_at",
                            models.DateTimeField(
                                blank=True, help_text="When the customer expects it.", null=True, verbose_name="due"
                            ),
                        ),
                        ("customer", models.CharField(blank=True, max_length=200)),
                        ("sales_order", models.CharField(blank=True, max_length=64)),
                        (
                            "external_id",
                            models.CharField(
                                blank=True,
                                db_index=True,
                                help_text="What the ERP calls it. Empty = nothing.",
                                max_length=128,
                                null=True,
                            ),
                        ),
                        (
                            "lot_number",
                            models.CharField(
                                blank=True,
                                help_text="What it makes belongs to this lot.",
                                max_length=64,
                                verbose_name="lot or batch",
                            ),
                        ),
                        (
                            "parent_kind",
                            models.CharField(
                                blank=True, choices=[("rework", "Rework"), ("split", "Split")], max_length=8
                            ),
                        ),
                        (
                            "held_from",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("created", "Created"),
                                    ("released", "Released"),
                                    ("scheduled", "Scheduled"),
                                    ("in_progress", "In progress"),
                                    ("on_hold", "On hold"),
                                    ("completed", "Completed"),
                                    ("closed", "Closed"),
                                    ("cancelled", "Cancelled"),
                                ],
                                editable=False,
                                help_text="While on hold: the status before.",
                                max_length=12,
                            ),
                        ),
                        (
                            "over_tolerance",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                help_text="How much more than the target may be made: 0.05 = 5 %. Empty = not decided.",
                                max_digits=7,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                            ),
                        ),
                        (
                            "under_tolerance",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                help_text="How much less still completes it: 0.02 = 2 %. Empty = not decided.",
                                max_digits=7,
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(Decimal("0")),
                                    django.core.validators.MaxValueValidator(Decimal("1")),
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
                            "revision",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="Which revision is made. Empty = the one that is valid when the order is released.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="products.productrevision",
                            ),
                        ),
                        (
                            "unit",
                            models.ForeignKey(
                                blank=True,
                                db_column="unit",
                                db_constraint=False,
                                help_text="What the target quantity is in. Empty = the product's own unit.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="products.unitofmeasure",
                                to_field="code",
                            ),
                        ),
                        (
                            "merged_into",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                editable=False,
                                help_text="The order that its quantity was added to.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="workorders.workorder",
                            ),
                        ),
                        (
                            "parent",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="The order that it reworks or was split from.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="workorders.workorder",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical work order",
                        "verbose_name_plural": "historical work orders",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalSchedule",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("production", "Production"),
                                    ("maintenance", "Maintenance"),
                                    ("other", "Other"),
                                ],
                                default="production",
                                max_length=12,
                            ),
                        ),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("planned", "Planned"),
                                    ("confirmed", "Confirmed"),
                                    ("cancelled", "Cancelled"),
                                ],
                                default="planned",
                                max_length=9,
                            ),
                        ),
                        ("planned_start_at", models.DateTimeField()),
                        ("planned_end_at", models.DateTimeField()),
                        (
                            "planned_quantity",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                help_text="In the order's unit. Empty = the order's share by planned time.",
                                max_digits=18,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                            ),
                        ),
                        ("note", models.CharField(blank=True, max_length=500)),
                        (
                            "is_checked",
                            models.BooleanField(
                                default=True,
                                editable=False,
                                help_text="Off = it was planned before collisions were refused, and collides.",
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
                            "planner",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                editable=False,
                                help_text="Who planned it last.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "operation",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="Which operation of the order. Empty = the order as a whole.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="workorders.operation",
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
                        "verbose_name": "historical schedule",
                        "verbose_name_plural": "historical schedules",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalRun",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        ("started_at", models.DateTimeField()),
                        ("ended_at", models.DateTimeField(blank=True, null=True)),
                        ("estimated_finish_at", models.DateTimeField(blank=True, null=True)),
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
                            "schedule",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="workorders.schedule",
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
                        "verbose_name": "historical run",
                        "verbose_name_plural": "historical runs",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalOrderMaterial",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        ("position", models.PositiveSmallIntegerField()),
                        (
                            "quantity_required",
                            models.DecimalField(
                                decimal_places=6,
                                help_text="Negative = it comes out.",
                                max_digits=24,
                                verbose_name="required",
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
                            "unit",
                            models.ForeignKey(
                                blank=True,
                                db_column="unit",
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="products.unitofmeasure",
                                to_field="code",
                            ),
                        ),
                        (
                            "operation",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="What takes or yields it. Empty = the order as a whole.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="workorders.operation",
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
                        "verbose_name": "historical material of an order",
                        "verbose_name_plural": "historical materials of orders",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalOperation",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "sequence",
                            models.PositiveSmallIntegerField(default=10, help_text="10, 20, 30 …: the order of work."),
                        ),
                        (
                            "code",
                            models.CharField(
                                help_text="What the bill calls it: FILL, CAP.",
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
                            "setup_time",
                            models.DecimalField(
                                blank=True,
                                decimal_places=3,
                                max_digits=12,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                                verbose_name="set-up (s)",
                            ),
                        ),
                        (
                            "run_time_per_unit",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                help_text="Standard time, not the ideal one of OEE. Empty = not known.",
                                max_digits=18,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                                verbose_name="run time per unit (s)",
                            ),
                        ),
                        (
                            "teardown_time",
                            models.DecimalField(
                                blank=True,
                                decimal_places=3,
                                max_digits=12,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                                verbose_name="teardown (s)",
                            ),
                        ),
                        (
                            "crew_size",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                help_text="People needed.",
                                max_digits=6,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                            ),
                        ),
                        (
                            "labour_hours",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                max_digits=18,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                                verbose_name="labour hours per unit",
                            ),
                        ),
                        ("inspection_required", models.BooleanField(default=False)),
                        ("instructions", models.TextField(blank=True, max_length=20000)),
                        ("safety_notes", models.TextField(blank=True, max_length=20000)),
                        (
                            "is_milestone",
                            models.BooleanField(
                                default=False,
                                help_text="Reporting it reports what comes before, too.",
                                verbose_name="milestone",
                            ),
                        ),
                        (
                            "counts_for_output",
                            models.BooleanField(
                                default=False,
                                help_text="What it makes is what the order has made.",
                                verbose_name="counts for the order",
                            ),
                        ),
                        (
                            "overlap_allowed",
                            models.BooleanField(
                                default=False, help_text="The next operation may start before this one has ended."
                            ),
                        ),
                        (
                            "counting_source",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("operator", "People report"),
                                    ("machine", "The machine counts"),
                                    ("both", "The machine counts, people report scrap"),
                                ],
                                help_text="Who says how much was made. Empty = the machine where it has a counter for good or all pieces, else people; that is settled when an order is released.",
                                max_length=8,
                                verbose_name="counted by",
                            ),
                        ),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("pending", "Pending"),
                                    ("ready", "Ready"),
                                    ("in_progress", "In progress"),
                                    ("completed", "Completed"),
                                    ("skipped", "Skipped"),
                                    ("on_hold", "On hold"),
                                ],
                                default="pending",
                                max_length=12,
                            ),
                        ),
                        (
                            "planned_quantity",
                            models.DecimalField(
                                decimal_places=6,
                                max_digits=18,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                            ),
                        ),
                        ("planned_start_at", models.DateTimeField(blank=True, null=True)),
                        ("planned_end_at", models.DateTimeField(blank=True, null=True)),
                        ("actual_start_at", models.DateTimeField(blank=True, null=True)),
                        ("actual_end_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "inspection_status",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("pending", "Pending"),
                                    ("passed", "Passed"),
                                    ("failed", "Failed"),
                                    ("conditional", "Passed conditionally"),
                                ],
                                help_text="Empty = none is required.",
                                max_length=11,
                            ),
                        ),
                        ("inspected_at", models.DateTimeField(blank=True, null=True)),
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
                            "inspected_by",
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
                            "line",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="Where: a line …",
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
                                help_text="… a machine …",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.machine",
                            ),
                        ),
                        (
                            "machine_class",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="… or any machine of a class. None of them = the order's line.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.machineclass",
                            ),
                        ),
                        (
                            "template",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="The step of the released routing that it was copied from; its documents are there.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="products.routingoperation",
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
                        "verbose_name": "historical operation",
                        "verbose_name_plural": "historical operations",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalChangeover",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("product", "Product"),
                                    ("tool", "Tool"),
                                    ("material", "Material"),
                                    ("format", "Format"),
                                ],
                                default="product",
                                max_length=8,
                            ),
                        ),
                        (
                            "target_minutes",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                help_text="What the targets allowed when it began. Empty = none fitted.",
                                max_digits=8,
                                null=True,
                                verbose_name="target (min)",
                            ),
                        ),
                        ("started_at", models.DateTimeField()),
                        ("ended_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "first_good_at",
                            models.DateTimeField(blank=True, null=True, verbose_name="first good piece at"),
                        ),
                        (
                            "pieces_made",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                max_digits=18,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                            ),
                        ),
                        (
                            "pieces_scrapped",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                max_digits=18,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                            ),
                        ),
                        ("operators", models.CharField(blank=True, help_text="Who did it.", max_length=500)),
                        (
                            "inspection",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("passed", "Passed"),
                                    ("failed", "Failed"),
                                    ("conditional", "Passed conditionally"),
                                ],
                                help_text="Empty = not inspected.",
                                max_length=11,
                                verbose_name="first piece",
                            ),
                        ),
                        ("inspection_note", models.CharField(blank=True, max_length=500)),
                        ("improvement_idea", models.TextField(blank=True, max_length=4000)),
                        ("recorded_at", models.DateTimeField()),
                        ("approved_at", models.DateTimeField(blank=True, null=True)),
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
                            "from_product",
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
                            "started_by",
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
                            "supervisor",
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
                            "to_product",
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
                            "run",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="What it led to.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="workorders.run",
                            ),
                        ),
                        (
                            "work_order",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="The order that it was made ready for.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="workorders.workorder",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical changeover",
                        "verbose_name_plural": "historical changeovers",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="DemandOrder",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
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
                        ("recorded_at", models.DateTimeField()),
                        (
                            "demand",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="covered_by",
                                to="workorders.demand",
                            ),
                        ),
                        (
                            "order",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="covers",
                                to="workorders.workorder",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["id"],
                        "constraints": [
                            models.UniqueConstraint(fields=("demand", "order"), name="demand_covered_once_by_an_order"),
                            models.CheckConstraint(
                                condition=models.Q(("quantity__gt", 0)), name="demand_covered_positive"
                            ),
                        ],
                    },
                ),
            ]
        ),
        migrations.AddField(
            model_name="changeover",
            name="work_order",
            field=models.ForeignKey(
                blank=True,
                help_text="The order that it was made ready for.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="changeovers",
                to="workorders.workorder",
            ),
        ),
        Together(
            [
                migrations.CreateModel(
                    name="ChangeoverPhase",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "phase",
                            models.CharField(
                                choices=[
                                    ("teardown", "Teardown"),
                                    ("setup", "Set-up"),
                                    ("adjustment", "Adjustment"),
                                    ("trial_run", "Trial run"),
                                ],
                                max_length=10,
                            ),
                        ),
                        ("started_at", models.DateTimeField()),
                        ("ended_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "changeover",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="phases",
                                to="workorders.changeover",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["changeover", "started_at", "id"],
                        "constraints": [
                            models.UniqueConstraint(fields=("changeover", "phase"), name="one_phase_of_a_changeover"),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("ended_at__isnull", True),
                                    ("ended_at__gt", models.F("started_at")),
                                    _connector="OR",
                                ),
                                name="changeover_phase_not_empty",
                                violation_error_message="A phase ends after it started.",
                            ),
                        ],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="changeovertaskdone",
                    trigger=pgtrigger.compiler.Trigger(
                        name="changeover_task_done_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="747f9f9ae3239b7e462e77de452614cc24684a7e",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_changeover_task_done_append_only_1b17a",
                            table="workorders_changeovertaskdone",
                            when="BEFORE",
                        ),
                    ),
                ),
            ]
        ),
        migrations.AddConstraint(
            model_name="schedule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "production"), _negated=True), ("work_order__isnull", False), _connector="OR"
                ),
                name="schedule_production_has_an_order",
                violation_error_message="Scheduled production names its work order.",
            ),
        ),
        Together(
            [
                pgtrigger.migrations.AddTrigger(
                    model_name="orderstatuschange",
                    trigger=pgtrigger.compiler.Trigger(
                        name="order_status_change_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="ddf8e9242258d8fcd7bc9af24d710655e37a3aa3",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_order_status_change_append_only_133cc",
                            table="workorders_orderstatuschange",
                            when="BEFORE",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="orderconfirmation",
                    trigger=pgtrigger.compiler.Trigger(
                        name="order_confirmation_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="61f91580eb2f412777801baf84e6cecb658f5e73",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_order_confirmation_append_only_b584d",
                            table="workorders_orderconfirmation",
                            when="BEFORE",
                        ),
                    ),
                ),
            ]
        ),
        migrations.AddConstraint(
            model_name="operation",
            constraint=models.UniqueConstraint(
                fields=("work_order", "sequence"), name="one_order_operation_per_sequence"
            ),
        ),
        migrations.AddConstraint(
            model_name="operation",
            constraint=models.UniqueConstraint(fields=("work_order", "code"), name="one_order_operation_of_a_code"),
        ),
        Together(
            [
                pgtrigger.migrations.AddTrigger(
                    model_name="demandorder",
                    trigger=pgtrigger.compiler.Trigger(
                        name="demand_order_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="82dca39a689ed1f68221a5b8515482c52e25aafe",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_demand_order_append_only_03129",
                            table="workorders_demandorder",
                            when="BEFORE",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="changeover",
                    trigger=pgtrigger.compiler.Trigger(
                        name="approved_changeover_stays",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."approved_at" IS NOT NULL)',
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="e9ae50033e26256152f03bc1d5ac204139927797",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_approved_changeover_stays_1bbcc",
                            table="workorders_changeover",
                            when="BEFORE",
                        ),
                    ),
                ),
            ]
        ),
    ]
