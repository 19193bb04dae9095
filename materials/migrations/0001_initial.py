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
        ("products", "0001_initial"),
        ("workorders", "0001_initial"),
    ]

    operations = [
        Together(
            [
                migrations.CreateModel(
                    name="HistoricalPickingPolicy",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "rule",
                            models.CharField(
                                choices=[
                                    ("suggest", "Suggest the first to expire"),
                                    ("reason", "Another lot needs a reason"),
                                    ("enforce", "Only the first to expire"),
                                ],
                                default="suggest",
                                max_length=7,
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
                                help_text="Empty = all without a policy of their own.",
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
                        "verbose_name": "historical picking policy",
                        "verbose_name_plural": "historical picking policies",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="Location",
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
                                    ("warehouse", "Warehouse"),
                                    ("storage", "Shelf or bin"),
                                    ("line_side", "Line side"),
                                    ("tank", "Tank or silo"),
                                ],
                                default="warehouse",
                                max_length=10,
                            ),
                        ),
                        (
                            "line",
                            models.ForeignKey(
                                blank=True,
                                help_text="The line that is fed from here.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="locations",
                                to="enterprise.line",
                            ),
                        ),
                        (
                            "parent",
                            models.ForeignKey(
                                blank=True,
                                help_text="What it is part of: the warehouse of a shelf. Empty = it stands by itself.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="children",
                                to="materials.location",
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="locations",
                                to="enterprise.site",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["code"],
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="HistoricalLocation",
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
                                    ("warehouse", "Warehouse"),
                                    ("storage", "Shelf or bin"),
                                    ("line_side", "Line side"),
                                    ("tank", "Tank or silo"),
                                ],
                                default="warehouse",
                                max_length=10,
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
                                help_text="The line that is fed from here.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.line",
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
                            "parent",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="What it is part of: the warehouse of a shelf. Empty = it stands by itself.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="materials.location",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical location",
                        "verbose_name_plural": "historical locations",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalBackflushPolicy",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "mode",
                            models.CharField(
                                choices=[
                                    ("piece", "By piece: with every report, what its operation takes"),
                                    ("milestone", "By milestone: a milestone's report books what was taken up to it"),
                                    ("order", "By order: all at once, when the order's quantity is reported"),
                                ],
                                default="piece",
                                max_length=9,
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
                                help_text="What the order makes. Empty = all without a policy of their own.",
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
                            "location",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="Reports and completed orders book from here without anybody asking. Empty = only when asked for.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="materials.location",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical back-flush policy",
                        "verbose_name_plural": "historical back-flush policies",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="MaterialLot",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "number",
                            models.CharField(
                                help_text="Lot or batch number (GS1: AI 10), unique for its product.", max_length=64
                            ),
                        ),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("quarantine", "Quarantine: waits for release"),
                                    ("released", "Released"),
                                    ("hold", "On hold"),
                                    ("rejected", "Rejected"),
                                ],
                                default="quarantine",
                                editable=False,
                                max_length=10,
                            ),
                        ),
                        (
                            "batch",
                            models.CharField(
                                blank=True, help_text="The batch, where one batch gives several lots.", max_length=64
                            ),
                        ),
                        (
                            "serial",
                            models.CharField(
                                blank=True, help_text="Serial number, for a lot of one piece.", max_length=64
                            ),
                        ),
                        ("supplier", models.CharField(blank=True, max_length=200)),
                        (
                            "supplier_lot",
                            models.CharField(blank=True, help_text="The supplier's own lot number.", max_length=64),
                        ),
                        ("made_date", models.DateField(blank=True, null=True)),
                        (
                            "expiry_date",
                            models.DateField(
                                blank=True,
                                help_text="The last day on which it may be used. Empty = it does not expire.",
                                null=True,
                            ),
                        ),
                        (
                            "retest_date",
                            models.DateField(
                                blank=True, help_text="From this day on it should be tested again.", null=True
                            ),
                        ),
                        (
                            "certificate",
                            models.CharField(
                                blank=True,
                                help_text="Its number, or where it is filed.",
                                max_length=200,
                                verbose_name="certificate of analysis",
                            ),
                        ),
                        ("notes", models.TextField(blank=True, max_length=4000)),
                        ("recorded_at", models.DateTimeField(editable=False)),
                        (
                            "parent",
                            models.ForeignKey(
                                blank=True,
                                help_text="It was split off.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="sublots",
                                to="materials.materiallot",
                            ),
                        ),
                        (
                            "product",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="lots", to="products.product"
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                help_text="The site that received or made it.",
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="lots",
                                to="enterprise.site",
                            ),
                        ),
                        (
                            "work_order",
                            models.ForeignKey(
                                blank=True,
                                help_text="The order that made it first.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="lots_made",
                                to="workorders.workorder",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "lot",
                        "ordering": ["-id"],
                        "indexes": [
                            models.Index(fields=["number"], name="lot_number"),
                            models.Index(fields=["product", "status", "expiry_date"], name="lot_first_expired"),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("product", "number"),
                                name="lot_number_once_per_product",
                                violation_error_message="The product has a lot with this number already.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("number", ""), _negated=True),
                                name="lot_number_not_empty",
                                violation_error_message="A lot has a number.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("made_date__isnull", True),
                                    ("expiry_date__isnull", True),
                                    ("expiry_date__gte", models.F("made_date")),
                                    _connector="OR",
                                ),
                                name="lot_expires_after_it_was_made",
                                violation_error_message="It cannot expire before it was made.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("parent__isnull", True),
                                    models.Q(("parent", models.F("id")), _negated=True),
                                    _connector="OR",
                                ),
                                name="lot_is_not_its_own_part",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="LotStatusChange",
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
                                    ("quarantine", "Quarantine: waits for release"),
                                    ("released", "Released"),
                                    ("hold", "On hold"),
                                    ("rejected", "Rejected"),
                                ],
                                help_text="Empty = it is new.",
                                max_length=10,
                            ),
                        ),
                        (
                            "to_status",
                            models.CharField(
                                choices=[
                                    ("quarantine", "Quarantine: waits for release"),
                                    ("released", "Released"),
                                    ("hold", "On hold"),
                                    ("rejected", "Rejected"),
                                ],
                                max_length=10,
                            ),
                        ),
                        ("reason", models.CharField(max_length=500)),
                        ("changed_at", models.DateTimeField()),
                        (
                            "changed_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "lot",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="status_changes",
                                to="materials.materiallot",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-id"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("reason", ""), _negated=True), name="lot_status_change_has_a_reason"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("from_status", models.F("to_status")), _negated=True),
                                name="lot_status_change_changes",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="HistoricalMaterialLot",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "number",
                            models.CharField(
                                help_text="Lot or batch number (GS1: AI 10), unique for its product.", max_length=64
                            ),
                        ),
                        (
                            "batch",
                            models.CharField(
                                blank=True, help_text="The batch, where one batch gives several lots.", max_length=64
                            ),
                        ),
                        (
                            "serial",
                            models.CharField(
                                blank=True, help_text="Serial number, for a lot of one piece.", max_length=64
                            ),
                        ),
                        ("supplier", models.CharField(blank=True, max_length=200)),
                        (
                            "supplier_lot",
                            models.CharField(blank=True, help_text="The supplier's own lot number.", max_length=64),
                        ),
                        ("made_date", models.DateField(blank=True, null=True)),
                        (
                            "expiry_date",
                            models.DateField(
                                blank=True,
                                help_text="The last day on which it may be used. Empty = it does not expire.",
                                null=True,
                            ),
                        ),
                        (
                            "retest_date",
                            models.DateField(
                                blank=True, help_text="From this day on it should be tested again.", null=True
                            ),
                        ),
                        (
                            "certificate",
                            models.CharField(
                                blank=True,
                                help_text="Its number, or where it is filed.",
                                max_length=200,
                                verbose_name="certificate of analysis",
                            ),
                        ),
                        ("notes", models.TextField(blank=True, max_length=4000)),
                        ("recorded_at", models.DateTimeField(editable=False)),
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
                            "site",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="The site that received or made it.",
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
                                help_text="The order that made it first.",
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
                                help_text="It was split off.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="materials.materiallot",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical lot",
                        "verbose_name_plural": "historical lots",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="MaterialTransaction",
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
                                    ("receive", "Receipt"),
                                    ("issue", "Issue"),
                                    ("consume", "Consumption"),
                                    ("produce", "Production"),
                                    ("return", "Return"),
                                    ("scrap", "Scrap"),
                                    ("adjust", "Adjustment"),
                                    ("ship", "Shipment"),
                                    ("move", "Move"),
                                    ("split", "Split"),
                                    ("reversal", "Reversal"),
                                ],
                                max_length=8,
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
                        ("unit", models.CharField(help_text="The product's unit when it moved.", max_length=20)),
                        (
                            "given_quantity",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                help_text="As it was said, where in another unit.",
                                max_digits=18,
                                null=True,
                            ),
                        ),
                        (
                            "given_unit",
                            models.CharField(
                                blank=True, help_text="Empty = it was said in the product's unit.", max_length=20
                            ),
                        ),
                        (
                            "operation_code",
                            models.CharField(
                                blank=True, help_text="The order's operation, by its code.", max_length=64
                            ),
                        ),
                        (
                            "unit_cost",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                max_digits=18,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                            ),
                        ),
                        ("reason", models.CharField(blank=True, max_length=500)),
                        ("occurred_at", models.DateTimeField()),
                        ("recorded_at", models.DateTimeField()),
                        ("idempotency_key", models.CharField(blank=True, max_length=100, null=True, unique=True)),
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
                            "lot",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="transactions",
                                to="materials.materiallot",
                            ),
                        ),
                        (
                            "performed_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "product",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="products.product"
                            ),
                        ),
                        (
                            "reverses",
                            models.OneToOneField(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="reversed_by",
                                to="materials.materialtransaction",
                            ),
                        ),
                        (
                            "to_location",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="materials.location",
                            ),
                        ),
                        (
                            "to_lot",
                            models.ForeignKey(
                                blank=True,
                                help_text="What was split off.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="materials.materiallot",
                            ),
                        ),
                        (
                            "work_order",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="material_transactions",
                                to="workorders.workorder",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-id"],
                        "indexes": [
                            models.Index(fields=["work_order", "lot"], name="material_of_order"),
                            models.Index(fields=["product", "occurred_at"], name="material_of_product"),
                            models.Index(fields=["occurred_at"], name="material_occurred"),
                            models.Index(
                                condition=models.Q(("to_lot__isnull", False)),
                                fields=["to_lot"],
                                name="material_split_off",
                            ),
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("quantity__gt", 0)), name="material_quantity_positive"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("kind", "receive"),
                                        models.Q(("from_location__isnull", False), _negated=True),
                                        ("to_location__isnull", False),
                                    ),
                                    models.Q(
                                        ("kind", "issue"),
                                        ("from_location__isnull", False),
                                        models.Q(
                                            ("to_location__isnull", False),
                                            ("work_order__isnull", False),
                                            _connector="OR",
                                        ),
                                    ),
                                    models.Q(
                                        ("kind", "consume"),
                                        ("from_location__isnull", False),
                                        models.Q(("to_location__isnull", False), _negated=True),
                                        ("work_order__isnull", False),
                                    ),
                                    models.Q(
                                        ("kind", "produce"),
                                        models.Q(("from_location__isnull", False), _negated=True),
                                        ("to_location__isnull", False),
                                        ("work_order__isnull", False),
                                    ),
                                    models.Q(
                                        ("kind", "return"),
                                        ("to_location__isnull", False),
                                        models.Q(
                                            ("from_location__isnull", False),
                                            ("work_order__isnull", False),
                                            _connector="OR",
                                        ),
                                    ),
                                    models.Q(
                                        ("kind", "scrap"),
                                        models.Q(("to_location__isnull", False), _negated=True),
                                        models.Q(
                                            ("from_location__isnull", False),
                                            ("work_order__isnull", False),
                                            _connector="OR",
                                        ),
                                    ),
                                    models.Q(
                                        ("kind", "adjust"),
                                        models.Q(
                                            models.Q(
                                                ("from_location__isnull", False),
                                                models.Q(("to_location__isnull", False), _negated=True),
                                            ),
                                            models.Q(
                                                models.Q(("from_location__isnull", False), _negated=True),
                                                ("to_location__isnull", False),
                                            ),
                                            _connector="OR",
                                        ),
                                    ),
                                    models.Q(
                                        ("kind", "ship"),
                                        ("from_location__isnull", False),
                                        models.Q(("to_location__isnull", False), _negated=True),
                                        models.Q(("work_order__isnull", False), _negated=True),
                                    ),
                                    models.Q(
                                        ("kind", "move"),
                                        ("from_location__isnull", False),
                                        ("to_location__isnull", False),
                                    ),
                                    models.Q(
                                        ("kind", "split"),
                                        ("from_location__isnull", False),
                                        ("to_location__isnull", False),
                                        ("lot__isnull", False),
                                        ("to_lot__isnull", False),
                                    ),
                                    models.Q(("kind", "reversal"), ("reverses__isnull", False)),
                                    _connector="OR",
                                ),
                                name="material_shape_of_kind",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("given_quantity__isnull", True), ("given_unit", "")),
                                    models.Q(("given_quantity__gt", 0), models.Q(("given_unit", ""), _negated=True)),
                                    _connector="OR",
                                ),
                                name="material_given_with_its_unit",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("kind", "reversal"), ("reverses__isnull", True), _connector="OR"),
                                name="material_only_reversals_reverse",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("to_lot__isnull", True),
                                    models.Q(
                                        ("kind__in", ["split", "reversal"]),
                                        models.Q(("lot", models.F("to_lot")), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                                name="material_only_splits_name_two_lots",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("from_location__isnull", True),
                                    ("to_location__isnull", True),
                                    ("to_lot__isnull", False),
                                    models.Q(("from_location", models.F("to_location")), _negated=True),
                                    _connector="OR",
                                ),
                                name="material_moves_elsewhere",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("kind__in", ["adjust", "scrap", "reversal"]), _negated=True),
                                    models.Q(("reason", ""), _negated=True),
                                    _connector="OR",
                                ),
                                name="material_reason_where_needed",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("unit_cost__isnull", True), ("unit_cost__gte", 0), _connector="OR"),
                                name="material_cost_not_negative",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="GenealogyLink",
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
                                    ("order", "All that the order used is in all that it made"),
                                    ("given", "Given with the production"),
                                    ("split", "Split off"),
                                ],
                                default="order",
                                max_length=5,
                            ),
                        ),
                        (
                            "quantity",
                            models.DecimalField(
                                decimal_places=6, help_text="Of the input, in its unit.", max_digits=18
                            ),
                        ),
                        ("occurred_at", models.DateTimeField()),
                        (
                            "work_order",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="workorders.workorder",
                            ),
                        ),
                        (
                            "input_lot",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="materials.materiallot",
                            ),
                        ),
                        (
                            "output_lot",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="materials.materiallot",
                            ),
                        ),
                        (
                            "caused_by",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="links",
                                to="materials.materialtransaction",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["id"],
                        "indexes": [
                            models.Index(
                                fields=["input_lot", "output_lot", "work_order"],
                                include=("quantity",),
                                name="genealogy_forward",
                            ),
                            models.Index(
                                fields=["output_lot", "input_lot", "work_order"],
                                include=("quantity",),
                                name="genealogy_backward",
                            ),
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("input_lot", models.F("output_lot")), _negated=True),
                                name="genealogy_not_of_itself",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("quantity", 0), _negated=True), name="genealogy_says_something"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("work_order__isnull", False), ("rule", "split"), _connector="OR"),
                                name="genealogy_of_an_order_or_a_split",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="PickingPolicy",
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
                                    ("suggest", "Suggest the first to expire"),
                                    ("reason", "Another lot needs a reason"),
                                    ("enforce", "Only the first to expire"),
                                ],
                                default="suggest",
                                max_length=7,
                            ),
                        ),
                        (
                            "product",
                            models.ForeignKey(
                                blank=True,
                                help_text="Empty = all without a policy of their own.",
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="picking_policies",
                                to="products.product",
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="picking_policies",
                                to="enterprise.site",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name_plural": "picking policies",
                        "ordering": ["site", "product"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("site", "product"),
                                name="one_picking_policy",
                                nulls_distinct=False,
                                violation_error_message="There is a policy for it already; change that one.",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Stock",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("quantity", models.DecimalField(decimal_places=6, default=Decimal("0"), max_digits=18)),
                        (
                            "location",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="stock",
                                to="materials.location",
                            ),
                        ),
                        (
                            "lot",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="stock",
                                to="materials.materiallot",
                            ),
                        ),
                        (
                            "product",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="stock", to="products.product"
                            ),
                        ),
                    ],
                    options={
                        "verbose_name_plural": "stock",
                        "ordering": ["product", "lot", "location"],
                        "indexes": [models.Index(fields=["location", "product"], name="stock_at_place")],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("product", "lot", "location"),
                                name="one_stock_of_a_lot_at_a_place",
                                nulls_distinct=False,
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="BackflushPolicy",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "mode",
                            models.CharField(
                                choices=[
                                    ("piece", "By piece: with every report, what its operation takes"),
                                    ("milestone", "By milestone: a milestone's report books what was taken up to it"),
                                    ("order", "By order: all at once, when the order's quantity is reported"),
                                ],
                                default="piece",
                                max_length=9,
                            ),
                        ),
                        (
                            "product",
                            models.ForeignKey(
                                blank=True,
                                help_text="What the order makes. Empty = all without a policy of their own.",
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="backflush_policies",
                                to="products.product",
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="backflush_policies",
                                to="enterprise.site",
                            ),
                        ),
                        (
                            "location",
                            models.ForeignKey(
                                blank=True,
                                help_text="Reports and completed orders book from here without anybody asking. Empty = only when asked for.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="materials.location",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "back-flush policy",
                        "verbose_name_plural": "back-flush policies",
                        "ordering": ["site", "product"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("site", "product"),
                                name="one_backflush_policy",
                                nulls_distinct=False,
                                violation_error_message="There is a policy for it already; change that one.",
                            )
                        ],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="lotstatuschange",
                    trigger=pgtrigger.compiler.Trigger(
                        name="lot_status_change_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="c1a187025656efe03d589c3b9e58b2b029781942",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_lot_status_change_append_only_1064b",
                            table="materials_lotstatuschange",
                            when="BEFORE",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="materialtransaction",
                    trigger=pgtrigger.compiler.Trigger(
                        name="material_transaction_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="468f40c0f983231a677fb46374ab40faf69ebe9b",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_material_transaction_append_only_74740",
                            table="materials_materialtransaction",
                            when="BEFORE",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="genealogylink",
                    trigger=pgtrigger.compiler.Trigger(
                        name="genealogy_link_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="d3fb7100a83e531af63765dcdaf4ab04c121ed7d",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_genealogy_link_append_only_22c90",
                            table="materials_genealogylink",
                            when="BEFORE",
                        ),
                    ),
                ),
            ]
        ),
    ]
