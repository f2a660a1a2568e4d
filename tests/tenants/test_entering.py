"""Which university a visit is at: by who comes, by the address, by the row it names, by a link."""

import json
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from lms.courses.models import Course
from lms.learning.models import Enrollment
from prompts.models import Prompt
from tenants import doors
from tenants.entering import at_each, enter, enter_through, enter_with
from tenants.models import AuditEntry, Membership, Role, User
from tenants.platform import platform
from tenants.queries import with_places
from tenants.tokens import start_family
from tenants.visits import as_person, current, recognise, visit, within
from tests import factories
from tests.tutoring.scenes import sams_session
from tests.world import World

pytestmark = pytest.mark.django_db


def recognised(person: User) -> None:
    with as_person(person.pk):
        row = with_places(User.objects.filter(pk=person.pk), person.pk).get()
    recognise(row)


def seen() -> list[str]:
    return list(Course.objects.order_by("title").values_list("title", flat=True))


NORTH, SOUTH = ["Thinking with samples"], ["Cells of the south"]


@pytest.fixture
def guest(world: World) -> User:
    """Tess, who studies at South beside."""
    Membership.objects.create(user=world.tess, university=world.south, role=Role.STUDENT)
    return world.tess


class TestPeople:
    def test_nobody_sees_anything(self, world: World) -> None:
        with visit():
            assert (seen(), Membership.objects.count(), Enrollment.objects.count()) == ([], 0, 0)

    def test_who_belongs_to_one_university_is_there(self, world: World) -> None:
        with visit():
            recognised(world.sam)
            assert (seen(), list(Membership.objects.values_list("university", flat=True).distinct())) == (
                NORTH,
                [world.north.pk],
            )

    def test_who_belongs_to_several_sees_only_that_they_do(self, guest: User, world: World) -> None:
        with visit():
            recognised(guest)
            own = set(Membership.objects.values_list("university", flat=True))
            assert (seen(), own) == ([], {world.north.pk, world.south.pk})

    def test_a_closed_university_is_no_place(self, guest: User, world: World) -> None:
        world.north.is_active = False
        world.north.save()
        with visit():
            recognised(guest)
            assert seen() == SOUTH

    def test_platform_administrators_see_nothing_by_themselves(self, world: World) -> None:
        with visit():
            recognised(world.platform)
            assert seen() == []


class TestAddresses:
    def test_lead_to_one_of_the_persons_universities(self, guest: User) -> None:
        with visit():
            recognised(guest)
            titles = []
            for slug in ("north", "south", "nowhere"):
                enter(slug)
                titles.append(seen())
            assert titles == [NORTH, SOUTH, []]

    def test_do_not_lead_away_from_the_only_one(self, world: World) -> None:
        with visit():
            recognised(world.sam)
            enter("south")
            enter_with(Course, world.south_course.pk)
            assert seen() == NORTH

    def test_lead_the_platform_everywhere(self, world: World) -> None:
        with visit():
            recognised(world.platform)
            enter("south")
            assert seen() == SOUTH

    def test_a_row_leads_to_its_university(self, guest: User, world: World) -> None:
        with visit():
            recognised(guest)
            enter_with(Course, world.south_course.pk)
            assert seen() == SOUTH

    def test_no_row_of_others_leads_anywhere(self, guest: User, world: World) -> None:
        west = factories.make_course(factories.make_university("west", "Western"), "W", "Of the west")
        with visit():
            recognised(guest)
            enter("north")
            for key in (west.pk, 999_999, "no number", "1; DROP TABLE x", 10**30):
                enter_with(Course, key)
                assert seen() == []

    def test_a_link_leads_whoever_has_it(self, world: World) -> None:
        with visit():
            recognised(world.oona)
            enter_through(world.north.pk)
            assert seen() == NORTH


class TestBlocks:
    def test_what_was_entered_for_a_block_ends_with_it(self, world: World) -> None:
        with visit():
            recognised(world.sam)
            with within(world.south.pk):
                assert seen() == SOUTH
            assert seen() == NORTH

    def test_an_exception_ends_it_too(self, world: World) -> None:
        with visit():
            with pytest.raises(ZeroDivisionError), within(world.south.pk):
                1 / 0  # noqa: B018
            assert (seen(), current().university_id) == ([], None)

    def test_a_statement_that_fails_takes_nothing_away(self, world: World) -> None:
        with visit():
            recognised(world.sam)
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")
            assert seen() == NORTH

    def test_the_platform_is_everywhere_and_recorded(self, world: World) -> None:
        with visit():
            recognised(world.platform)
            with platform(by=world.platform, why="a test"), platform(by=None, why="within another"):
                assert seen() == [*SOUTH, *NORTH]
            assert seen() == []
        entries = AuditEntry.objects.values_list("action", "actor", "university", "detail")
        assert list(entries) == [("platform.opened", world.platform.pk, None, {"why": "a test"})]


class TestSeveralUniversities:
    def test_rows_of_all_are_joined_in_order(self, guest: User) -> None:
        with visit():
            recognised(guest)
            rows = at_each(guest, Course.objects.all, key=lambda course: course.title)
            assert [course.title for course in rows] == [*SOUTH, *NORTH]

    def test_for_one_place_the_query_stays_one(self, world: World) -> None:
        with visit():
            recognised(world.sam)
            assert at_each(world.sam, Course.objects.all, key=str).query.is_sliced is False

    def test_the_api_lists_courses_and_enrollments_of_all(self, guest: User, world: World) -> None:
        factories.make_enrollment(guest, world.south_offering)
        factories.make_enrollment(guest, world.offering)
        bearer = {"Authorization": f"Bearer {start_family(guest).access_token}"}
        answers = {}
        for name in ("courses", "enrollments"):
            page = Client().get(f"/api/v1/{name}?limit=1&offset=1", headers=bearer).json()
            answers[name] = (page["count"], page["items"][0])
        assert (answers["courses"][0], answers["courses"][1]["title"]) == (2, NORTH[0])
        # The latest come first.
        assert (answers["enrollments"][0], "Cells of the south" in json.dumps(answers["enrollments"][1])) == (2, True)

    def test_the_front_page_goes_on_where_the_person_was_last(self, guest: User, world: World) -> None:
        for offering, item in ((world.offering, world.item), (world.south_offering, world.south_item)):
            factories.make_enrollment(guest, offering)
            client = Client()
            client.force_login(guest)
            slug = offering.university.slug
            assert client.get(f"/{slug}/learn/{offering.pk}/{item.pk}/").status_code == 200
        page = client.get("/")
        assert page.context["resume"]["lesson"] == "Mitochondria"


class TestDoors:
    def test_let_out_the_number_of_the_university(self, world: World) -> None:
        session = sams_session(world)
        asked: list[tuple[Any, Any]] = [
            (Course, world.course.pk),
            (Enrollment, world.enrollment.pk),
            (type(session), session.pk),
            (Prompt, Prompt.objects.first().pk),
            (Course, 0),
            (type(session), "no id"),
        ]
        with visit():
            assert [doors.university_of(model, key) for model, key in asked] == [world.north.pk] * 3 + [None] * 3

    def test_all_have_a_reason(self) -> None:
        names = sorted(door.name for door in doors.all_doors() if door.why)
        assert names == ["lapsed_replies", "universities_with_old_keys", "university_of", "university_of_share"]
