"""The heads of hash chains."""

import pgtrigger
from django.db import models


class ChainHead(models.Model):
    """How many rows a chain has, and the hash of the last one, under a seal (`core.audit_chain`)."""

    chain = models.CharField(max_length=100, primary_key=True)
    sequence = models.PositiveBigIntegerField(help_text="How many rows it has.")
    last_hash = models.CharField(max_length=64, blank=True, help_text="Of its last row.")
    seal = models.CharField(max_length=64, blank=True, help_text="HMAC-SHA-256 over the above.")

    class Meta:
        ordering = ["chain"]
        triggers = [pgtrigger.Protect(name="chain_head_stays", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.chain}: {self.sequence}"
