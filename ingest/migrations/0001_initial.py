import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "__first__"),
        ("enterprise", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="QuarantinedItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(help_text="Who delivered it: a device key's prefix.", max_length=64)),
                ("payload", models.TextField(help_text="The item as it came, as JSON; cut when it is very long.")),
                ("digest", models.CharField(help_text="SHA-256 of the item and the reason.", max_length=64)),
                ("code", models.CharField(help_text="Why it was refused, in one word.", max_length=32)),
                ("field", models.CharField(blank=True, max_length=32)),
                ("message", models.CharField(max_length=500)),
                ("times", models.PositiveIntegerField(default=1)),
                ("first_received_at", models.DateTimeField()),
                ("last_received_at", models.DateTimeField()),
                (
                    "resolution",
                    models.CharField(
                        choices=[("open", "Open"), ("released", "Released"), ("discarded", "Discarded")],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
                (
                    "resolved_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="quarantined_items",
                        to="enterprise.site",
                    ),
                ),
            ],
            options={
                "ordering": ["-last_received_at", "-id"],
                "indexes": [models.Index(fields=["-last_received_at"], name="quarantined_item_newest")],
                "constraints": [models.UniqueConstraint(fields=("source", "digest"), name="quarantined_item_once")],
            },
        ),
    ]
