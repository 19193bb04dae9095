"""Names in other languages on the admin's forms: one field for each language, instead of JSON."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold import widgets

from core.names import MAX_NAME, other_languages

NAME_FIELDS = tuple(f"name_{code}" for code, _name in other_languages())


class NamesForm(forms.ModelForm):
    """A form with the names of its thing in the interface's other languages among its fields."""

    # A form's fields are its class's attributes; which there are, the settings say.
    locals().update(
        {
            f"name_{code}": forms.CharField(
                max_length=MAX_NAME,
                required=False,
                label=_("Name in %s") % name,
                widget=widgets.UnfoldAdminTextInputWidget(),
            )
            for code, name in other_languages()
        }
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for code, _name in other_languages():
            if f"name_{code}" in self.fields:
                self.initial[f"name_{code}"] = (self.instance.names or {}).get(code, "")

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        said = {code: self.cleaned_data.get(f"name_{code}") for code, _name in other_languages()}
        # A form without the fields, such as a row of a list, leaves the names as they are.
        if any(f"name_{code}" in self.fields for code in said):
            self.instance.names = {code: name.strip() for code, name in said.items() if name and name.strip()}
        return cleaned
