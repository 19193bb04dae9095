"""For whom orders are made."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import MasterData


class Customer(MasterData):
    """Somebody for whom orders are made; belongs to all sites."""

    external_id = models.CharField(
        max_length=128, unique=True, null=True, blank=True, help_text="What the ERP calls it. Empty = nothing."
    )

    class Meta(MasterData.Meta):
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        indexes = [models.Index(fields=["name"], name="customer_by_name")]
