"""What the worker does about advice: once a day it looks at each site."""

from django.db import close_old_connections
from django.utils import timezone
from procrastinate.contrib.django import app

from advice.services import advise
from enterprise.models import Site


@app.periodic(cron="20 3 * * *")
@app.task(queueing_lock="advise", pass_context=False)
def advise_daily(timestamp: int) -> int:
    """Every night: write what is new to recommend."""
    close_old_connections()
    try:
        sites = Site.objects.filter(is_active=True).order_by("pk")
        return sum(len(advise(site=site, now=timezone.now()).made) for site in sites)
    finally:
        close_old_connections()
