from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("workorders", "0008_counting_source"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="operation", name="operation_quantities_not_negative"),
        migrations.RemoveField(model_name="operation", name="completed_quantity"),
        migrations.RemoveField(model_name="operation", name="rejected_quantity"),
        migrations.RemoveField(model_name="historicaloperation", name="completed_quantity"),
        migrations.RemoveField(model_name="historicaloperation", name="rejected_quantity"),
        migrations.AddConstraint(
            model_name="operation",
            constraint=models.CheckConstraint(
                condition=models.Q(("planned_quantity__gte", 0)),
                name="operation_quantities_not_negative",
                violation_error_message="A quantity is not negative.",
            ),
        ),
    ]
