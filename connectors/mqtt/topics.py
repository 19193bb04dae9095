"""From a topic to the place that it speaks of."""

import re
from functools import cached_property

_NAME = re.compile(r"\{(\w+)\}\Z")
PLACES = ("enterprise", "site", "area", "line", "machine")


class TopicTemplate:
    """How the topics of a plant are built. Raises ValueError for a template that cannot be read."""

    def __init__(self, written: str) -> None:
        self._levels = written.strip("/").split("/")
        self.names: list[str] = []
        for level in self._levels:
            found = _NAME.match(level)
            if found:
                self.names.append(found[1])
            elif not level or set(level) & set("{}+#"):
                raise ValueError(f"'{level}' is neither a name in braces nor a plain level of a topic.")
        if len(set(self.names)) != len(self.names):
            raise ValueError("Each name may stand in the template once.")
        if not {"machine", "line"} & set(self.names):
            raise ValueError("The template must name {machine} or {line}, or nobody knows whose the message is.")
        if "signal" in self.names and self._levels[-1] != "{signal}":
            raise ValueError("{signal} must be the last level; it takes all that is left of a topic.")

    @cached_property
    def subscription(self) -> str:
        """The topics to subscribe to."""
        levels = ["#" if level == "{signal}" else "+" if _NAME.match(level) else level for level in self._levels]
        return "/".join(levels)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        levels = []
        for level in self._levels:
            name = _NAME.match(level)
            levels.append(
                re.escape(level) if not name else f"(?P<{name[1]}>{'.+' if name[1] == 'signal' else '[^/]+'})"
            )
        return re.compile("/".join(levels) + r"\Z")

    def read(self, topic: str) -> dict[str, str] | None:
        """Return the parts of a topic by name; None for one of another form."""
        found = self._pattern.match(topic.strip("/"))
        return None if found is None else {"signal": "", **found.groupdict()}
