"""Who may open a lesson. Each refusal is tested against a lesson that is really there."""

from datetime import timedelta

import pytest
from django.utils import timezone

from lms.courses.models import ContentItem, Course, Module
from lms.learning.access import access_enrollment, access_lesson, access_offering
from lms.learning.errors import NotOpen
from lms.learning.models import Enrollment
from tenants.errors import NotVisible
from tenants.models import Membership, Role, University, User
from tests import factories
from tests.world import World


def open_lesson(world: World, user: User):
    return access_lesson(user, university="north", offering=world.offering.pk, item=world.item.pk)


def test_brings_everything_in_one_query(world: World, django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        lesson = open_lesson(world, world.sam)
        found = (lesson.item, lesson.item.module, lesson.item.module.course, lesson.offering, lesson.offering.course)
        beside = (lesson.course, lesson.university, lesson.course.university, lesson.enrollment.offering)

    assert found == (world.item, world.lesson, world.course, world.offering, world.course)
    assert beside == (world.course, world.north, world.north, world.offering)
    assert (lesson.user, lesson.enrollment, lesson.teaches) == (world.sam, world.enrollment, False)
    assert (lesson.done, lesson.is_done) == (frozenset(), False)


@pytest.mark.parametrize("model", [ContentItem, Module, Course, University])
def test_rows_are_as_the_orm_reads_them(world: World, model) -> None:
    Course.objects.filter(pk=world.course.pk).update(objectives=["One", "Two"])
    lesson = open_lesson(world, world.sam)
    row = {
        ContentItem: lesson.item,
        Module: lesson.item.module,
        Course: lesson.course,
        University: lesson.university,
    }[model]
    fields = [field.attname for field in model._meta.concrete_fields if field.attname != "search"]
    assert {name: getattr(row, name) for name in fields} == {
        name: getattr(model.objects.get(pk=row.pk), name) for name in fields
    }


def test_staff_look_without_an_enrollment(world: World) -> None:
    ta = factories.make_user("ta@north.example", "Tim", at=world.north, role=Role.TA)
    for person in (ta, world.tess, world.ada, world.platform):
        lesson = open_lesson(world, person)
        assert (lesson.enrollment, lesson.teaches) == (None, True)


def test_staff_see_drafts(world: World) -> None:
    ContentItem.objects.filter(pk=world.item.pk).update(status="draft")
    Course.objects.filter(pk=world.course.pk).update(status="draft")
    assert open_lesson(world, world.tess).item == world.item


def test_those_who_have_completed_the_course_still_read_it(world: World) -> None:
    Enrollment.objects.update(status=Enrollment.Status.COMPLETED)
    assert open_lesson(world, world.sam).enrollment == world.enrollment


@pytest.mark.parametrize("status", ["dropped", "pending", "waitlisted"])
def test_other_enrollments_do_not_open_lessons(world: World, status: str) -> None:
    Enrollment.objects.update(status=status)
    with pytest.raises(NotVisible):
        open_lesson(world, world.sam)


def test_a_member_who_is_not_enrolled_sees_nothing(world: World) -> None:
    with pytest.raises(NotVisible):
        open_lesson(world, factories.make_user("new@north.example", "Nia", at=world.north))


def test_an_outsider_sees_nothing_even_with_a_stray_enrollment(world: World) -> None:
    with pytest.raises(NotVisible):
        open_lesson(world, world.oona)
    factories.make_enrollment(world.oona, world.offering)
    with pytest.raises(NotVisible):
        open_lesson(world, world.oona)


def test_an_ended_membership_ends_reading(world: World) -> None:
    Membership.objects.filter(user=world.sam).delete()
    with pytest.raises(NotVisible):
        open_lesson(world, world.sam)


@pytest.mark.parametrize(
    ("model", "changes"),
    [
        (ContentItem, {"status": "draft"}),
        (Course, {"status": "draft"}),
        (Course, {"status": "archived"}),
        (University, {"is_active": False}),
    ],
)
def test_what_is_not_published_is_absent(world: World, model, changes: dict) -> None:
    model.objects.update(**changes)
    with pytest.raises(NotVisible):
        open_lesson(world, world.sam)


def test_an_inactive_university_is_closed_for_the_platform_too(world: World) -> None:
    University.objects.update(is_active=False)
    with pytest.raises(NotVisible):
        open_lesson(world, world.platform)


def test_times_of_any_module_above_close_a_lesson_to_students(world: World) -> None:
    now = timezone.now()
    for changes in [{"available_from": now + timedelta(hours=1)}, {"available_until": now - timedelta(hours=1)}]:
        Module.objects.filter(pk=world.lesson.parent_id).update(**changes)
        with pytest.raises(NotOpen):
            open_lesson(world, world.sam)
        assert open_lesson(world, world.tess).item == world.item
        Module.objects.update(available_from=None, available_until=None)
    Module.objects.filter(pk=world.root.pk).update(
        available_from=now - timedelta(1), available_until=now + timedelta(1)
    )
    assert open_lesson(world, world.sam).item == world.item


def test_address_must_fit_together(world: World) -> None:
    other = factories.make_offering(factories.make_course(world.north, "OTHER1", "Other"))
    for university, offering, item in [
        ("south", world.offering.pk, world.item.pk),
        ("north", world.south_offering.pk, world.item.pk),
        ("north", other.pk, world.item.pk),
        ("north", world.offering.pk, world.south_item.pk),
        ("north", world.south_offering.pk, world.south_item.pk),
        ("north", world.offering.pk, 999_999),
        ("nowhere", world.offering.pk, world.item.pk),
    ]:
        for person in (world.sam, world.tess, world.platform):
            with pytest.raises(NotVisible):
                access_lesson(person, university=university, offering=offering, item=item)


def test_offerings_are_seen_with_their_course(world: World) -> None:
    member = factories.make_user("new@north.example", "Nia", at=world.north)
    assert access_offering(member, world.offering.pk, "north") == world.offering
    Course.objects.filter(pk=world.course.pk).update(status="draft")
    for person, university in [(member, "north"), (world.oona, None), (world.tess, "south")]:
        with pytest.raises(NotVisible):
            access_offering(person, world.offering.pk, university)


def test_enrollments_are_their_owners(world: World) -> None:
    assert access_enrollment(world.sam, world.enrollment.pk) == world.enrollment
    for person in (world.oona, world.tess, world.ada, world.platform):
        with pytest.raises(NotVisible):
            access_enrollment(person, world.enrollment.pk)
