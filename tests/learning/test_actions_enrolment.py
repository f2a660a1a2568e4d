from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.test import TransactionTestCase
from django.utils import timezone

from lms.courses.models import Course, CourseOffering, Prerequisite
from lms.learning.actions.enrolment import drop, enroll
from lms.learning.errors import EnrollmentClosed, NotEnrolled, PrerequisiteMissing
from lms.learning.models import Enrollment, ItemProgress
from tenants.errors import NotVisible
from tenants.models import AuditEntry, Membership, User
from tests import factories
from tests.world import World, make_world


@pytest.fixture
def nia(world: World) -> User:
    return factories.make_user("nia@north.example", "Nia", at=world.north)


@pytest.fixture
def omar(world: World) -> User:
    return factories.make_user("omar@north.example", "Omar", at=world.north)


def statuses(offering: CourseOffering) -> dict[str, str]:
    return dict(Enrollment.objects.filter(offering=offering).values_list("user__full_name", "status"))


def set_capacity(world: World, capacity: int | None) -> None:
    CourseOffering.objects.filter(pk=world.offering.pk).update(capacity=capacity)


class TestEnroll:
    def test_gives_a_seat_and_records_it(self, world: World, nia: User) -> None:
        enrollment = enroll(by=nia, offering_id=world.offering.pk)
        assert (enrollment.status, enrollment.university, enrollment.role) == ("active", world.north, "student")
        entry = AuditEntry.objects.get()
        assert (entry.action, entry.actor_id, entry.subject_id, entry.detail) == (
            "enrollment.made",
            nia.pk,
            str(enrollment.pk),
            {"offering": world.offering.pk, "status": "active"},
        )

    def test_asking_again_changes_nothing(self, world: World, nia: User) -> None:
        first = enroll(by=nia, offering_id=world.offering.pk)
        assert enroll(by=nia, offering_id=world.offering.pk) == first
        assert AuditEntry.objects.count() == 1

    @pytest.mark.parametrize("status", ["completed", "pending", "waitlisted"])
    def test_who_has_a_place_keeps_it(self, world: World, status: str) -> None:
        Enrollment.objects.filter(pk=world.enrollment.pk).update(status=status)
        assert enroll(by=world.sam, offering_id=world.offering.pk).status == status

    def test_outsiders_and_students_of_drafts_see_no_offering(self, world: World, nia: User) -> None:
        with pytest.raises(NotVisible):
            enroll(by=world.oona, offering_id=world.offering.pk)
        with pytest.raises(NotVisible):
            enroll(by=nia, offering_id=999_999)
        Course.objects.filter(pk=world.course.pk).update(status="draft")
        with pytest.raises(NotVisible):
            enroll(by=nia, offering_id=world.offering.pk)
        with pytest.raises(EnrollmentClosed, match=r"The course is not published\."):
            enroll(by=world.tess, offering_id=world.offering.pk)

    @pytest.mark.parametrize(
        ("field", "days", "sentence"),
        [
            ("enrollment_opens_at", 2, "Enrolment opens on "),
            ("enrollment_closes_at", -2, "Enrolment closed on "),
            ("ends_at", -2, "This term is over."),
        ],
    )
    def test_is_refused_outside_its_time(self, world: World, nia: User, field: str, days: int, sentence: str) -> None:
        CourseOffering.objects.filter(pk=world.offering.pk).update(**{field: timezone.now() + timedelta(days=days)})
        with pytest.raises(EnrollmentClosed, match=sentence):
            enroll(by=nia, offering_id=world.offering.pk)
        CourseOffering.objects.filter(pk=world.offering.pk).update(**{field: timezone.now() - timedelta(days=days)})
        assert enroll(by=nia, offering_id=world.offering.pk).status == "active"


class TestPrerequisites:
    @pytest.fixture
    def earlier(self, world: World) -> CourseOffering:
        return factories.make_offering(factories.make_course(world.north, "STAT100", "Numbers"))

    def require(self, world: World, earlier: CourseOffering, kind: str) -> None:
        Prerequisite.objects.create(
            university=world.north, course=world.course, required_course=earlier.course, kind=kind
        )

    @pytest.mark.parametrize(
        ("kind", "status", "is_met"),
        [
            ("strict", None, False),
            ("strict", "active", False),
            ("strict", "completed", True),
            ("co_requisite", None, False),
            ("co_requisite", "dropped", False),
            ("co_requisite", "active", True),
            ("recommended", None, True),
        ],
    )
    def test_decide(
        self, world: World, nia: User, earlier: CourseOffering, kind: str, status: str | None, is_met: bool
    ) -> None:
        self.require(world, earlier, kind)
        # Somebody else's completion is no help.
        factories.make_enrollment(world.sam, earlier, status="completed")
        if status:
            factories.make_enrollment(nia, earlier, status=status)
        if is_met:
            assert enroll(by=nia, offering_id=world.offering.pk).status == "active"
        else:
            with pytest.raises(PrerequisiteMissing, match=r"First comes: Numbers\."):
                enroll(by=nia, offering_id=world.offering.pk)


