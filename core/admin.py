"""What every page of the admin shares: sites, rights, one write path, history, and facts that only show."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, models, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RelatedDropdownFilter
from unfold.contrib.filters.forms import AutocompleteDropdownForm
from unfold.paginator import InfinitePaginator

from core import master_data
from core.admin_imports import ImportExportAdmin
from core.custom_field_forms import CustomFieldsForm, form_fields
from core.custom_fields import HasCustomFields
from core.errors import Conflict, DomainError, Invalid
from core.resources import refuse_without_right, site_paths
from core.retention import counts_from

# Pages that show rows of an app above their own: a machine's tags, a product's rates.
_contributed: dict[type[models.Model], list[Any]] = defaultdict(list)


def add_inline(model: type[models.Model], inline: Any) -> None:
    """Show an app's rows on the page of a model on a lower floor, which cannot import them."""
    _contributed[model].append(inline)


class Scoped:
    """Narrow an admin class, its choices and its filters to the sites of the person (`site_paths` of the model)."""

    model: type[models.Model]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        queryset: models.QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]
        return master_data.in_scope(queryset, request.user, site_paths(self.model))

    def visible_of(self, model: type[models.Model], request: HttpRequest) -> models.QuerySet[Any]:
        """Return the objects of another model that the person may see."""
        related = cast(Any, self).admin_site._registry.get(model)
        if related is None:
            return model._default_manager.all()
        return cast(models.QuerySet[Any], related.get_queryset(request))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if "queryset" not in kwargs:
            kwargs["queryset"] = self.visible_of(db_field.remote_field.model, request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]


class ScopedFilter(RelatedDropdownFilter):  # type: ignore[misc]
    """Filter by a related object; offer only those that the person may see."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        visible = model_admin.visible_of(field.remote_field.model, request)
        return [(thing.pk, str(thing)) for thing in visible]


class ShowsRefusal:
    """Let a form also show why the service refused what the form itself found right."""

    refusal: ClassVar[Exception | None] = None

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        form = cast(forms.ModelForm, self)
        for field, message in _reasons(self.refusal):
            form.add_error(field if field in form.fields else None, message)


class MasterDataForm(ShowsRefusal, CustomFieldsForm):
    """The form of whatever an engineer sets up."""


def _reasons(refusal: Exception | None) -> Iterator[tuple[str | None, str]]:
    """Yield the field at fault, or none, and what to do about it."""
    if isinstance(refusal, DomainError):
        yield refusal.field, refusal.message
    elif isinstance(refusal, ValidationError):
        by_field = refusal.message_dict if hasattr(refusal, "error_dict") else {None: refusal.messages}
        for field, reasons in by_field.items():
            for reason in reasons:
                yield field, reason


class ScopedSearchForm(AutocompleteDropdownForm):  # type: ignore[misc]
    """Find what to filter by with a few letters."""

    def __init__(self, *, name: str, field: Any, model_admin: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(request=request, name=name, field=field, model_admin=model_admin, **kwargs)
        self.fields[name].queryset = model_admin.visible_of(field.remote_field.model, request)


class ScopedSearchFilter(AutocompleteSelectFilter):  # type: ignore[misc]
    """Filter by one of many related objects; find only those that the person may see."""

    form_class = ScopedSearchForm


class RowInline(Scoped, TabularInline):  # type: ignore[misc]
    """Children as rows of a table on their parent's page."""

    extra = 0
    show_change_link = True


class ScopedAdmin(Scoped, ModelAdmin):  # type: ignore[misc]
    """Show a model, within the sites of the person."""

    list_filter_submit = True
    list_per_page = 50
    compressed_fields = True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "delete", obj)

    def _may(self, request: HttpRequest, action: str, obj: Any) -> bool:
        return bool(cast(Any, request.user).has_perm(f"{self.opts.app_label}.{action}_{self.opts.model_name}", obj))

    def get_inlines(self, request: HttpRequest, obj: models.Model | None) -> list[Any]:
        return [*super().get_inlines(request, obj), *_contributed[self.model]]


