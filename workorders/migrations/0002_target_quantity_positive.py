from decimal import Decimal

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("workorders", "0001_initial"),
    ]

    operations = [
        migrations.AlterField(
            model_name="historicalworkorder",
            name="target_quantity",
            field=models.DecimalField(
                decimal_places=6,
                max_digits=18,
                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
            ),
        ),
        migrations.AlterField(
            model_name="workorder",
            name="target_quantity",
            field=models.DecimalField(
                decimal_places=6,
                max_digits=18,
                validators=[django.core.validators.MinValueValidator(Decimal("0.000001"))],
            ),
        ),
    ]
