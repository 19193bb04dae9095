from decimal import Decimal

import django.core.validators
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("enterprise", "0005_machine_classes_and_custom_fields"),
        ("products", "0004_material_fields"),
        ("workorders", "0006_schedule_entries"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Changeover",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
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
                ("first_good_at", models.DateTimeField(blank=True, null=True, verbose_name="first good piece at")),
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
                        choices=[("passed", "Passed"), ("failed", "Failed"), ("conditional", "Passed conditionally")],
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="changeovers", to="enterprise.line"
                    ),
                ),
                (
                    "run",
                    models.OneToOneField(
                        blank=True,
                        help_text="What it led to.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="changeover",
                        to="workorders.run",
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
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
                (
                    "work_order",
                    models.ForeignKey(
                        blank=True,
                        help_text="The order that it was made ready for.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="changeovers",
                        to="workorders.workorder",
                    ),
                ),
            ],
            options={
                "ordering": ["-started_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="ChangeoverPhase",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
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
                        on_delete=django.db.models.deletion.CASCADE, related_name="phases", to="workorders.changeover"
                    ),
                ),
            ],
            options={
                "ordering": ["changeover", "started_at", "id"],
            },
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
                ("first_good_at", models.DateTimeField(blank=True, null=True, verbose_name="first good piece at")),
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
                        choices=[("passed", "Passed"), ("failed", "Failed"), ("conditional", "Passed conditionally")],
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
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
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
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
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
        migrations.AddIndex(
            model_name="changeover",
            index=models.Index(fields=["line", "started_at"], name="changeover_of_line"),
        ),
        migrations.AddConstraint(
            model_name="changeover",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("line",),
                name="one_open_changeover_of_a_line",
                violation_error_message="The line is being changed over already; finish that one first.",
            ),
        ),
        migrations.AddConstraint(
            model_name="changeover",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ended_at__isnull", True), ("ended_at__gt", models.F("started_at")), _connector="OR"
                ),
                name="changeover_not_empty",
                violation_error_message="A changeover ends after it started.",
            ),
        ),
        migrations.AddConstraint(
            model_name="changeover",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("first_good_at__isnull", True), ("first_good_at__gte", models.F("started_at")), _connector="OR"
                ),
                name="changeover_first_good_after_start",
                violation_error_message="The first good piece comes after the changeover started.",
            ),
        ),
        migrations.AddConstraint(
            model_name="changeover",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("pieces_made__isnull", True),
                    ("pieces_scrapped__isnull", True),
                    ("pieces_scrapped__lte", models.F("pieces_made")),
                    _connector="OR",
                ),
                name="changeover_scrap_among_pieces",
                violation_error_message="No more is scrapped than was made.",
            ),
        ),
        migrations.AddConstraint(
            model_name="changeover",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("approved_at__isnull", True), ("approved_by__isnull", True)),
                    models.Q(
                        ("approved_at__isnull", False), ("approved_by__isnull", False), ("ended_at__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="changeover_approved_when_over",
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
        migrations.AddConstraint(
            model_name="changeoverphase",
            constraint=models.UniqueConstraint(fields=("changeover", "phase"), name="one_phase_of_a_changeover"),
        ),
        migrations.AddConstraint(
            model_name="changeoverphase",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ended_at__isnull", True), ("ended_at__gt", models.F("started_at")), _connector="OR"
                ),
                name="changeover_phase_not_empty",
                violation_error_message="A phase ends after it started.",
            ),
        ),
    ]
