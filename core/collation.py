"""Sort text as the reader's language does, for the short lists that people choose from.

Not by PostgreSQL's ICU collations, because not every PostgreSQL is built with them. Letters count before their marks
and marks before large and small (as UCA's three levels do), and a language's own letters stand where its alphabet has
them.
"""

import unicodedata

from django.utils.translation import get_language

# A language's letters of their own, each after the letter it follows; others are letters with marks.
_OWN_LETTERS = {
    "es": {"ñ": "n"},
    "pl": {"ą": "a", "ć": "c", "ę": "e", "ł": "l", "ń": "n", "ó": "o", "ś": "s", "ź": "z", "ż": "zź"},
}
_SPELLED = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l"})

Key = tuple[tuple[tuple[str, int], ...], str, str]


def collation_key(text: str, language: str | None = None) -> Key:
    """Return what to sort a text by for readers of a language; None = of the active one."""
    own = _OWN_LETTERS.get((language or get_language() or "en").split("-")[0], {})
    small = unicodedata.normalize("NFC", text).casefold()
    letters: list[tuple[str, int]] = []
    for letter in small:
        if letter in own:
            # The n-th letter of its own after a plain one.
            letters.append((own[letter][0], len(own[letter])))
        else:
            plain = unicodedata.normalize("NFD", letter.translate(_SPELLED))
            letters += [(part, 0) for part in plain if not unicodedata.combining(part)]
    return tuple(letters), small, text.swapcase()
