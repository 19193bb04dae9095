"""How request bodies are read."""

import codecs
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class BoundedJSONParser(JSONParser):
    """Parse a JSON body of bounded size, depth and charset; whatever is wrong with it is the sender's 400."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        context = dict(parser_context or {})
        charset = context.get("encoding") or settings.DEFAULT_CHARSET
        try:
            if not codecs.lookup(charset)._is_text_encoding:
                raise LookupError
        except LookupError:
            raise ParseError(f"The charset '{charset}' is not known; send UTF-8.") from None
        try:
            return super().parse(stream, media_type, context)
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None
