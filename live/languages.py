"""Which language a socket's reader has: as for pages (`LocaleMiddleware`), the cookie first, then the browser's."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import check_for_language, get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header


def language_of(scope: Mapping[str, Any]) -> str:
    """Return the language for a socket's scope; what is not spoken here falls through to the plain one."""
    asked = [scope.get("cookies", {}).get(settings.LANGUAGE_COOKIE_NAME, "")]
    for name, value in scope.get("headers", ()):
        if name == b"accept-language":
            asked += [code for code, _ in parse_accept_lang_header(value.decode("latin-1")) if code != "*"]
    for code in asked:
        try:
            if code and check_for_language(code):
                return get_supported_language_variant(code)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE
