"""Set up a plant in the scratch database, in a process of its own: `python -m torture.plant <name> <machines>`."""

import json
import sys
from decimal import Decimal

import django

REASONS = {"torture-run": "running", "torture-stop": "unplanned"}
MODULUS = 65536


def main(name: str, machines: int) -> None:
    """Migrate, make a line with its machines, and print what a `torture.world.Plant` holds."""
    django.setup()
    from django.core.management import call_command
    from django.test import Client

    from accounts.models import ClientKey, DeviceKey, User
    from counts.models import CountTag, CountType
    from downtime.models import StateReason
    from enterprise.models import Area, Enterprise, Line, Machine, Site

    call_command("migrate", verbosity=0)
    enterprise, _ = Enterprise.objects.get_or_create(code="torture", defaults={"name": "Torture"})
    site, _ = Site.objects.get_or_create(code="torture", defaults={"name": "Torture", "enterprise": enterprise})
    area, _ = Area.objects.get_or_create(code="torture", defaults={"name": "Torture", "site": site})
    good, _ = CountType.objects.get_or_create(code="torture", defaults={"name": "Good", "role": "good"})
    for code, category in REASONS.items():
        StateReason.objects.get_or_create(code=code, defaults={"name": code, "category": category})
    line = Line.objects.create(code=name, name=name, area=area)
    made: dict[str, int] = {}
    for number in range(machines):
        code = f"{name}-{number}"
        machine = Machine.objects.create(code=code, name=code, line=line, is_constraint=number == 0)
        CountTag.objects.create(tag_path=f"{code}/delta", machine=machine, count_type=good)
        CountTag.objects.create(
            tag_path=f"{code}/running", machine=machine, count_type=good, mode="running", modulus=Decimal(MODULUS)
        )
        made[code] = machine.pk
    user, _ = User.objects.get_or_create(username="torture", defaults={"is_superuser": True, "is_staff": True})
    browser = Client()
    browser.force_login(user, "django.contrib.auth.backends.ModelBackend")
    plant = {
        "device_key": DeviceKey.objects.create_key(name=name, line=line)[1],
        "client_key": ClientKey.objects.create_key(name=name, user=user)[1],
        "session": browser.cookies["sessionid"].value,
        "line": name,
        "machines": made,
    }
    print(json.dumps(plant))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
