"""Who stands at a terminal that several people share: kept in the terminal's session until a time-out.

Every form carries the person it was shown for, so that one of another tab or of a page gone back to is refused.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext

from core.errors import Conflict, Invalid
from core.master_data import caller
from enterprise.models import Site
from labor.identification import identify
from labor.models import Employee, LaborPolicy
from labor.timesheets import policy_of

_SESSION = "terminal"


class IdentifyForm(forms.Form):
    """Who is there: a badge, or a personnel number and a PIN."""

    badge = forms.CharField(max_length=100, required=False)
    code = forms.CharField(max_length=64, required=False)
    pin = forms.CharField(max_length=12, required=False)


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal at a site, as one request meets it."""

    request: HttpRequest
    site: Site
    policy: LaborPolicy
    now: datetime

    @classmethod
    def of(cls, request: HttpRequest, site: Site, now: datetime) -> "Terminal":
        """Return the terminal that a request comes from, with what its site decided about terminals."""
        return cls(request, site, policy_of(site), now)

    def person(self) -> Employee | None:
        """Return who stands at the terminal, unless it is too long ago or at another site."""
        kept = self.request.session.get(_SESSION)
        if not kept or kept["site"] != self.site.pk or self.now >= datetime.fromisoformat(kept["until"]):
            self.forget()
            return None
        people = Employee.objects.filter(pk=kept["employee"], site=self.site, is_active=True)
        return people.select_related("site").first()

    def keep(self, employee: Employee) -> None:
        """Remember somebody until the time-out, counted from now."""
        until = self.now + timedelta(seconds=self.policy.terminal_timeout)
        self.request.session[_SESSION] = {
            "site": self.site.pk,
            "employee": employee.pk,
            "until": until.isoformat(),
        }

    def forget(self) -> None:
        """Let the next entry go in nobody's name."""
        self.request.session.pop(_SESSION, None)

    def forget_after_entry(self) -> None:
        """Forget who stands there when the site wants that after each entry."""
        if self.policy.terminal_forgets:
            self.forget()

    def identify(self) -> Employee:
        """Remember, and return, whom a form names. Whatever comes of it, who stood there before has gone."""
        self.forget()
        form = IdentifyForm(self.request.POST)
        who = form.cleaned_data if form.is_valid() else {}
        if not who.get("badge") and not (who.get("code") and who.get("pin")):
            raise Invalid(gettext("Hold the badge to the reader, or type the personnel number and the PIN."))
        if who["badge"]:
            who = {"badge": who["badge"]}
        employee = identify(site=self.site, terminal=caller(self.request), now=self.now, **who)
        self.keep(employee)
        return employee

    def refuse_other(self, employee: Employee | None, shown_for: str) -> None:
        """Raise Conflict for a form that was shown for somebody else than who stands there now."""
        if employee is None:
            raise Conflict(gettext("Nobody is identified any more, so nothing was written. Identify yourself again."))
        if str(employee.pk) != shown_for:
            raise Conflict(
                gettext("That form was of somebody else; nothing was written. The next entry goes to %(employee)s.")
                % {"employee": employee}
            )
