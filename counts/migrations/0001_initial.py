from decimal import Decimal

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
    ]

    operations = [
        Together(
            [
                migrations.CreateModel(
                    name="CountReading",
                    fields=[
                        (
                            "id",
                            models.CharField(
                                help_text="The tag's id, @, and the moment in UTC.",
                                max_length=60,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("occurred_at", models.DateTimeField()),
                        ("value", models.DecimalField(decimal_places=6, max_digits=24)),
                        ("recorded_at", models.DateTimeField()),
                        ("source", models.CharField(max_length=64)),
                    ],
                    options={
                        "db_table": "count_reading",
                        "ordering": ["-tag_id", "-occurred_at"],
                        "managed": False,
                    },
                ),
                migrations.CreateModel(
                    name="CountType",
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
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
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
                                help_text="What one counted pulse stands for, exactly: 0.5 when a piece makes two pulses.",
                                max_digits=12,
                                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                                verbose_name="pieces per pulse",
                            ),
                        ),
                        (
                            "cavities",
                            models.PositiveSmallIntegerField(
                                default=1,
                                help_text="Pieces that come at once: 6 for a six-cavity mould. Multiplies the pieces per pulse.",
                                validators=[django.core.validators.MinValueValidator(1)],
                            ),
                        ),
                        (
                            "offset",
                            models.DecimalField(
                                decimal_places=6,
                                default=Decimal("0"),
                                help_text="Added to what the device sends before it counts, in pulses: -1000 when its zero reads 1000.",
                                max_digits=20,
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
                                    ("hold", "Nobody knows: count nothing until a person has said"),
                                ],
                                default="from_zero",
                                help_text="What a lower reading means on a running counter that did not roll over.",
                                max_length=12,
                            ),
                        ),
                        (
                            "fastest_rate",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                help_text="A running counter that rises faster is not believed: its pieces are held back until a person has said what happened. Empty = only a fall that no rollover and no restart explains is held back.",
                                max_digits=14,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                                verbose_name="fastest rate (pulses/s)",
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
                                on_delete=django.db.models.deletion.PROTECT, related_name="tags", to="counts.counttype"
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["tag_path"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("scale__gt", 0)),
                                name="count_tag_scale_positive",
                                violation_error_message="Pieces per pulse is greater than zero.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("modulus__isnull", True),
                                    models.Q(("mode", "running"), ("modulus__gte", 2)),
                                    _connector="OR",
                                ),
                                name="count_tag_modulus_of_running_counter",
                                violation_error_message="Only a running counter has a modulus, and it is at least 2.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("cavities__gte", 1)),
                                name="count_tag_cavities_positive",
                                violation_error_message="There is at least one cavity.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("fastest_rate__isnull", True), ("fastest_rate__gt", 0), _connector="OR"
                                ),
                                name="count_tag_fastest_rate_positive",
                                violation_error_message="The fastest rate is greater than zero.",
                            ),
                        ],
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
                    name="CounterEvent",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("occurred_at", models.DateTimeField()),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("reset", "Reset: it went on from the value that is given, or by the tag's policy"),
                                    ("replaced", "Replaced: another counter, whose first reading is its baseline"),
                                    ("rollover", "Rolled over once, at its modulus"),
                                    ("genuine", "Nothing: the rise was real"),
                                ],
                                max_length=8,
                            ),
                        ),
                        (
                            "value",
                            models.DecimalField(
                                decimal_places=6,
                                help_text="What the counter read right after a reset.",
                                max_digits=24,
                                null=True,
                            ),
                        ),
                        ("comment", models.CharField(blank=True, max_length=500)),
                        ("recorded_at", models.DateTimeField()),
                        (
                            "source",
                            models.CharField(
                                default="", help_text="Who delivered it: a device key's prefix.", max_length=64
                            ),
                        ),
                        (
                            "stated_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "tag",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="events", to="counts.counttag"
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-id"],
                        "indexes": [models.Index(fields=["tag", "occurred_at"], name="counter_event_of_tag")],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("stated_by__isnull", True)),
                                fields=("tag", "occurred_at"),
                                name="counter_event_of_device_once",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="CountCorrection",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
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
                        "indexes": [
                            models.Index(models.F("tag"), models.F("occurred_at"), name="count_correction_of_reading")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="HistoricalCountTag",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
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
                                help_text="What one counted pulse stands for, exactly: 0.5 when a piece makes two pulses.",
                                max_digits=12,
                                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                                verbose_name="pieces per pulse",
                            ),
                        ),
                        (
                            "cavities",
                            models.PositiveSmallIntegerField(
                                default=1,
                                help_text="Pieces that come at once: 6 for a six-cavity mould. Multiplies the pieces per pulse.",
                                validators=[django.core.validators.MinValueValidator(1)],
                            ),
                        ),
                        (
                            "offset",
                            models.DecimalField(
                                decimal_places=6,
                                default=Decimal("0"),
                                help_text="Added to what the device sends before it counts, in pulses: -1000 when its zero reads 1000.",
                                max_digits=20,
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
                                    ("hold", "Nobody knows: count nothing until a person has said"),
                                ],
                                default="from_zero",
                                help_text="What a lower reading means on a running counter that did not roll over.",
                                max_length=12,
                            ),
                        ),
                        (
                            "fastest_rate",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                help_text="A running counter that rises faster is not believed: its pieces are held back until a person has said what happened. Empty = only a fall that no rollover and no restart explains is held back.",
                                max_digits=14,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                                verbose_name="fastest rate (pulses/s)",
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
                            models.CharField(
                                choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                            ),
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
                pgtrigger.migrations.AddTrigger(
                    model_name="counterevent",
                    trigger=pgtrigger.compiler.Trigger(
                        name="counter_event_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="425c3195a464a427210f79a6944cbd64c59f72ec",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_counter_event_append_only_a77d4",
                            table="counts_counterevent",
                            when="BEFORE",
                        ),
                    ),
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
            ]
        ),
    ]
