"""A commit with messages lets the worker send them; nobody has to ask."""

import pytest
from django.core.management import call_command
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from erp import services
from erp.tests.partners import make_partner, say
from erp.tests.receivers import receiver


@pytest.mark.django_db(transaction=True)
def test_commit_is_followed_by_a_delivery(settings):
    with receiver() as noted:
        settings.WEBHOOK_TARGETS, settings.WEBHOOK_NETWORKS = [noted.address], ["127.0.0.0/8"]
        partner = make_partner(f"{noted.address}/")
        services.new_secret(partner=partner, at=timezone.now())
        say(1, 2)
        assert ProcrastinateJob.objects.filter(task_name="erp.tasks.deliver").count() == 1, "one job, however much"
        call_command("work", once=True)
        assert noted.numbers() == [1, 2]
