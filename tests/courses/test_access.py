import pytest

from lms.courses.access import access_course, access_course_by_slug, require_author, require_author_at
from lms.courses.models import Course
from tenants.errors import NotAllowed, NotVisible
from tenants.models import Role, University
from tests import factories
from tests.world import World


def may_see(world: World, *people: str) -> list[str]:
    seen = []
    for name in people:
        try:
            assert access_course(getattr(world, name), world.course.pk) == world.course
            assert access_course_by_slug(getattr(world, name), "north", "stat101") == world.course
            seen.append(name)
        except NotVisible:
            with pytest.raises(NotVisible):
                access_course_by_slug(getattr(world, name), "north", "stat101")
    return seen


EVERYBODY = ("sam", "tess", "ada", "oona", "platform")


def test_published_courses_are_for_members(world: World) -> None:
    assert may_see(world, *EVERYBODY) == ["sam", "tess", "ada", "platform"]


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_others_are_for_those_who_teach_there(world: World, status: str) -> None:
    Course.objects.update(status=status)
    assert may_see(world, *EVERYBODY) == ["tess", "ada", "platform"]


def test_an_address_belongs_to_its_university(world: World) -> None:
    for person in (world.sam, world.platform):
        for university, slug in [("south", "stat101"), ("north", "bio101"), ("north", "none")]:
            with pytest.raises(NotVisible):
                access_course_by_slug(person, university, slug)


def test_authors_teach_at_the_university(world: World) -> None:
    ta = factories.make_user("ta@north.example", "Tim", at=world.north, role=Role.TA)
    for person in (None, world.tess, world.ada, world.platform):
        require_author(person, world.course)
        require_author_at(person, world.north)
    for person, refusal in [(world.sam, NotAllowed), (ta, NotAllowed), (world.oona, NotVisible)]:
        with pytest.raises(refusal):
            require_author(person, world.course)
        with pytest.raises(refusal):
            require_author_at(person, world.north)


def test_nobody_writes_at_a_university_that_is_closed(world: World) -> None:
    University.objects.update(is_active=False)
    with pytest.raises(NotVisible):
        require_author_at(world.tess, world.north)
