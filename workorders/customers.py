"""Find the customer that a text names; one that nobody knows yet is added with what names it (decision 125)."""

from typing import Any

from core import master_data
from core.cells import as_text
from core.errors import Invalid
from core.locks import take_turns
from core.master_data import precedes
from core.resources import ReferenceWidget
from core.serializers import ReferenceField, free_code, looked_up
from workorders.models import Customer, Demand, WorkOrder

LONGEST = 200


def named(text: str) -> Customer:
    """Return the customer of that code, external id or name; one that is not stored yet where there is none.

    Raises Invalid for a text that cannot be a name, and for a name that several have.
    """
    text = text.strip()
    if not text or len(text) > LONGEST or "\0" in text:
        raise Invalid("A customer is called by 1 to 200 characters.", field="customer")
    for name in ("code", "external_id"):
        found = Customer.objects.filter(**{name: text}).first()
        if found is not None:
            return found
    several = list(Customer.objects.filter(name=text).order_by("code")[:2])
    if len(several) > 1:
        codes = ", ".join(customer.code for customer in several)
        raise Invalid(f"Several customers are called '{text[:64]}'; give the code: {codes} …", field="customer")
    return several[0] if several else Customer(name=text)


@precedes(WorkOrder)
@precedes(Demand)
def keep_customer(thing: Any) -> None:
    """Store the customer that an order or a demand is the first to name; two that come at once are one."""
    new = thing.customer
    if new is None or new.pk is not None:
        return
    take_turns(f"customer {new.name}")
    found = named(new.name)
    if found._state.adding:
        found.code = free_code(Customer, found.name)
        master_data.save(found)
    thing.customer = found


class CustomerField(ReferenceField):
    """Refer to a customer by id (a number), or by a text: code, external id or name. Answered with the name."""

    default_error_messages = {"unclear": "{problem}"}

    def use_pk_only_optimization(self) -> bool:
        return False

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            return super().to_internal_value(data)
        if not data.strip():
            return None
        try:
            return looked_up(self.context, (Customer, data), lambda: named(data))
        except Invalid as refusal:
            self.fail("unclear", problem=refusal.message)

    def run_validation(self, data: Any = None) -> Any:
        # An empty text means nobody, as it did when customers were texts.
        return super().run_validation(None if data == "" else data)

    def to_representation(self, value: Any) -> Any:
        return value.name


class CustomerWidget(ReferenceWidget):
    """A cell that names a customer as REST does; exported with the name."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        if value is None or value == "":
            return None
        try:
            return named(as_text(value))
        except Invalid as refusal:
            raise ValueError(refusal.message) from None

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return "" if value is None else value.name
