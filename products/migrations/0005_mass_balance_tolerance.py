from decimal import Decimal

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("products", "0004_material_fields"),
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
    ]
