"""Who: people with their roles, and the keys of devices and client systems."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.safestring import SafeString
from rest_framework_api_key.models import APIKey
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from accounts.models import ClientKey, DeviceKey, Membership, User
from accounts.scopes import Scope
from core import master_data
from core.admin import MasterDataAdmin, RowInline, ScopedAdmin, ScopedFilter, ShowsRefusal, link, trail
from core.resources import refuse_without_right
from enterprise.models import Site

# Rights come from roles per site; groups would be a second answer to the same question.
admin.site.unregister(Group)
admin.site.unregister(APIKey)


class MembershipInline(RowInline):
    model = Membership
    fields = ("role", "site")
    tab = False
    show_change_link = False
    verbose_name = "role"
    verbose_name_plural = "roles"

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        # Only somebody who has every site may give it away.
        if db_field.name == "site":
            everywhere = master_data.sees_every_site(request.user)
            kwargs["required"] = not everywhere
            kwargs["empty_label"] = "Every site" if everywhere else "Choose a site"
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class PersonChangeForm(ShowsRefusal, UserChangeForm):  # type: ignore[misc]
    """Change a person, but for the password."""


class PersonCreationForm(ShowsRefusal, UserCreationForm):  # type: ignore[misc]
    """Take a new person's name and first password, or none for a service account."""


@admin.register(User)
class UserAdmin(DjangoUserAdmin, MasterDataAdmin):  # type: ignore[misc]
    form = PersonChangeForm
    add_form = PersonCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "get_full_name", "roles", "is_active", "is_staff", "last_login")
    list_filter = (("memberships__site", ScopedFilter), "memberships__role", "is_active", "is_staff")
    search_fields = ("username", "first_name", "last_name", "email")
    search_help_text = "Name or e-mail"
    filter_horizontal = ()
    inlines = (MembershipInline,)
    history_of = ("memberships",)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": (("first_name", "last_name"), "email")}),
        (
            "May enter",
            {
                "fields": ("is_active", "is_staff", "is_superuser"),
                "description": "What somebody may do at which site follows from the roles below.",
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        people: QuerySet[User] = super().get_queryset(request)
        memberships = Membership.objects.select_related("site")
        people = people.prefetch_related(Prefetch("memberships", queryset=memberships))
        if master_data.sees_every_site(request.user):
            return people
        # An administrator of some sites looks after the people of those only; a password is a way into all of one's
        # sites.
        mine = request.user.site_ids()  # type: ignore[union-attr]
        elsewhere = Membership.objects.filter(Q(site__isnull=True) | ~Q(site__in=mine))
        return people.filter(is_superuser=False).exclude(pk__in=elsewhere.values("user"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if getattr(request.user, "is_superuser", False) else ("is_superuser",)

    @display(description="roles")
    def roles(self, person: User) -> str:
        given = [f"{m.get_role_display()} ({m.site or 'every site'})" for m in person.memberships.all()]
        return ", ".join(given) or "none yet"


class KeyAdmin(ScopedAdmin):
    """A key is made, shown once and revoked; it is never edited, and stays as the source of its facts."""

    actions = ("revoke",)
    list_filter: tuple[Any, ...] = ("revoked",)
    key_page = "admin/key_created.html"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_view_permission(request, obj) or self.has_revoke_permission(request))

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Whoever may change keys may revoke them."""
        return bool(super().has_change_permission(request))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        refuse_without_right(request.user, obj)
        request.new_key = type(obj).objects.assign_key(obj)  # type: ignore[attr-defined]
        master_data.save(obj)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Show the key in the answer itself, so that it is kept neither in a session nor in a cookie."""
        context = {
            **self.admin_site.each_context(request),
            "title": f"{self.opts.verbose_name} made".capitalize(),
            "opts": self.opts,
            "made": obj,
            "key": request.new_key,  # type: ignore[attr-defined]
            "back": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"),
            **self.key_context(request, obj),
        }
        response = TemplateResponse(request, self.key_page, context)
        add_never_cache_headers(response)
        return response

    def key_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Return what the page of a new key shows besides the key."""
        return {}

    @admin.action(description="Revoke for good", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Refuse these keys from now on."""
        usable = [key for key in queryset.filter(revoked=False) if self._may(request, "change", key)]
        for key in usable:
            key.revoked = True
            master_data.save(key)
        self.message_user(request, f"Revoked: {len(usable)}. They are refused within a second.")


@admin.register(DeviceKey)
class DeviceKeyAdmin(KeyAdmin):
    list_display = ("name", "prefix", "covers", "created", "expiry_date", "revoked")
    list_filter = ("revoked", ("line", ScopedFilter), ("machine__line", ScopedFilter))
    list_select_related = ("line__area", "machine__line__area")
    search_fields = ("name", "prefix", "line__name", "machine__name")
    search_help_text = "Name, prefix, line or machine"
    autocomplete_fields = ("line", "machine")
    fieldsets = (
        (None, {"fields": ("name",)}),
        (
            "May send the facts of",
            {"fields": (("line", "machine"),), "description": "Either all machines of a line, or one machine."},
        ),
        ("Until", {"fields": ("expiry_date",)}),
    )

    @display(description="covers")
    def covers(self, key: DeviceKey) -> SafeString:
        line = key.line or (key.machine.line if key.machine else None)
        return trail(line.area if line else None, line, key.machine)

    def key_context(self, request: HttpRequest, obj: DeviceKey) -> dict[str, Any]:
        machine = obj.machine or (obj.line.machines.order_by("-is_constraint").first() if obj.line else None)
        tag = machine.count_tags.first() if machine else None
        return {
            "ingest_url": request.build_absolute_uri("/ingest/count"),
            "tag": tag.tag_path if tag else "the-tag",
            "is_running_counter": tag is not None and tag.mode == "running",
            "covers": obj.machine or obj.line,
        }


class ClientKeyForm(forms.ModelForm):
    """A client key, with its scopes as boxes to tick: none is ticked before, so that each is meant."""

    scopes = forms.MultipleChoiceField(
        choices=Scope.choices,
        initial=(),
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="Tick what the system needs. What its account may not do, the key may not either.",
    )


@admin.register(ClientKey)
class ClientKeyAdmin(KeyAdmin):
    form = ClientKeyForm
    list_display = ("name", "prefix", "acts_as", "made_for", "at_sites", "created", "expiry_date", "revoked")
    list_select_related = ("user",)
    search_fields = ("name", "prefix", "user__username")
    search_help_text = "Name, prefix or account"
    autocomplete_fields = ("user",)
    fieldsets = (
        (None, {"fields": ("name", "user")}),
        ("May be used for", {"fields": ("scopes", "sites")}),
        ("Until", {"fields": ("expiry_date",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ClientKey]:
        keys: QuerySet[ClientKey] = super().get_queryset(request)
        return keys.filter(user__in=self.visible_of(User, request).values("pk")).prefetch_related("sites")

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        sites = self.visible_of(Site, request)
        return super().formfield_for_manytomany(
            db_field, request, queryset=sites, widget=UnfoldAdminCheckboxSelectMultipleWidget(), **kwargs
        )

    @display(description="acts as")
    def acts_as(self, key: ClientKey) -> str | SafeString:
        return link(key.user)

    @display(description="at")
    def at_sites(self, key: ClientKey) -> str:
        return ", ".join(str(site) for site in key.sites.all()) or "every site of its account"

    def key_context(self, request: HttpRequest, obj: ClientKey) -> dict[str, Any]:
        return {"api_url": request.build_absolute_uri("/workorder/")}