class MasterDataAdmin(SimpleHistoryAdmin, ImportExportAdmin, ScopedAdmin):  # type: ignore[misc]
    """Edit master data: every write goes through `core.master_data`, every change shows in the history."""

    form = MasterDataForm
    # The children to count for each row of the list, as `child_count`; grouping needs an `ordering` of its own.
    counted: ClassVar[str] = ""
    # Children that are edited on this page only: their history is shown on the page's.
    history_of: ClassVar[tuple[str, ...]] = ()
    # Whether hours that are long over mean something else once it is edited.
    changes_the_past: ClassVar[bool] = False
    warn_unsaved_form = True
    change_form_before_template = "admin/_seen_version.html"
    object_history_list_template = "admin/_history.html"

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        queryset: models.QuerySet[Any] = super().get_queryset(request)
        return queryset.annotate(child_count=models.Count(self.counted)) if self.counted else queryset

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        names = list(form_fields(self.model)) if issubclass(self.model, HasCustomFields) else []
        return [*fieldsets, ("Custom fields", {"fields": names})] if names else fieldsets

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if issubclass(self.model, HasCustomFields):
            kwargs.setdefault("form", type(self.form.__name__, (self.form,), form_fields(self.model)))
        form = super().get_form(request, obj, change, **kwargs)
        refusal = getattr(request, "refusal", None)
        return type(form.__name__, (form,), {"refusal": refusal}) if refusal else form

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        version = self._version(object_id)
        seen = request.POST.get("_seen")
        if seen is not None and version is not None and seen != str(version.pk):
            _refuse(request, _outdated(version))
        context = {**(extra_context or {}), "seen_version": version.pk if version else ""}
        try:
            return cast(HttpResponse, super().changeform_view(request, object_id, form_url, context))
        except (DomainError, ValidationError) as refusal:
            _refuse(request, refusal)
        except IntegrityError:
            _refuse(request, Conflict("It contradicts what somebody else stored meanwhile; compare, then save again."))
        # The failed attempt was rolled back; show the form again, as typed, with the reason.
        return cast(HttpResponse, super().changeform_view(request, object_id, form_url, context))

    def _version(self, object_id: str | None) -> Any:
        if object_id is None:
            return None
        history = cast(Any, self.model).history.filter(**{self.opts.pk.attname: unquote(object_id)})
        try:
            return history.select_related("history_user").first()
        except ValueError:
            return None

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        refuse_without_right(request.user, obj)
        self.write(obj)
        final = counts_from() if change and self.changes_the_past else None
        if final is not None:
            messages.info(request, final)

    def write(self, obj: Any) -> None:
        """Write through the one path of every change; an app with a service of its own for it calls that."""
        master_data.save(obj)

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        master_data.delete(obj)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        for obj in queryset:
            if not self.has_delete_permission(request, obj):
                raise Invalid(f"Your role at the site of '{obj}' does not allow to delete it.")
            master_data.delete(obj)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        children = formset.save(commit=False)
        for child in formset.deleted_objects:
            master_data.delete(child)
        for child in children:
            refuse_without_right(request.user, child)
            master_data.save(child)
        formset.save_m2m()

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        def act() -> Any:
            return super(MasterDataAdmin, self).delete_view(request, object_id, extra_context)

        return cast(HttpResponse, self._or_say_why(request, act))

    def response_action(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> Any:
        def act() -> Any:
            with transaction.atomic():
                return super(MasterDataAdmin, self).response_action(request, queryset)

        return self._or_say_why(request, act)

    def _or_say_why(self, request: HttpRequest, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except (DomainError, ValidationError) as refusal:
            messages.error(request, " ".join(reason for _, reason in _reasons(refusal)))
        return HttpResponseRedirect(request.get_full_path())

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        if _has_switch(self.model) and self.has_change_permission(request):
            for action in (switch_on, switch_off):
                actions[action.__name__] = (action, action.__name__, action.short_description)  # type: ignore[attr-defined]
        return actions

    # --- history: look, never turn back ---

    def revert_disabled(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return True

    def history_form_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # An old version cannot be opened as a form: saving it would be a write past the services.
        raise Http404

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # The history of what was deleted has no site any more, so only those who see all of them may look.
        everywhere = not site_paths(self.model) or master_data.sees_every_site(request.user)
        if not everywhere and not self.get_queryset(request).filter(pk=unquote(object_id)).exists():
            raise Http404
        children = [self._history_of(request, name, unquote(object_id)) for name in self.history_of]
        context = {**(extra_context or {}), "children": children}
        return cast(HttpResponse, super().history_view(request, object_id, context))

    def _history_of(self, request: HttpRequest, name: str, object_id: str) -> tuple[str, list[Any]]:
        """Return the title and the entries of the children's history, each with what it changed."""
        relation = self.opts.get_field(name)
        child = cast(Any, relation.related_model)
        history = child.history.filter(**{f"{cast(Any, relation).field.name}_id": object_id})
        entries = list(history.select_related("history_user").order_by("id", "-history_id"))
        for _, of_one in groupby(entries, key=lambda entry: entry.id):
            self.set_history_delta_changes(request, list(of_one))
        entries.sort(key=lambda entry: cast(int, entry.history_id), reverse=True)
        return str(child._meta.verbose_name_plural).capitalize(), entries


def _refuse(request: HttpRequest, refusal: Exception) -> None:
    request.refusal = refusal  # type: ignore[attr-defined]


def _outdated(version: Any) -> Conflict:
    who = version.history_user or "The system"
    return Conflict(
        f"{who} changed this at {version.history_date:%H:%M:%S} UTC, while you were editing."
        " Compare with the history, then save again to replace it."
    )


def _has_switch(model: type[models.Model]) -> bool:
    return any(field.name == "is_active" for field in model._meta.concrete_fields)


def _switch(model_admin: Any, request: HttpRequest, queryset: models.QuerySet[Any], is_active: bool) -> None:
    if not model_admin.has_change_permission(request):
        raise PermissionDenied
    changed = list(queryset.exclude(is_active=is_active))
    for thing in changed:
        thing.is_active = is_active
        refuse_without_right(request.user, thing)
        master_data.save(thing)
    model_admin.message_user(request, f"Switched {'on' if is_active else 'off'}: {len(changed)}.", messages.SUCCESS)


@admin.action(description="Switch on")
def switch_on(model_admin: Any, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
    """Mark the chosen ones active."""
    _switch(model_admin, request, queryset, True)


@admin.action(description="Switch off")
def switch_off(model_admin: Any, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
    """Mark the chosen ones inactive; what they recorded stays."""
    _switch(model_admin, request, queryset, False)


class ReadOnlyAdmin(ScopedAdmin):
    """Show what nobody edits here."""

    actions = None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


Decide = Callable[[Any, Any, datetime], None]
"""What a decision does: called with the row, the person and the time; raises a DomainError to refuse."""


class DecisionAdmin(ReadOnlyAdmin):
    """Rows that wait for a person's word: nobody edits them, each decision is a service's."""

    decisions: ClassVar[dict[str, tuple[str, Decide]]] = {}
    """By name: what the menu says, and what it does."""

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        if not self._may(request, "change", None):
            return {}
        return {name: (self._decision(name), name, label) for name, (label, _) in self.decisions.items()}

    def _decision(self, name: str) -> Callable[..., None]:
        label, decide = self.decisions[name]

        def act(model_admin: Any, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
            done = 0
            for row in queryset:
                try:
                    if not self._may(request, "change", row):
                        raise Invalid("Your role at this site does not allow it.")
                    with transaction.atomic():
                        decide(row, request.user, timezone.now())
                    done += 1
                except DomainError as refusal:
                    messages.error(request, f"{row}: {refusal.message}")
            if done:
                messages.success(request, f"{label}: {done}.")

        return act


class FactAdmin(ReadOnlyAdmin):
    """Show facts page by page without ever counting them: there may be hundreds of millions.

    The model is a database view over the facts whose text id is the owner's id, `@` and the moment.
    """

    owner: ClassVar[str]
    paginator = InfinitePaginator
    show_full_result_count = False
    sortable_by = ()

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> models.Model | None:
        # By the facts' own key: the text id is no column, and looking for it would read all of them.
        owner_id, _, moment = object_id.partition("@")
        try:
            occurred_at = datetime.fromisoformat(moment)
        except ValueError:
            return None
        if not owner_id.isdecimal() or len(owner_id) > 18 or occurred_at.tzinfo is None:
            return None
        key = {f"{self.owner}_id": int(owner_id), "occurred_at": occurred_at}
        found: models.Model | None = self.get_queryset(request).filter(**key).first()
        return found


# --- cells of lists ---

_SEPARATOR = SafeString('<span class="crumb-separator" aria-hidden="true">›</span>')


def link(thing: models.Model | None, text: str | None = None) -> str | SafeString:
    """Return a link to the page of a thing."""
    if thing is None:
        return "–"
    meta = thing._meta
    try:
        url = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[thing.pk])
    except NoReverseMatch:
        return str(thing)
    return format_html('<a class="crumb" href="{}">{}</a>', url, text or str(thing))


def trail(*things: models.Model | None) -> SafeString:
    """Return where something is, from the site inwards, each step a link."""
    return format_html_join(
        _SEPARATOR,
        "{}",
        ((link(thing),) for thing in things if thing is not None),
    )
