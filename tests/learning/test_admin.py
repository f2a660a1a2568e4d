from typing import Any

import pytest
from django.test import Client

from lms.learning.models import Enrollment
from tests.world import World

URL = "/admin/learning/enrollment/"


@pytest.fixture
def tess(client: Client, world: World) -> Client:
    client.force_login(world.tess)
    return client


def test_shows_the_enrollments_of_the_university(tess: Client, world: World) -> None:
    page = tess.get(URL)
    assert list(page.context["cl"].result_list) == [world.enrollment]
    assert ("Sam Sorensen" in page.text, "Oona Okafor" in page.text) == (True, False)


@pytest.mark.parametrize(("query", "count"), [("sam@north", 1), ("sorensen", 1), ("oona", 0)])
def test_search_finds_people_of_the_university(tess: Client, query: str, count: int) -> None:
    assert tess.get(f"{URL}?q={query}").context["cl"].result_count == count


def test_nothing_is_written_here(tess: Client, world: World) -> None:
    row = f"{URL}{world.enrollment.pk}/"
    assert tess.get(f"{row}change/").status_code == 200
    assert [
        tess.get(f"{URL}add/").status_code,
        tess.post(f"{URL}add/", {}).status_code,
        tess.post(f"{row}change/", {"status": "dropped"}).status_code,
        tess.post(f"{row}delete/", {"post": "yes"}).status_code,
    ] == [403, 403, 403, 403]
    assert Enrollment.objects.get(pk=world.enrollment.pk).status == "active"


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_the_same_for_any_number(
    tess: Client, world: World, count: int, django_assert_num_queries: Any
) -> None:
    for number in range(count):
        user = type(world.sam).objects.create_user(f"s{number}@north.example", full_name=f"Student {number}")
        Enrollment.objects.create(university=world.north, user=user, offering=world.offering)
    tess.get(URL)
    # Session, person, roles, the filter of courses, the dates twice, and the list with its two counts.
    with django_assert_num_queries(9):
        tess.get(URL)
