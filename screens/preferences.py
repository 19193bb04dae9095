"""How a reader wants pages to look: kept in the browser, because a tablet belongs to a place and not to a person."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

THEMES = {
    "auto": _("As the device"),
    "light": _("Light"),
    "dark": _("Dark"),
    "contrast": _("High contrast"),
}
COOKIE = "mes_theme"
A_YEAR = 365 * 24 * 3600


def theme_of(request: HttpRequest) -> str:
    """Return the theme that this browser asked for."""
    chosen = request.COOKIES.get(COOKIE, "")
    return chosen if chosen in THEMES else "auto"


@require_POST
def preferences(request: HttpRequest) -> HttpResponse:
    """Keep a language, a theme, or both, and go back to where the reader was."""
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        back = "/"
    response = HttpResponseRedirect(back)
    language, theme = request.POST.get("language", ""), request.POST.get("theme", "")
    if language in dict(settings.LANGUAGES) and check_for_language(language):
        _keep(request, response, settings.LANGUAGE_COOKIE_NAME, language)
    if theme in THEMES:
        _keep(request, response, COOKIE, theme)
    return response


def _keep(request: HttpRequest, response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(name, value, max_age=A_YEAR, samesite="Lax", secure=request.is_secure(), httponly=True)
