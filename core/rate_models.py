"""How often keys asked, as all processes know it."""

from django.db import models


class RateUse(models.Model):
    """How many requests of a key were counted in a period; the period before is forgotten."""

    key = models.CharField(max_length=64, primary_key=True)
    period = models.BigIntegerField(help_text="Which period since 1970 it is.")
    used = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.key}: {self.used}"
