"""The plant of the benchmark of screens fits the tables and pages of today; a small one is made,
and its main pages asked.
"""

import pytest
from django.conf import settings

from screen_bench.browser import main_pages
from screen_bench.pages import statements
from screen_bench.plant import Factory

pytestmark = pytest.mark.django_db


def test_a_small_plant_is_made_and_its_main_pages_answer():
    factory = Factory(days=3, lines=1)
    pages = factory.pages()
    assert len({page.address for page in pages}) > 100
    main = main_pages(pages)
    assert len(main) == 10
    cookie = f"{settings.SESSION_COOKIE_NAME}={factory.session()}"
    answers = {page.name: statements(page, cookie) for page in main}
    assert {name: status for name, (status, _number) in answers.items() if status != 200} == {}
    assert min(number for _status, number in answers.values()) > 0
