from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("labor", "0001_initial"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="attendance",
            name="shift",
        ),
        migrations.RemoveField(
            model_name="attendance",
            name="shift_date",
        ),
        migrations.RemoveField(
            model_name="historicalattendance",
            name="shift",
        ),
        migrations.RemoveField(
            model_name="historicalattendance",
            name="shift_date",
        ),
    ]
