"""What a form's fields offer: the page that shows the form decides it, by the sites of whoever looks."""

from typing import Any

from django.forms import BaseForm, ModelChoiceField


def offer(form: BaseForm, **rows: Any) -> None:
    """Let each field named choose among these rows only."""
    for name, of_field in rows.items():
        field = form.fields[name]
        assert isinstance(field, ModelChoiceField)
        field.queryset = of_field
