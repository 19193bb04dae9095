"""The form of a connector: what all have, the options of its protocol, and a password that is never shown again."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from connectors.doors import door_of
from connectors.models import Connector
from core.admin import MasterDataForm

PREFIX = "option_"


class ConnectorForm(MasterDataForm):
    """What every connector has. The options of a protocol are fields whose names begin with `option_`."""

    password = forms.CharField(
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "vTextField"}),
        help_text="Stored encrypted and never shown. Leave empty to keep what is stored.",
    )
    forget_password = forms.BooleanField(required=False, widget=UnfoldBooleanSwitchWidget())

    class Meta:
        model = Connector
        fields = ("code", "name", "site", "protocol", "address", "username", "secret_variable", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].widget.attrs["class"] = " ".join(UnfoldAdminTextInputWidget().attrs["class"].split())
        options = self.instance.options or {}
        for name, field in self._options():
            if name in options:
                field.initial = options[name]

    def _options(self) -> Iterator[tuple[str, forms.Field]]:
        for name, field in self.fields.items():
            if name.startswith(PREFIX):
                yield name.removeprefix(PREFIX), field

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        names = [name for name, _ in self._options()]
        if names and not any(name in self.errors for name in self.fields):
            chosen = {name: cleaned[PREFIX + name] for name in names if cleaned.get(PREFIX + name) is not None}
            judged = door_of(self.instance.protocol).options(chosen)
            for name, errors in judged.errors.items():
                self.add_error(PREFIX + name if name in names else None, list(errors))
            # As they were typed: what a protocol makes of them may be nothing that JSON can hold.
            self.instance.options = chosen
        if cleaned.get("secret_variable") and cleaned.get("password"):
            self.add_error("secret_variable", "Store the password or name a variable, not both.")
        return cleaned


def form_for(connector: Connector | None) -> type[ConnectorForm]:
    """Return the form of a connector; one that is new has no options before its protocol is known."""
    if connector is None:
        return ConnectorForm
    fields = {PREFIX + name: _dressed(field) for name, field in door_of(connector.protocol).options.base_fields.items()}
    return type("ConnectorForm", (ConnectorForm,), fields)


def _dressed(field: forms.Field) -> forms.Field:
    """Return a field of an options form as the admin shows fields."""
    dressed = deepcopy(field)
    if isinstance(field, forms.BooleanField):
        dressed.widget = UnfoldBooleanSwitchWidget()
    elif isinstance(field, forms.ChoiceField):
        dressed.widget = UnfoldAdminSelectWidget(choices=field.choices)
    elif isinstance(field, forms.IntegerField):
        attrs = {"step": "any"} if isinstance(field, forms.FloatField) else None
        dressed.widget = UnfoldAdminIntegerFieldWidget(attrs=attrs)
    elif isinstance(field.widget, forms.Textarea):
        dressed.widget = UnfoldAdminTextareaWidget()
    else:
        dressed.widget = UnfoldAdminTextInputWidget()
    return dressed
