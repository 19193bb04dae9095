import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("enterprise", "0005_machine_classes_and_custom_fields"),
        ("materials", "0001_initial"),
        ("products", "0004_material_fields"),
        ("workorders", "0004_operations_copied_at_release"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BackflushPolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
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
            ],
            options={
                "verbose_name": "back-flush policy",
                "verbose_name_plural": "back-flush policies",
                "ordering": ["site", "product"],
            },
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
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
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
        migrations.RemoveConstraint(
            model_name="materialtransaction",
            name="material_shape_of_kind",
        ),
        migrations.AddField(
            model_name="materialtransaction",
            name="given_quantity",
            field=models.DecimalField(
                blank=True,
                decimal_places=6,
                help_text="As it was said, where in another unit.",
                max_digits=18,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="materialtransaction",
            name="given_unit",
            field=models.CharField(blank=True, help_text="Empty = it was said in the product's unit.", max_length=20),
        ),
        migrations.AlterField(
            model_name="materialtransaction",
            name="kind",
            field=models.CharField(
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
        migrations.AddConstraint(
            model_name="materialtransaction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("kind", "receive"),
                        models.Q(("from_location__isnull", False), _negated=True),
                        ("to_location__isnull", False),
                    ),
                    models.Q(
                        ("kind", "issue"),
                        ("from_location__isnull", False),
                        models.Q(("to_location__isnull", False), ("work_order__isnull", False), _connector="OR"),
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
                        models.Q(("from_location__isnull", False), ("work_order__isnull", False), _connector="OR"),
                    ),
                    models.Q(
                        ("kind", "scrap"),
                        models.Q(("to_location__isnull", False), _negated=True),
                        models.Q(("from_location__isnull", False), ("work_order__isnull", False), _connector="OR"),
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
                    models.Q(("kind", "move"), ("from_location__isnull", False), ("to_location__isnull", False)),
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
        ),
        migrations.AddConstraint(
            model_name="materialtransaction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("given_quantity__isnull", True), ("given_unit", "")),
                    models.Q(("given_quantity__gt", 0), models.Q(("given_unit", ""), _negated=True)),
                    _connector="OR",
                ),
                name="material_given_with_its_unit",
            ),
        ),
        migrations.AddField(
            model_name="backflushpolicy",
            name="product",
            field=models.ForeignKey(
                blank=True,
                help_text="What the order makes. Empty = all without a policy of their own.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="backflush_policies",
                to="products.product",
            ),
        ),
        migrations.AddField(
            model_name="backflushpolicy",
            name="site",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="backflush_policies", to="enterprise.site"
            ),
        ),
        migrations.AddField(
            model_name="historicalbackflushpolicy",
            name="history_user",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="historicalbackflushpolicy",
            name="product",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                help_text="What the order makes. Empty = all without a policy of their own.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="products.product",
            ),
        ),
        migrations.AddField(
            model_name="historicalbackflushpolicy",
            name="site",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="enterprise.site",
            ),
        ),
        migrations.AddConstraint(
            model_name="backflushpolicy",
            constraint=models.UniqueConstraint(
                fields=("site", "product"),
                name="one_backflush_policy",
                nulls_distinct=False,
                violation_error_message="There is a policy for it already; change that one.",
            ),
        ),
    ]
