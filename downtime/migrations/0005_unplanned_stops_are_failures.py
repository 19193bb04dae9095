from django.db import migrations


def decide_failures(apps, schema_editor):
    """Count unplanned stops as failures, as for new reasons."""
    reasons = apps.get_model("downtime", "StateReason").objects.filter(is_failure__isnull=True)
    reasons.filter(category="unplanned").update(is_failure=True)
    reasons.exclude(category="unplanned").update(is_failure=False)


class Migration(migrations.Migration):
    dependencies = [("downtime", "0004_reasons_by_rule_and_place")]

    operations = [migrations.RunPython(decide_failures, migrations.RunPython.noop)]
