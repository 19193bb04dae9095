from decimal import Decimal

import django.core.validators
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("enterprise", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CountType",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
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
                    "role",
                    models.CharField(
                        choices=[
                            ("good", "Good pieces"),
                            ("reject", "Rejected pieces"),
                            ("rework", "Pieces to rework"),
                            ("infeed", "Pieces fed in"),
                            ("total", "All pieces made"),
                        ],
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
            name="CountTag",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "tag_path",
                    models.CharField(
                        help_text="How the device names it, for example L1/FILLER/good.",
                        max_length=255,
                        unique=True,
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("delta", "Delta: each value is the number of new pulses"),
                            ("running", "Running counter: each value is the counter's reading"),
                        ],
                        default="delta",
                        max_length=8,
                    ),
                ),
                (
                    "scale",
                    models.DecimalField(
                        decimal_places=6,
                        default=Decimal("1"),
                        help_text="Pieces made per counted pulse, for example 6 for a six-cavity mould.",
                        max_digits=12,
                        validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                        verbose_name="pieces per pulse",
                    ),
                ),
                (
                    "modulus",
                    models.DecimalField(
                        blank=True,
                        decimal_places=0,
                        help_text="A running counter's span: 65536 rolls over from 65535 to 0. Empty = it does not roll over.",
                        max_digits=20,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(Decimal("2"))],
                    ),
                ),
                (
                    "reset_policy",
                    models.CharField(
                        choices=[
                            ("from_zero", "It restarted from zero: the reading counts"),
                            ("new_baseline", "It was set anew: only the next rise counts"),
                        ],
                        default="from_zero",
                        help_text="What a lower reading means on a running counter without a modulus.",
                        max_length=12,
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="A tag that is switched off refuses new readings.",
                        verbose_name="active",
                    ),
                ),
                (
                    "machine",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="count_tags",
                        to="enterprise.machine",
                    ),
                ),
                (
                    "count_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tags",
                        to="counts.counttype",
                    ),
                ),
            ],
            options={
                "ordering": ["tag_path"],
            },
        ),
        migrations.CreateModel(
            name="CountHistory",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tag_id", "occurred_at", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("occurred_at", models.DateTimeField()),
                ("value", models.DecimalField(decimal_places=6, max_digits=24)),
                ("recorded_at", models.DateTimeField()),
                (
                    "source",
                    models.CharField(
                        default="",
                        help_text="Who delivered it: a device key's prefix or a person.",
                        max_length=64,
                    ),
                ),
                (
                    "tag",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="readings",
                        to="counts.counttag",
                    ),
                ),
            ],
            options={
                "verbose_name": "count reading",
                "verbose_name_plural": "count history",
                "ordering": ["-occurred_at", "tag_id"],
            },
        ),
        migrations.CreateModel(
            name="CountCorrection",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("occurred_at", models.DateTimeField(help_text="Of the reading that is corrected.")),
                (
                    "value",
                    models.DecimalField(
                        decimal_places=6, help_text="Empty = the reading is void.", max_digits=24, null=True
                    ),
                ),
                ("comment", models.CharField(max_length=500)),
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
                    "tag",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="corrections",
                        to="counts.counttag",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="HistoricalCountTag",
            fields=[
                (
                    "id",
                    models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID"),
                ),
                (
                    "tag_path",
                    models.CharField(
                        db_index=True,
                        help_text="How the device names it, for example L1/FILLER/good.",
                        max_length=255,
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("delta", "Delta: each value is the number of new pulses"),
                            ("running", "Running counter: each value is the counter's reading"),
                        ],
                        default="delta",
                        max_length=8,
                    ),
                ),
                (
                    "scale",
                    models.DecimalField(
                        decimal_places=6,
                        default=Decimal("1"),
                        help_text="Pieces made per counted pulse, for example 6 for a six-cavity mould.",
                        max_digits=12,
                        validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                        verbose_name="pieces per pulse",
                    ),
                ),
                (
                    "modulus",
                    models.DecimalField(
                        blank=True,
                        decimal_places=0,
                        help_text="A running counter's span: 65536 rolls over from 65535 to 0. Empty = it does not roll over.",
                        max_digits=20,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(Decimal("2"))],
                    ),
                ),
                (
                    "reset_policy",
                    models.CharField(
                        choices=[
                            ("from_zero", "It restarted from zero: the reading counts"),
                            ("new_baseline", "It was set anew: only the next rise counts"),
                        ],
                        default="from_zero",
                        help_text="What a lower reading means on a running counter without a modulus.",
                        max_length=12,
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="A tag that is switched off refuses new readings.",
                        verbose_name="active",
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
                    "count_type",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="counts.counttype",
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
            ],
            options={
                "verbose_name": "historical count tag",
                "verbose_name_plural": "historical count tags",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalCountType",
            fields=[
                (
                    "id",
                    models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID"),
                ),
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
                    "role",
                    models.CharField(
                        choices=[
                            ("good", "Good pieces"),
                            ("reject", "Rejected pieces"),
                            ("rework", "Pieces to rework"),
                            ("infeed", "Pieces fed in"),
                            ("total", "All pieces made"),
                        ],
                        max_length=8,
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
            ],
            options={
                "verbose_name": "historical count type",
                "verbose_name_plural": "historical count types",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="counthistory",
            trigger=pgtrigger.compiler.Trigger(
                name="count_history_append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="6631cb18f92200aeca60dc83e7c2ba0db581a28b",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_count_history_append_only_4b92e",
                    table="counts_counthistory",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="countcorrection",
            index=models.Index(models.F("tag"), models.F("occurred_at"), name="count_correction_of_reading"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="countcorrection",
            trigger=pgtrigger.compiler.Trigger(
                name="count_correction_append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="209fd20ff94cda25d43ce148f2a3cff11043c504",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_count_correction_append_only_82545",
                    table="counts_countcorrection",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="counttag",
            constraint=models.CheckConstraint(
                condition=models.Q(("scale__gt", 0)),
                name="count_tag_scale_positive",
                violation_error_message="Pieces per pulse is greater than zero.",
            ),
        ),
        migrations.AddConstraint(
            model_name="counttag",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("modulus__isnull", True),
                    models.Q(("mode", "running"), ("modulus__gte", 2)),
                    _connector="OR",
                ),
                name="count_tag_modulus_of_running_counter",
                violation_error_message="Only a running counter has a modulus, and it is at least 2.",
            ),
        ),
    ]
