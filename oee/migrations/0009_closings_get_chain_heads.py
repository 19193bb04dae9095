from django.db import migrations
from django.db.models import Max


def write_heads(apps, schema_editor):
    """Seal the last closing of each place as it is now: from here on, a chain that is cut off shows."""
    from core.audit_chain import HEAD, seal

    ShiftClosing = apps.get_model("oee", "ShiftClosing")
    ChainHead = apps.get_model("core", "ChainHead")
    for kind in ("line", "machine"):
        places = ShiftClosing.objects.filter(**{f"{kind}__isnull": False}).order_by()
        for place_id, sequence in places.values_list(f"{kind}_id").annotate(last=Max("sequence")):
            last = ShiftClosing.objects.get(**{f"{kind}_id": place_id, "sequence": sequence})
            chain = f"oee.closing.{kind}:{place_id}"
            ChainHead.objects.create(
                chain=chain,
                sequence=sequence,
                last_hash=last.content_hash,
                seal=seal(HEAD, chain, sequence, last.content_hash),
            )


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0005_chain_heads"),
        ("oee", "0008_running_in_a_break_is_no_stop"),
    ]

    operations = [migrations.RunPython(write_heads, migrations.RunPython.noop)]
