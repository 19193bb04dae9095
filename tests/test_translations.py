"""Every text of pages exists in every language, and what is compiled is what was translated."""

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.translation.template import templatize

from core.names import other_languages
from oee.engine.catalogue import ELEMENTS, KPIS
from oee.engine.ledger import LOSS_CLASSES
from screens.catalogue_words import NAMES

ROOT = Path(settings.BASE_DIR)
LANGUAGES = [code for code, _ in other_languages()]
FUNCTIONS = {"gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "_"}
PLACEHOLDER = re.compile(r"%\((\w+)\)s")

Catalogue = dict[str, tuple[str, ...]]


def read_po(path: Path) -> Catalogue:
    """Return a file's messages with all their forms; a message that is marked fuzzy is left out."""
    found: Catalogue = {}
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        if not lines or any(line.startswith("#,") and "fuzzy" in line for line in block.splitlines()):
            continue
        texts: dict[str, str] = {}
        key = ""
        for line in lines:
            if not line.startswith('"'):
                key, _, line = line.partition(" ")
            texts[key] = texts.get(key, "") + ast.literal_eval(line)
        found[texts["msgid"]] = tuple(text for name, text in texts.items() if name.startswith("msgstr"))
    return found


def po_of(language: str) -> Path:
    return ROOT / "locale" / language / "LC_MESSAGES" / "django.po"


def sources(pattern: str) -> Iterator[Path]:
    for path in ROOT.glob(pattern):
        parts = path.relative_to(ROOT).parts
        if not {".venv", "node_modules", "tests", "migrations", "var", "client"} & set(parts):
            yield path


def said_in_python(text: str) -> Iterator[str]:
    """Yield what a file passes to gettext."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def said_in_templates(text: str) -> Iterator[str]:
    """Yield what a template passes to gettext: Django writes it as the calls that xgettext reads."""
    for call in re.finditer(
        r"n?gettext\(u?('(?:[^'\\]|\\.)*'|\"\"\".*?\"\"\"|\"(?:[^\"\\]|\\.)*\")", templatize(text), re.S
    ):
        yield ast.literal_eval(call.group(1))
    for call in re.finditer(r"(?<![\w.])_\((\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')\)", templatize(text)):
        yield ast.literal_eval(call.group(1))


def everything_said() -> set[str]:
    said = {text for path in sources("**/*.html") for text in said_in_templates(path.read_text(encoding="utf-8"))}
    said |= {text for path in sources("**/*.py") for text in said_in_python(path.read_text(encoding="utf-8"))}
    return said - {""}


def test_the_reader_of_templates_finds_what_they_say():
    said = set(
        said_in_templates(
            "{% load i18n %}{% translate 'It is 5 %' %}{% blocktranslate count n=n %}{{ n }} lot{% plural %}"
            '{{ n }} lots{% endblocktranslate %}{{ x|default:_("none") }}'
        )
    )
    assert said == {"It is 5 %%", "%(n)s lot", "none"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_that_pages_say_is_untranslated(language):
    catalogue = read_po(po_of(language))
    assert sorted(everything_said() - catalogue.keys()) == []
    assert sorted(text for text, forms in catalogue.items() if not all(forms)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_fill_in_the_same_values(language):
    wrong = {
        text: form
        for text, forms in read_po(po_of(language)).items()
        for form in forms
        if text and set(PLACEHOLDER.findall(text)) != set(PLACEHOLDER.findall(form))
    }
    assert wrong == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_was_translated(language):
    path = po_of(language)
    with path.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)._catalog
    forms: dict[str, dict[int, str]] = {}
    for key, text in compiled.items():
        message, number = key if isinstance(key, tuple) else (key, 0)
        forms.setdefault(message, {})[number] = text
    expected = {text: dict(enumerate(said)) for text, said in read_po(path).items() if text}
    assert {text: said for text, said in forms.items() if text} == expected


def test_the_names_of_the_catalogue_are_marked():
    names = {one.name for one in (*KPIS.values(), *ELEMENTS.values())}
    names |= {text for one in LOSS_CLASSES.values() for text in (one.name, one.meaning)}
    assert names - set(NAMES) == set()
