"""To somebody of another university, what is there and what is not are the same page."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.pages import conversation
from tests.e2e.site import OONA, SAM, Site

FILM = "Film: how the means pile up"


@pytest.fixture
def theirs(site: Site) -> dict[str, str]:
    """Addresses at North that Sam may open."""
    lesson = site.lessons()[FILM]
    return {
        "home": "/north/",
        "course": "/north/courses/thinking-with-data/",
        "lesson": lesson,
        "conversations": "/north/tutor/",
        "conversation": conversation(site),
        "film": site.find(SAM, lesson, r'<source src="([^"]+)"'),
    }


ABSENT = {
    "home": "/nowhere/",
    "course": "/north/courses/no-such-course/",
    "lesson": "/north/learn/999999/999999/",
    "conversations": "/nowhere/tutor/",
    "conversation": "/north/tutor/00000000-0000-4000-8000-000000000000/",
    "film": "/north/media/999999/media/film.webm",
}


def test_a_stranger_gets_the_bytes_of_a_page_that_is_not_there(site: Site, theirs: dict[str, str]):
    assert {name: site.get(SAM, path).status_code for name, path in theirs.items()} == dict.fromkeys(theirs, 200)
    for name, path in theirs.items():
        foreign, absent = site.get(OONA, path), site.get(OONA, ABSENT[name])
        assert (name, foreign.status_code, foreign.content) == (name, 404, absent.content)
        assert comparable(foreign.headers) == comparable(absent.headers)


def test_a_lesson_by_the_address_of_ones_own_university_is_not_there_either(site: Site, theirs: dict[str, str]):
    borrowed = re.sub("^/north/", "/south/", theirs["lesson"])
    assert site.get(OONA, borrowed).status_code == 404


def test_the_page_that_a_stranger_sees(site: Site, visit: Visit, theirs: dict[str, str]):
    page = visit(OONA, forgiving="status of 404")
    page.goto(theirs["lesson"])
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    expect(page.get_by_role("link", name="University of the North")).to_have_count(0)
    page.get_by_role("link", name="To the front page").click()
    expect(page.get_by_role("link", name="Southern University")).to_be_visible()


def comparable(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in {"date", "x-request-id"}}
