"""Who: people with roles per site, and the keys of devices and client systems."""

from collections import defaultdict
from collections.abc import Iterable
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from rest_framework_api_key.models import AbstractAPIKey
from simple_history.models import HistoricalRecords

from accounts import rights
from accounts.audit_models import AuditEntry as AuditEntry
from accounts.scopes import Scope, every_scope
from core.models import noted_change
from core.shared_reads import once_each
from enterprise.models import Line, Machine, Site


class Role(models.TextChoices):
    """What somebody may do at a site; `accounts.rights` says what that is."""

    OPERATOR = "operator", _("Operator")
    SUPERVISOR = "supervisor", _("Supervisor")
    ENGINEER = "engineer", _("Engineer")
    QUALITY = "quality", _("Quality")
    ERP = "erp", _("ERP client")
    ADMIN = "admin", _("Administrator")


class User(AbstractUser):
    """A person, or the service account of a client system such as an ERP."""

    history = HistoricalRecords(excluded_fields=["password", "last_login"])

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    @cached_property
    def _roles(self) -> dict[int | None, frozenset[str]]:
        """The person's roles by site; those under None are held at every site. Read once per request."""
        if self.pk is None or not self.is_active:
            return {}
        return once_each("roles", [self.pk], _roles_of, kept=True).get(self.pk, {})

    def limit_to(self, site_ids: Iterable[int]) -> None:
        """Let only the roles at these sites count, in this object, which is not to be written then: a key covers no
        more.
        """
        held, everywhere = self._roles, rights.EVERYBODY if self.is_superuser else self._roles.get(None, frozenset())
        here = {site_id: everywhere | held.get(site_id, frozenset()) for site_id in site_ids}
        self._roles = {site_id: roles for site_id, roles in here.items() if roles}
        self.is_superuser = False

    def site_ids(self) -> list[int]:
        """Return the sites at which the person has a role; see `sees_every_site` first."""
        return [site_id for site_id in self._roles if site_id is not None]

    def sees_every_site(self) -> bool:
        """Say whether the person has a role at every site, or is a superuser."""
        return self.is_active and (self.is_superuser or None in self._roles)

    def roles_at(self, site_id: int | None) -> frozenset[str]:
        """Return the roles that count at a site; without one, for what belongs to all sites, any role counts."""
        everywhere = self._roles.get(None, frozenset())
        if site_id is None:
            return everywhere.union(*self._roles.values())
        return everywhere | self._roles.get(site_id, frozenset())

    def may(self, action: str, kind: str, site_id: int | None = None) -> bool:
        """Say whether the person may view, add, change or delete a kind of thing (`accounts.rights`) at a site."""
        if not self.is_active:
            return False
        return self.is_superuser or not self.roles_at(site_id).isdisjoint(rights.ROLES[kind][action])


def _roles_of(user_ids: list[int]) -> dict[int, dict[int | None, frozenset[str]]]:
    held: dict[int, dict[int | None, set[str]]] = {pk: defaultdict(set) for pk in user_ids}
    for user_id, site_id, role in Membership.objects.filter(user__in=user_ids).values_list(
        "user_id", "site_id", "role"
    ):
        held[user_id][site_id].add(role)
    return {pk: {site_id: frozenset(roles) for site_id, roles in by.items()} for pk, by in held.items()}


class Membership(models.Model):
    """Give a person a role at one site, or at every site."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

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
        triggers = [noted_change()]
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

    site_paths: ClassVar[tuple[str, ...]] = ("line__area__site", "machine__line__area__site")

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
    """Let a client system act as its service account, within the key's scopes and sites. Hashed; shown once;
    revocable.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="client_keys")
    scopes = ArrayField(
        models.CharField(max_length=16, choices=Scope),
        default=every_scope,
        help_text="What it may be used for, as far as its account may.",
    )
    sites = models.ManyToManyField(
        Site, blank=True, related_name="client_keys", help_text="None = all sites of its account."
    )

    class Meta(AbstractAPIKey.Meta):
        verbose_name = "client key"
        verbose_name_plural = "client keys"

    @property
    def made_for(self) -> str:
        """Its scopes, by name."""
        return ", ".join(self.scopes)
