"""Who: people with roles per site, and the keys of devices and client systems."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from rest_framework_api_key.models import AbstractAPIKey
from simple_history.models import HistoricalRecords

from enterprise.models import Line, Machine, Site


class User(AbstractUser):
    """A person, or the service account of a client system such as an ERP."""

    history = HistoricalRecords(excluded_fields=["password", "last_login"])

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class Role(models.TextChoices):
    """What somebody may do at a site; `accounts.rights` says what that is."""

    OPERATOR = "operator", "Operator"
    SUPERVISOR = "supervisor", "Supervisor"
    ENGINEER = "engineer", "Engineer"
    QUALITY = "quality", "Quality"
    ERP = "erp", "ERP client"
    ADMIN = "admin", "Administrator"


class Membership(models.Model):
    """Give a person a role at one site, or at every site."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    site = models.ForeignKey(
        Site,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="memberships",
        help_text="Empty = every site.",
    )
    role = models.CharField(max_length=12, choices=Role)

    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "site", "role"],
                nulls_distinct=False,
                name="membership_given_once",
                violation_error_message="The person has that role there already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()} at {self.site or 'every site'}"


class DeviceKey(AbstractAPIKey):
    """Let a device send the facts of one machine, or of all machines of one line. Hashed; shown once; revocable."""

    machine = models.ForeignKey(Machine, null=True, blank=True, on_delete=models.CASCADE, related_name="device_keys")
    line = models.ForeignKey(Line, null=True, blank=True, on_delete=models.CASCADE, related_name="device_keys")

    class Meta(AbstractAPIKey.Meta):
        verbose_name = "device key"
        verbose_name_plural = "device keys"
        constraints = [
            models.CheckConstraint(
                name="device_key_has_one_scope",
                condition=Q(machine__isnull=False, line__isnull=True) | Q(machine__isnull=True, line__isnull=False),
                violation_error_message="Choose either a machine or a line.",
            )
        ]


class ClientKey(AbstractAPIKey):
    """Let a client system act as its service account. Hashed; shown once; revocable."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="client_keys")

    class Meta(AbstractAPIKey.Meta):
        verbose_name = "client key"
        verbose_name_plural = "client keys"
