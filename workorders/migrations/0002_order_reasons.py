from django.db import migrations

REASONS = (
    ("quality", "Quality", "quality"),
    ("safety", "Safety", "safety"),
    ("material", "Material is missing", "material"),
    ("customer", "The customer wants it so", "customer"),
    ("other", "Another reason", "other"),
)


def add_reasons(apps, schema_editor):
    """Begin with a reason of each kind, so that an order can be held from the first day on."""
    reasons = apps.get_model("workorders", "OrderReason")
    reasons.objects.bulk_create(reasons(code=code, name=name, kind=kind) for code, name, kind in REASONS)


class Migration(migrations.Migration):
    dependencies = [("workorders", "0001_initial")]

    operations = [migrations.RunPython(add_reasons, migrations.RunPython.noop)]