class TestSeats:
    def test_the_next_one_waits(self, world: World, nia: User) -> None:
        set_capacity(world, 1)
        assert enroll(by=nia, offering_id=world.offering.pk).status == "waitlisted"

    def test_staff_take_no_seat(self, world: World, nia: User) -> None:
        set_capacity(world, 1)
        Enrollment.objects.update(role=Enrollment.Role.TA)
        assert enroll(by=nia, offering_id=world.offering.pk).status == "active"

    def test_a_freed_seat_goes_to_who_has_waited_longest(self, world: World, nia: User, omar: User) -> None:
        set_capacity(world, 1)
        enroll(by=nia, offering_id=world.offering.pk)
        enroll(by=omar, offering_id=world.offering.pk)

        assert drop(by=world.sam, offering_id=world.offering.pk).status == "dropped"

        assert statuses(world.offering) == {"Sam Sorensen": "dropped", "Nia": "active", "Omar": "waitlisted"}
        assert list(AuditEntry.objects.order_by("id").values_list("action", "actor")) == [
            ("enrollment.made", nia.pk),
            ("enrollment.made", omar.pk),
            ("enrollment.dropped", world.sam.pk),
            ("enrollment.moved_up", None),
        ]

    def test_who_comes_back_waits_behind_the_others(self, world: World, nia: User, omar: User) -> None:
        set_capacity(world, 1)
        enroll(by=nia, offering_id=world.offering.pk)
        enroll(by=omar, offering_id=world.offering.pk)
        drop(by=nia, offering_id=world.offering.pk)
        enroll(by=nia, offering_id=world.offering.pk)
        drop(by=world.sam, offering_id=world.offering.pk)
        assert statuses(world.offering) == {"Sam Sorensen": "dropped", "Nia": "waitlisted", "Omar": "active"}

    def test_new_seats_go_to_those_who_wait_first(self, world: World, nia: User, omar: User) -> None:
        set_capacity(world, 1)
        enroll(by=nia, offering_id=world.offering.pk)
        set_capacity(world, 2)
        assert enroll(by=omar, offering_id=world.offering.pk).status == "waitlisted"
        assert statuses(world.offering)["Nia"] == "active"

    def test_who_has_left_the_university_does_not_move_up(self, world: World, nia: User, omar: User) -> None:
        set_capacity(world, 1)
        enroll(by=nia, offering_id=world.offering.pk)
        enroll(by=omar, offering_id=world.offering.pk)
        Membership.objects.filter(user=nia).delete()
        drop(by=world.sam, offering_id=world.offering.pk)
        assert statuses(world.offering) == {"Sam Sorensen": "dropped", "Nia": "waitlisted", "Omar": "active"}


class TestDrop:
    def test_keeps_what_was_done(self, world: World) -> None:
        ItemProgress.objects.create(university=world.north, enrollment=world.enrollment, content_item=world.item)
        drop(by=world.sam, offering_id=world.offering.pk)
        drop(by=world.sam, offering_id=world.offering.pk)
        enroll(by=world.sam, offering_id=world.offering.pk)

        assert statuses(world.offering) == {"Sam Sorensen": "active"}
        assert ItemProgress.objects.count() == 1

    def test_needs_an_enrollment_that_can_be_dropped(self, world: World, nia: User) -> None:
        with pytest.raises(NotEnrolled):
            drop(by=nia, offering_id=world.offering.pk)
        Enrollment.objects.update(status="completed")
        with pytest.raises(NotEnrolled, match="You have completed this course"):
            drop(by=world.sam, offering_id=world.offering.pk)
        with pytest.raises(NotVisible):
            drop(by=world.oona, offering_id=world.offering.pk)


class LastSeatTest(TransactionTestCase):
    """Eight at once for three seats."""

    def test_no_seat_is_given_twice(self) -> None:
        world = make_world()
        CourseOffering.objects.filter(pk=world.offering.pk).update(capacity=4)
        students = [factories.make_user(f"s{n}@north.example", f"S{n}", at=world.north) for n in range(8)]
        start = Barrier(len(students))
        threads = [Thread(target=self.enroll, args=(student, world.offering.pk, start)) for student in students]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        found = sorted(statuses(world.offering).values())
        assert found == ["active"] * 4 + ["waitlisted"] * 5

    def enroll(self, student: User, offering_id: int, start: Barrier) -> None:
        try:
            start.wait()
            enroll(by=student, offering_id=offering_id)
        finally:
            connection.close()
