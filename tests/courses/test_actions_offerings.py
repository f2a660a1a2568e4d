from datetime import UTC, datetime
from typing import Any

import pytest

from lms.courses.actions.offerings import remove_prerequisite, update_offering
from lms.courses.errors import OfferingExists
from lms.courses.models import CourseOffering, Prerequisite
from tenants.errors import InvalidInput, NotAllowed, NotVisible
from tenants.models import AuditEntry
from tests import factories
from tests.world import World

FALL = datetime(2026, 9, 1, tzinfo=UTC)
SPRING = datetime(2027, 2, 1, tzinfo=UTC)


def row(offering: CourseOffering) -> dict[str, Any]:
    return CourseOffering.objects.filter(pk=offering.pk).values().get()


def update(world: World, by: Any, **changes: Any) -> CourseOffering:
    given = {
        "term": "Spring",
        "starts_at": FALL,
        "ends_at": SPRING,
        "capacity": 12,
        "enrollment_opens_at": None,
        "enrollment_closes_at": FALL,
        "hint_policy": "open",
    }
    return update_offering(by=by, offering=world.offering, **given | changes)


class TestUpdate:
    def test_everything_but_the_course_changes(self, world: World) -> None:
        offering = update(world, world.tess)
        assert row(offering) == {
            "id": world.offering.pk,
            "university_id": world.north.pk,
            "course_id": world.course.pk,
            "term": "Spring",
            "starts_at": FALL,
            "ends_at": SPRING,
            "capacity": 12,
            "enrollment_opens_at": None,
            "enrollment_closes_at": FALL,
            "hint_policy": "open",
        }
        entries = AuditEntry.objects.values_list("action", "actor", "university", "subject_id")
        assert list(entries) == [("offering.updated", world.tess.pk, world.north.pk, str(offering.pk))]

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"term": ""}, "Term: This field cannot be blank."),
            ({"hint_policy": "shout"}, "Hint_policy: Value 'shout' is not a valid choice."),
            ({"starts_at": SPRING, "ends_at": FALL}, "The term ends after it starts, not before."),
            (
                {"enrollment_opens_at": FALL, "enrollment_closes_at": FALL},
                "The time for enrolling ends after it starts, not before.",
            ),
        ],
    )
    def test_what_cannot_be_is_refused(self, world: World, changes: dict[str, Any], sentence: str) -> None:
        before = row(world.offering)
        with pytest.raises(InvalidInput) as refusal:
            update(world, world.tess, **changes)
        assert (refusal.value.detail, row(world.offering)) == (sentence, before)

    def test_a_term_is_offered_once(self, world: World) -> None:
        factories.make_offering(world.course, "Spring")
        with pytest.raises(OfferingExists):
            update(world, world.tess)

    def test_students_and_outsiders_are_refused(self, world: World) -> None:
        before = row(world.offering)
        for person, refusal in ((world.sam, NotAllowed), (world.oona, NotVisible)):
            with pytest.raises(refusal):
                update(world, person)
        assert row(world.offering) == before

    def test_one_that_has_gone_is_not_visible(self, world: World) -> None:
        CourseOffering.objects.filter(pk=world.offering.pk).delete()
        with pytest.raises(NotVisible):
            update(world, world.tess)


class TestRemovePrerequisite:
    @pytest.fixture
    def prerequisite(self, world: World) -> Prerequisite:
        other = factories.make_course(world.north, "MATH1", "Sums")
        return Prerequisite.objects.create(university=world.north, course=world.course, required_course=other)

    def test_takes_it_away(self, world: World, prerequisite: Prerequisite) -> None:
        remove_prerequisite(by=world.tess, prerequisite=prerequisite)
        remove_prerequisite(by=world.tess, prerequisite=prerequisite)
        assert Prerequisite.objects.count() == 0

    def test_students_and_outsiders_are_refused(self, world: World, prerequisite: Prerequisite) -> None:
        for person, refusal in ((world.sam, NotAllowed), (world.oona, NotVisible)):
            with pytest.raises(refusal):
                remove_prerequisite(by=person, prerequisite=prerequisite)
        assert Prerequisite.objects.get() == prerequisite
