"""Set up the MQTT connector of a plant; run as a program on the cluster: `python -m torture.connector PORT MACHINE`."""

import sys


def main(port: str, machine_code: str) -> None:
    """Make a connector at the site of a machine, for the broker on a port."""
    import django

    django.setup()
    from connectors.models import Connector
    from enterprise.models import Machine

    machine = Machine.objects.select_related("line__area__site").get(code=machine_code)
    Connector.objects.update_or_create(
        code="torture",
        defaults={
            "name": "Torture",
            "protocol": "mqtt",
            "site": machine.line.area.site,
            "address": f"127.0.0.1:{port}",
            "options": {"topic_template": "torture/{machine}/{signal}", "acknowledgement_topic": "{topic}/ack"},
        },
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
