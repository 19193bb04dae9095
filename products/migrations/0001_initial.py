from decimal import Decimal

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import products.gtin
import products.models.product
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
                    name="Product",
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
                            "micro_stop_below",
                            models.PositiveIntegerField(
                                blank=True,
                                help_text="While it is made, an unplanned stop that is shorter is a micro-stop. Empty = as its machine says.",
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
                                help_text="In percent of the ideal cycle time. Empty = as its machine says.",
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(101),
                                    django.core.validators.MaxValueValidator(1000),
                                ],
                                verbose_name="slow cycles are above (%)",
                            ),
                        ),
                        (
                            "planned_scrap",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                help_text="The part of what is made that is expected to be scrap: 0.02 = 2 %.",
                                max_digits=7,
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(Decimal("0")),
                                    django.core.validators.MaxValueValidator(Decimal("1")),
                                ],
                                verbose_name="planned scrap",
                            ),
                        ),
                        (
                            "over_tolerance",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                help_text="How much more than its target an order may make: 0.05 = 5 %. Empty = not decided. Orders may say otherwise.",
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
                                help_text="How much less still completes an order: 0.02 = 2 %. Empty = not decided. Orders may say otherwise.",
                                max_digits=7,
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(Decimal("0")),
                                    django.core.validators.MaxValueValidator(Decimal("1")),
                                ],
                            ),
                        ),
                        (
                            "balance_tolerance",
                            models.DecimalField(
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
                        (
                            "material_type",
                            models.CharField(
                                choices=[
                                    ("raw", "Raw material"),
                                    ("component", "Component"),
                                    ("sub_assembly", "Sub-assembly"),
                                    ("consumable", "Consumable"),
                                    ("finished", "Finished product"),
                                ],
                                default="finished",
                                help_text="What it is to this plant.",
                                max_length=12,
                            ),
                        ),
                        (
                            "stock_policy",
                            models.CharField(
                                choices=[
                                    ("refuse_negative", "Refuse: no more than is there"),
                                    ("allow_negative", "Allow: stock may be negative until it is counted"),
                                ],
                                default="refuse_negative",
                                help_text="Whether more may be taken than the system knows of.",
                                max_length=16,
                                verbose_name="when stock runs out",
                            ),
                        ),
                        (
                            "lot_controlled",
                            models.BooleanField(
                                default=False,
                                help_text="Every movement of it names its lot; without a lot it is refused.",
                                verbose_name="kept by lots",
                            ),
                        ),
                        (
                            "shelf_life_days",
                            models.PositiveIntegerField(
                                blank=True,
                                help_text="A lot made on a day expires so many days later, unless the lot says otherwise. Empty = not limited.",
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(36500),
                                ],
                                verbose_name="shelf life (days)",
                            ),
                        ),
                        (
                            "gtin",
                            models.CharField(
                                blank=True,
                                help_text="GS1 number of the article: 8, 12, 13 or 14 digits, with its check digit.",
                                max_length=14,
                                validators=[products.gtin.validate_gtin],
                                verbose_name="GTIN",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["code"],
                        "abstract": False,
                        "constraints": [
                            models.UniqueConstraint(
                                django.db.models.functions.text.LPad("gtin", 14, models.Value("0")),
                                condition=models.Q(("gtin", ""), _negated=True),
                                name="product_gtin_once",
                                violation_error_message="Another product has this GTIN.",
                            )
                        ],
                    },
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
                        (
                            "valid_until",
                            models.DateTimeField(blank=True, help_text="Empty = until further notice.", null=True),
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
                    name="HistoricalUnitOfMeasure",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "code",
                            models.CharField(
                                db_index=True,
                                help_text="As it is written behind a number: pcs, kg, bottle.",
                                max_length=20,
                            ),
                        ),
                        ("name", models.CharField(max_length=100)),
                        (
                            "dimension",
                            models.CharField(
                                choices=[
                                    ("count", "Count (pcs)"),
                                    ("mass", "Mass (kg)"),
                                    ("volume", "Volume (l)"),
                                    ("length", "Length (m)"),
                                    ("area", "Area (m²)"),
                                    ("time", "Time (s)"),
                                    ("energy", "Energy (kWh)"),
                                    ("other", "Other: converts only as a product says"),
                                ],
                                default="other",
                                help_text="Units of one dimension convert into each other. Bottle, case and pallet are 'other': what they hold depends on the product.",
                                max_length=8,
                            ),
                        ),
                        (
                            "numerator",
                            models.PositiveBigIntegerField(
                                default=1,
                                help_text="One unit is this many base units of its dimension, divided by the next number: g = 1 / 1000 kg.",
                                validators=[django.core.validators.MinValueValidator(1)],
                                verbose_name="one is",
                            ),
                        ),
                        (
                            "denominator",
                            models.PositiveBigIntegerField(
                                default=1,
                                validators=[django.core.validators.MinValueValidator(1)],
                                verbose_name="divided by",
                            ),
                        ),
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
                        "verbose_name": "historical unit of measure",
                        "verbose_name_plural": "historical units of measure",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalProductRevision",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "code",
                            models.CharField(
                                help_text="A, B, 3, 2026-01 …",
                                max_length=32,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "^[A-Za-z0-9][A-Za-z0-9._-]*\\Z",
                                        "Use letters, digits, '.', '_' and '-' only, beginning with a letter or digit; it becomes part of addresses.",
                                    )
                                ],
                                verbose_name="revision",
                            ),
                        ),
                        ("name", models.CharField(blank=True, help_text="What is new in it.", max_length=200)),
                        (
                            "status",
                            models.CharField(
                                choices=[("draft", "Draft"), ("released", "Released"), ("obsolete", "Obsolete")],
                                default="draft",
                                max_length=8,
                            ),
                        ),
                        (
                            "valid_from",
                            models.DateTimeField(blank=True, help_text="Given when it is released.", null=True),
                        ),
                        (
                            "valid_until",
                            models.DateTimeField(blank=True, help_text="Empty = until further notice.", null=True),
                        ),
                        (
                            "base_quantity",
                            models.DecimalField(
                                decimal_places=6,
                                default=Decimal("1"),
                                help_text="The bill is written for so many of the product, in its unit: 1, 100, a batch.",
                                max_digits=18,
                                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
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
                    ],
                    options={
                        "verbose_name": "historical product revision",
                        "verbose_name_plural": "historical product revisions",
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
                        (
                            "valid_until",
                            models.DateTimeField(blank=True, help_text="Empty = until further notice.", null=True),
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
                    name="HistoricalIdealRate",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "value",
                            models.DecimalField(
                                decimal_places=6,
                                max_digits=18,
                                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                            ),
                        ),
                        (
                            "unit",
                            models.CharField(
                                choices=[
                                    ("s/pc", "seconds per piece"),
                                    ("min/pc", "minutes per piece"),
                                    ("h/pc", "hours per piece"),
                                    ("pc/s", "pieces per second"),
                                    ("pc/min", "pieces per minute"),
                                    ("pc/h", "pieces per hour"),
                                ],
                                default="s/pc",
                                max_length=8,
                            ),
                        ),
                        ("valid_from", models.DateTimeField()),
                        (
                            "valid_until",
                            models.DateTimeField(blank=True, help_text="Empty = until further notice.", null=True),
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
                    ],
                    options={
                        "verbose_name": "historical ideal rate",
                        "verbose_name_plural": "historical ideal rates",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="ProductRevision",
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
                                help_text="A, B, 3, 2026-01 …",
                                max_length=32,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "^[A-Za-z0-9][A-Za-z0-9._-]*\\Z",
                                        "Use letters, digits, '.', '_' and '-' only, beginning with a letter or digit; it becomes part of addresses.",
                                    )
                                ],
                                verbose_name="revision",
                            ),
                        ),
                        ("name", models.CharField(blank=True, help_text="What is new in it.", max_length=200)),
                        (
                            "status",
                            models.CharField(
                                choices=[("draft", "Draft"), ("released", "Released"), ("obsolete", "Obsolete")],
                                default="draft",
                                max_length=8,
                            ),
                        ),
                        (
                            "valid_from",
                            models.DateTimeField(blank=True, help_text="Given when it is released.", null=True),
                        ),
                        (
                            "valid_until",
                            models.DateTimeField(blank=True, help_text="Empty = until further notice.", null=True),
                        ),
                        (
                            "base_quantity",
                            models.DecimalField(
                                decimal_places=6,
                                default=Decimal("1"),
                                help_text="The bill is written for so many of the product, in its unit: 1, 100, a batch.",
                                max_digits=18,
                                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                            ),
                        ),
                        (
                            "product",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="revisions",
                                to="products.product",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["product", "-id"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("product", "code"),
                                name="one_revision_of_a_code",
                                violation_error_message="The product has a revision of that code already.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("base_quantity__gt", 0)),
                                name="revision_base_quantity_positive",
                                violation_error_message="The base quantity is greater than zero.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("status", "draft"), ("valid_from__isnull", False), _connector="OR"),
                                name="revision_released_from_a_moment",
                                violation_error_message="A released revision says from when on it is valid.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("valid_from__isnull", True),
                                    ("valid_until__isnull", True),
                                    ("valid_until__gt", models.F("valid_from")),
                                    models.Q(("status", "obsolete"), ("valid_until", models.F("valid_from"))),
                                    _connector="OR",
                                ),
                                name="revision_validity_not_empty",
                                violation_error_message="'Valid until' must be after 'valid from'.",
                            ),
                            django.contrib.postgres.constraints.ExclusionConstraint(
                                condition=models.Q(("status", "draft"), _negated=True),
                                expressions=[
                                    ("product", "="),
                                    (
                                        products.models.product.ValidityRange(
                                            "valid_from",
                                            "valid_until",
                                            django.contrib.postgres.fields.ranges.RangeBoundary(),
                                        ),
                                        "&&",
                                    ),
                                ],
                                name="one_revision_at_a_time",
                                violation_error_message="Another revision of the product is released for that time; end that one first.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="HistoricalRouting",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "code",
                            models.CharField(
                                help_text="main, short, oven-2 …",
                                max_length=32,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "^[A-Za-z0-9][A-Za-z0-9._-]*\\Z",
                                        "Use letters, digits, '.', '_' and '-' only, beginning with a letter or digit; it becomes part of addresses.",
                                    )
                                ],
                            ),
                        ),
                        ("name", models.CharField(blank=True, max_length=200)),
                        (
                            "is_default",
                            models.BooleanField(
                                default=True, help_text="Taken when an order names no other.", verbose_name="default"
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
                            "revision",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="products.productrevision",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical routing",
                        "verbose_name_plural": "historical routings",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="Routing",
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
                                help_text="main, short, oven-2 …",
                                max_length=32,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "^[A-Za-z0-9][A-Za-z0-9._-]*\\Z",
                                        "Use letters, digits, '.', '_' and '-' only, beginning with a letter or digit; it becomes part of addresses.",
                                    )
                                ],
                            ),
                        ),
                        ("name", models.CharField(blank=True, max_length=200)),
                        (
                            "is_default",
                            models.BooleanField(
                                default=True, help_text="Taken when an order names no other.", verbose_name="default"
                            ),
                        ),
                        (
                            "revision",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="routings",
                                to="products.productrevision",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["revision", "-is_default", "code"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("revision", "code"),
                                name="one_routing_of_a_code",
                                violation_error_message="The revision has a routing of that code already.",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("is_default", True)),
                                fields=("revision",),
                                name="one_default_routing",
                                violation_error_message="The revision has another default routing; clear its mark first.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="HistoricalRoutingOperation",
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
                            "routing",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="products.routing",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical operation of a routing",
                        "verbose_name_plural": "historical operations of routings",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="RoutingOperation",
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
                            "routing",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="operations",
                                to="products.routing",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "operation of a routing",
                        "verbose_name_plural": "operations of routings",
                        "ordering": ["routing", "sequence", "id"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("line__isnull", True), ("machine__isnull", True)),
                                    models.Q(("line__isnull", True), ("machine_class__isnull", True)),
                                    models.Q(("machine__isnull", True), ("machine_class__isnull", True)),
                                    _connector="OR",
                                ),
                                name="routingoperation_at_one_work_centre",
                                violation_error_message="Choose one of line, machine and machine class, or none of them.",
                            ),
                            models.UniqueConstraint(
                                fields=("routing", "sequence"),
                                name="one_operation_per_sequence",
                                violation_error_message="The routing has an operation of that sequence already.",
                            ),
                            models.UniqueConstraint(
                                fields=("routing", "code"),
                                name="one_operation_of_a_code",
                                violation_error_message="The routing has an operation of that code already.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="OperationDocument",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("position", models.PositiveSmallIntegerField(default=10)),
                        ("caption", models.CharField(max_length=300)),
                        ("content_type", models.CharField(editable=False, max_length=40)),
                        ("size", models.PositiveIntegerField(editable=False, verbose_name="size (bytes)")),
                        ("content", models.BinaryField()),
                        (
                            "operation",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="documents",
                                to="products.routingoperation",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["operation", "position", "id"],
                    },
                ),
                migrations.CreateModel(
                    name="HistoricalOperationDocument",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        ("position", models.PositiveSmallIntegerField(default=10)),
                        ("caption", models.CharField(max_length=300)),
                        ("content_type", models.CharField(editable=False, max_length=40)),
                        ("size", models.PositiveIntegerField(editable=False, verbose_name="size (bytes)")),
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
                            "operation",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="products.routingoperation",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical operation document",
                        "verbose_name_plural": "historical operation documents",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="UnitOfMeasure",
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
                                help_text="As it is written behind a number: pcs, kg, bottle.",
                                max_length=20,
                                unique=True,
                            ),
                        ),
                        ("name", models.CharField(max_length=100)),
                        (
                            "dimension",
                            models.CharField(
                                choices=[
                                    ("count", "Count (pcs)"),
                                    ("mass", "Mass (kg)"),
                                    ("volume", "Volume (l)"),
                                    ("length", "Length (m)"),
                                    ("area", "Area (m²)"),
                                    ("time", "Time (s)"),
                                    ("energy", "Energy (kWh)"),
                                    ("other", "Other: converts only as a product says"),
                                ],
                                default="other",
                                help_text="Units of one dimension convert into each other. Bottle, case and pallet are 'other': what they hold depends on the product.",
                                max_length=8,
                            ),
                        ),
                        (
                            "numerator",
                            models.PositiveBigIntegerField(
                                default=1,
                                help_text="One unit is this many base units of its dimension, divided by the next number: g = 1 / 1000 kg.",
                                validators=[django.core.validators.MinValueValidator(1)],
                                verbose_name="one is",
                            ),
                        ),
                        (
                            "denominator",
                            models.PositiveBigIntegerField(
                                default=1,
                                validators=[django.core.validators.MinValueValidator(1)],
                                verbose_name="divided by",
                            ),
                        ),
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
                        "verbose_name": "unit of measure",
                        "verbose_name_plural": "units of measure",
                        "ordering": ["dimension", "code"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("denominator__gt", 0), ("numerator__gt", 0)),
                                name="unit_factor_positive",
                                violation_error_message="The factor is greater than zero.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("code", ""), _negated=True),
                                name="unit_has_a_code",
                                violation_error_message="Fill in the code.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ProductUnit",
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
                                default=Decimal("1"),
                                max_digits=18,
                                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                            ),
                        ),
                        (
                            "base_quantity",
                            models.DecimalField(
                                decimal_places=6,
                                help_text="1 case is 12; 6.3 kg is 12.",
                                max_digits=18,
                                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                                verbose_name="is (in the product's unit)",
                            ),
                        ),
                        (
                            "product",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="units", to="products.product"
                            ),
                        ),
                        (
                            "unit",
                            models.ForeignKey(
                                db_column="unit",
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="product_units",
                                to="products.unitofmeasure",
                                to_field="code",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["product", "unit"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("product", "unit"),
                                name="one_conversion_per_product_and_unit",
                                violation_error_message="The product has a conversion of that unit already.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("base_quantity__gt", 0), ("quantity__gt", 0)),
                                name="product_unit_positive",
                                violation_error_message="Both quantities are greater than zero.",
                            ),
                        ],
                    },
                ),
            ]
        ),
        migrations.AddField(
            model_name="product",
            name="unit",
            field=models.ForeignKey(
                db_column="unit",
                default="pcs",
                help_text="What one counted piece is called: pcs, bottle, kg. Its quantities are in it.",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="products",
                to="products.unitofmeasure",
                to_field="code",
            ),
        ),
        Together(
            [
                migrations.CreateModel(
                    name="OperationParameter",
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
                                to="products.routingoperation",
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
                        "ordering": ["operation", "code"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("minimum__isnull", True),
                                    ("maximum__isnull", True),
                                    ("maximum__gte", models.F("minimum")),
                                    _connector="OR",
                                ),
                                name="operationparameter_bounds",
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
                                name="operationparameter_target_inside",
                                violation_error_message="The set-point lies between minimum and maximum.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("target__isnull", False),
                                    ("minimum__isnull", False),
                                    ("maximum__isnull", False),
                                    _connector="OR",
                                ),
                                name="operationparameter_says_something",
                                violation_error_message="Fill in a set-point, a minimum or a maximum.",
                            ),
                            models.UniqueConstraint(
                                fields=("operation", "code"),
                                name="one_parameter_of_a_code",
                                violation_error_message="The operation has a parameter of that code already.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="HistoricalProductUnit",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "quantity",
                            models.DecimalField(
                                decimal_places=6,
                                default=Decimal("1"),
                                max_digits=18,
                                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                            ),
                        ),
                        (
                            "base_quantity",
                            models.DecimalField(
                                decimal_places=6,
                                help_text="1 case is 12; 6.3 kg is 12.",
                                max_digits=18,
                                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                                verbose_name="is (in the product's unit)",
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
                    ],
                    options={
                        "verbose_name": "historical product unit",
                        "verbose_name_plural": "historical product units",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalProduct",
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
                            "micro_stop_below",
                            models.PositiveIntegerField(
                                blank=True,
                                help_text="While it is made, an unplanned stop that is shorter is a micro-stop. Empty = as its machine says.",
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
                                help_text="In percent of the ideal cycle time. Empty = as its machine says.",
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(101),
                                    django.core.validators.MaxValueValidator(1000),
                                ],
                                verbose_name="slow cycles are above (%)",
                            ),
                        ),
                        (
                            "planned_scrap",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                help_text="The part of what is made that is expected to be scrap: 0.02 = 2 %.",
                                max_digits=7,
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(Decimal("0")),
                                    django.core.validators.MaxValueValidator(Decimal("1")),
                                ],
                                verbose_name="planned scrap",
                            ),
                        ),
                        (
                            "over_tolerance",
                            models.DecimalField(
                                blank=True,
                                decimal_places=6,
                                help_text="How much more than its target an order may make: 0.05 = 5 %. Empty = not decided. Orders may say otherwise.",
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
                                help_text="How much less still completes an order: 0.02 = 2 %. Empty = not decided. Orders may say otherwise.",
                                max_digits=7,
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(Decimal("0")),
                                    django.core.validators.MaxValueValidator(Decimal("1")),
                                ],
                            ),
                        ),
                        (
                            "balance_tolerance",
                            models.DecimalField(
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
                        (
                            "material_type",
                            models.CharField(
                                choices=[
                                    ("raw", "Raw material"),
                                    ("component", "Component"),
                                    ("sub_assembly", "Sub-assembly"),
                                    ("consumable", "Consumable"),
                                    ("finished", "Finished product"),
                                ],
                                default="finished",
                                help_text="What it is to this plant.",
                                max_length=12,
                            ),
                        ),
                        (
                            "stock_policy",
                            models.CharField(
                                choices=[
                                    ("refuse_negative", "Refuse: no more than is there"),
                                    ("allow_negative", "Allow: stock may be negative until it is counted"),
                                ],
                                default="refuse_negative",
                                help_text="Whether more may be taken than the system knows of.",
                                max_length=16,
                                verbose_name="when stock runs out",
                            ),
                        ),
                        (
                            "lot_controlled",
                            models.BooleanField(
                                default=False,
                                help_text="Every movement of it names its lot; without a lot it is refused.",
                                verbose_name="kept by lots",
                            ),
                        ),
                        (
                            "shelf_life_days",
                            models.PositiveIntegerField(
                                blank=True,
                                help_text="A lot made on a day expires so many days later, unless the lot says otherwise. Empty = not limited.",
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(36500),
                                ],
                                verbose_name="shelf life (days)",
                            ),
                        ),
                        (
                            "gtin",
                            models.CharField(
                                blank=True,
                                help_text="GS1 number of the article: 8, 12, 13 or 14 digits, with its check digit.",
                                max_length=14,
                                validators=[products.gtin.validate_gtin],
                                verbose_name="GTIN",
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
                            "unit",
                            models.ForeignKey(
                                blank=True,
                                db_column="unit",
                                db_constraint=False,
                                default="pcs",
                                help_text="What one counted piece is called: pcs, bottle, kg. Its quantities are in it.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="products.unitofmeasure",
                                to_field="code",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical product",
                        "verbose_name_plural": "historical products",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalOperationParameter",
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
                            "operation",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="products.routingoperation",
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
                    ],
                    options={
                        "verbose_name": "historical operation parameter",
                        "verbose_name_plural": "historical operation parameters",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalBillOfMaterialLine",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        ("position", models.PositiveSmallIntegerField(default=10)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("component", "Component: goes in"),
                                    ("by_product", "By-product: comes out beside it"),
                                    ("co_product", "Co-product: is made together with it"),
                                ],
                                default="component",
                                max_length=10,
                            ),
                        ),
                        (
                            "quantity",
                            models.DecimalField(
                                decimal_places=6,
                                help_text="Per base quantity of the revision.",
                                max_digits=18,
                                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                            ),
                        ),
                        (
                            "scrap_factor",
                            models.DecimalField(
                                decimal_places=6,
                                default=Decimal("0"),
                                help_text="How much more is needed because some is lost: 0.02 = 2 % more.",
                                max_digits=7,
                                validators=[
                                    django.core.validators.MinValueValidator(Decimal("0")),
                                    django.core.validators.MaxValueValidator(Decimal("9")),
                                ],
                            ),
                        ),
                        (
                            "operation_code",
                            models.CharField(
                                blank=True,
                                help_text="Code of the operation of the routing that takes it (or yields it). Empty = the first one.",
                                max_length=32,
                                verbose_name="operation",
                            ),
                        ),
                        (
                            "is_phantom",
                            models.BooleanField(
                                default=False,
                                help_text="It is never made by itself: its own bill takes its place.",
                                verbose_name="phantom",
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
                            "component",
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
                                help_text="Empty = the component's own unit.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="products.unitofmeasure",
                                to_field="code",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical line of the bill of material",
                        "verbose_name_plural": "historical bill of material",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="BillOfMaterialLine",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("position", models.PositiveSmallIntegerField(default=10)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("component", "Component: goes in"),
                                    ("by_product", "By-product: comes out beside it"),
                                    ("co_product", "Co-product: is made together with it"),
                                ],
                                default="component",
                                max_length=10,
                            ),
                        ),
                        (
                            "quantity",
                            models.DecimalField(
                                decimal_places=6,
                                help_text="Per base quantity of the revision.",
                                max_digits=18,
                                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                            ),
                        ),
                        (
                            "scrap_factor",
                            models.DecimalField(
                                decimal_places=6,
                                default=Decimal("0"),
                                help_text="How much more is needed because some is lost: 0.02 = 2 % more.",
                                max_digits=7,
                                validators=[
                                    django.core.validators.MinValueValidator(Decimal("0")),
                                    django.core.validators.MaxValueValidator(Decimal("9")),
                                ],
                            ),
                        ),
                        (
                            "operation_code",
                            models.CharField(
                                blank=True,
                                help_text="Code of the operation of the routing that takes it (or yields it). Empty = the first one.",
                                max_length=32,
                                verbose_name="operation",
                            ),
                        ),
                        (
                            "is_phantom",
                            models.BooleanField(
                                default=False,
                                help_text="It is never made by itself: its own bill takes its place.",
                                verbose_name="phantom",
                            ),
                        ),
                        (
                            "component",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="used_in",
                                to="products.product",
                            ),
                        ),
                        (
                            "revision",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="bill_lines",
                                to="products.productrevision",
                            ),
                        ),
                        (
                            "unit",
                            models.ForeignKey(
                                blank=True,
                                db_column="unit",
                                help_text="Empty = the component's own unit.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="products.unitofmeasure",
                                to_field="code",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "line of the bill of material",
                        "verbose_name_plural": "bill of material",
                        "ordering": ["revision", "position", "id"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("revision", "position"),
                                name="one_bill_line_per_position",
                                violation_error_message="The bill has a line at that position already.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("quantity__gt", 0)),
                                name="bill_quantity_positive",
                                violation_error_message="The quantity is greater than zero; say 'by-product' for what comes out.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("scrap_factor__gte", 0)),
                                name="bill_scrap_not_negative",
                                violation_error_message="The scrap factor is not negative.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("is_phantom", False), ("kind", "component"), _connector="OR"),
                                name="bill_phantom_goes_in",
                                violation_error_message="Only a component can be a phantom.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="MachineRate",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
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
                        (
                            "valid_until",
                            models.DateTimeField(blank=True, help_text="Empty = until further notice.", null=True),
                        ),
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
                                    ("overhead_per_hour__isnull", False),
                                    ("labour_per_hour__isnull", False),
                                    _connector="OR",
                                ),
                                name="machine_rate_says_something",
                                violation_error_message="Fill in overhead or labour.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("valid_until__isnull", True),
                                    ("valid_until__gt", models.F("valid_from")),
                                    _connector="OR",
                                ),
                                name="machine_rate_validity_not_empty",
                                violation_error_message="'Valid until' must be after 'valid from'.",
                            ),
                            django.contrib.postgres.constraints.ExclusionConstraint(
                                expressions=[
                                    ("line", "="),
                                    (
                                        products.models.product.ValidityRange(
                                            "valid_from",
                                            "valid_until",
                                            django.contrib.postgres.fields.ranges.RangeBoundary(),
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
                                            "valid_from",
                                            "valid_until",
                                            django.contrib.postgres.fields.ranges.RangeBoundary(),
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
                    name="IdealRate",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "value",
                            models.DecimalField(
                                decimal_places=6,
                                max_digits=18,
                                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
                            ),
                        ),
                        (
                            "unit",
                            models.CharField(
                                choices=[
                                    ("s/pc", "seconds per piece"),
                                    ("min/pc", "minutes per piece"),
                                    ("h/pc", "hours per piece"),
                                    ("pc/s", "pieces per second"),
                                    ("pc/min", "pieces per minute"),
                                    ("pc/h", "pieces per hour"),
                                ],
                                default="s/pc",
                                max_length=8,
                            ),
                        ),
                        ("valid_from", models.DateTimeField()),
                        (
                            "valid_until",
                            models.DateTimeField(blank=True, help_text="Empty = until further notice.", null=True),
                        ),
                        (
                            "machine",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="ideal_rates",
                                to="enterprise.machine",
                            ),
                        ),
                        (
                            "product",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="ideal_rates",
                                to="products.product",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["machine", "product", "-valid_from"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("value__gt", 0)),
                                name="ideal_rate_positive",
                                violation_error_message="The ideal rate is greater than zero.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("valid_until__isnull", True),
                                    ("valid_until__gt", models.F("valid_from")),
                                    _connector="OR",
                                ),
                                name="ideal_rate_validity_not_empty",
                                violation_error_message="'Valid until' must be after 'valid from'.",
                            ),
                            django.contrib.postgres.constraints.ExclusionConstraint(
                                expressions=[
                                    ("product", "="),
                                    ("machine", "="),
                                    (
                                        products.models.product.ValidityRange(
                                            "valid_from",
                                            "valid_until",
                                            django.contrib.postgres.fields.ranges.RangeBoundary(),
                                        ),
                                        "&&",
                                    ),
                                ],
                                name="one_ideal_rate_at_a_time",
                                violation_error_message="The product has a rate on that machine at that time already; end that one first ('valid until').",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ProductCost",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
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
                        (
                            "valid_until",
                            models.DateTimeField(blank=True, help_text="Empty = until further notice.", null=True),
                        ),
                        (
                            "product",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="costs", to="products.product"
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="product_costs",
                                to="enterprise.site",
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
                                    ("valid_until__isnull", True),
                                    ("valid_until__gt", models.F("valid_from")),
                                    _connector="OR",
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
                                            "valid_from",
                                            "valid_until",
                                            django.contrib.postgres.fields.ranges.RangeBoundary(),
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
        ),
    ]
