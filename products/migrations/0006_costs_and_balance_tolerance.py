from decimal import Decimal

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.core.validators
import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import products.models.product


class Migration(migrations.Migration):
    dependencies = [
        ("enterprise", "0005_machine_classes_and_custom_fields"),
        ("products", "0005_order_tolerances"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="historicalproduct",
            name="balance_tolerance",
            field=models.DecimalField(
                blank=True,
                decimal_places=6,
                help_text="How much of what goes into an order of it may be missing from what comes out: 0.02 = 2 %. Empty = 2 %.",
                max_digits=7,
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(Decimal("0")),
                    django.core.validators.MaxValueValidator(Decimal("1")),
                ],
                verbose_name="mass balance tolerance",
            ),
        ),
        migrations.AddField(
            model_name="product",
            name="balance_tolerance",
            field=models.DecimalField(
                blank=True,
                decimal_places=6,
                help_text="How much of what goes into an order of it may be missing from what comes out: 0.02 = 2 %. Empty = 2 %.",
                max_digits=7,
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(Decimal("0")),
                    django.core.validators.MaxValueValidator(Decimal("1")),
                ],
                verbose_name="mass balance tolerance",
            ),
        ),
        migrations.CreateModel(
            name="HistoricalMachineRate",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "overhead_per_hour",
                    models.DecimalField(
                        blank=True,
                        decimal_places=6,
                        help_text="Energy, depreciation, space … of an hour in which it is taken by an order. Empty = not known.",
                        max_digits=18,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                        verbose_name="overhead per hour",
                    ),
                ),
                (
                    "labour_per_hour",
                    models.DecimalField(
                        blank=True,
                        decimal_places=6,
                        help_text="What is planned for one person's hour there. Empty = not known.",
                        max_digits=18,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                        verbose_name="labour per hour of a person",
                    ),
                ),
                ("valid_from", models.DateTimeField()),
                ("valid_until", models.DateTimeField(blank=True, help_text="Empty = until further notice.", null=True)),
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
            ],
            options={
                "verbose_name": "historical hourly rate",
                "verbose_name_plural": "historical hourly rates",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalProductCost",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "cost",
                    models.DecimalField(
                        decimal_places=6,
                        help_text="Of one of the product's own unit, in the site's currency.",
                        max_digits=18,
                        validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                        verbose_name="standard cost",
                    ),
                ),
                ("valid_from", models.DateTimeField()),
                ("valid_until", models.DateTimeField(blank=True, help_text="Empty = until further notice.", null=True)),
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
                "verbose_name": "historical product cost",
                "verbose_name_plural": "historical product costs",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="MachineRate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "overhead_per_hour",
                    models.DecimalField(
                        blank=True,
                        decimal_places=6,
                        help_text="Energy, depreciation, space … of an hour in which it is taken by an order. Empty = not known.",
                        max_digits=18,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                        verbose_name="overhead per hour",
                    ),
                ),
                (
                    "labour_per_hour",
                    models.DecimalField(
                        blank=True,
                        decimal_places=6,
                        help_text="What is planned for one person's hour there. Empty = not known.",
                        max_digits=18,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                        verbose_name="labour per hour of a person",
                    ),
                ),
                ("valid_from", models.DateTimeField()),
                ("valid_until", models.DateTimeField(blank=True, help_text="Empty = until further notice.", null=True)),
                (
                    "line",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cost_rates",
                        to="enterprise.line",
                    ),
                ),
                (
                    "machine",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cost_rates",
                        to="enterprise.machine",
                    ),
                ),
            ],
            options={
                "verbose_name": "hourly rate",
                "ordering": ["line", "machine", "-valid_from"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("line__isnull", False), ("machine__isnull", True)),
                            models.Q(("line__isnull", True), ("machine__isnull", False)),
                            _connector="OR",
                        ),
                        name="machine_rate_of_line_or_machine",
                        violation_error_message="Name either a line or a machine.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("overhead_per_hour__isnull", False), ("labour_per_hour__isnull", False), _connector="OR"
                        ),
                        name="machine_rate_says_something",
                        violation_error_message="Fill in overhead or labour.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_until__isnull", True), ("valid_until__gt", models.F("valid_from")), _connector="OR"
                        ),
                        name="machine_rate_validity_not_empty",
                        violation_error_message="'Valid until' must be after 'valid from'.",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[
                            ("line", "="),
                            (
                                products.models.product.ValidityRange(
                                    "valid_from", "valid_until", django.contrib.postgres.fields.ranges.RangeBoundary()
                                ),
                                "&&",
                            ),
                        ],
                        name="one_rate_of_a_line_at_a_time",
                        violation_error_message="There is a rate at that time already; end that one first.",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[
                            ("machine", "="),
                            (
                                products.models.product.ValidityRange(
                                    "valid_from", "valid_until", django.contrib.postgres.fields.ranges.RangeBoundary()
                                ),
                                "&&",
                            ),
                        ],
                        name="one_rate_of_a_machine_at_a_time",
                        violation_error_message="There is a rate at that time already; end that one first.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProductCost",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "cost",
                    models.DecimalField(
                        decimal_places=6,
                        help_text="Of one of the product's own unit, in the site's currency.",
                        max_digits=18,
                        validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                        verbose_name="standard cost",
                    ),
                ),
                ("valid_from", models.DateTimeField()),
                ("valid_until", models.DateTimeField(blank=True, help_text="Empty = until further notice.", null=True)),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="costs", to="products.product"
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="product_costs", to="enterprise.site"
                    ),
                ),
            ],
            options={
                "ordering": ["site", "product", "-valid_from"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("cost__gte", 0)),
                        name="product_cost_not_negative",
                        violation_error_message="A cost is not negative.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_until__isnull", True), ("valid_until__gt", models.F("valid_from")), _connector="OR"
                        ),
                        name="product_cost_validity_not_empty",
                        violation_error_message="'Valid until' must be after 'valid from'.",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[
                            ("product", "="),
                            ("site", "="),
                            (
                                products.models.product.ValidityRange(
                                    "valid_from", "valid_until", django.contrib.postgres.fields.ranges.RangeBoundary()
                                ),
                                "&&",
                            ),
                        ],
                        name="one_product_cost_at_a_time",
                        violation_error_message="The product has a cost at that time already; end that one first.",
                    ),
                ],
            },
        ),
    ]
