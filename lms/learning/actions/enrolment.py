"""Seats in an offering. Everything that gives or frees one holds the offering's row, so that no seat is given twice."""

from django.db import transaction
from django.utils import timezone

from lms.courses.models import CourseOffering
from lms.learning.access import access_offering
from lms.learning.errors import EnrollmentClosed, NotEnrolled, PrerequisiteMissing
from lms.learning.models import Enrollment
from lms.learning.queries import closed_because, missing_of, missing_sentence, prerequisites_for, seats_left
from tenants import audit
from tenants.errors import NotVisible
from tenants.models import User

Status = Enrollment.Status


@transaction.atomic
def enroll(*, by: User, offering_id: int) -> Enrollment:
    """A seat, or a place at the end of the waiting list. Who has either keeps it, so that asking again is harmless."""
    offering = _locked_offering(by, offering_id)
    enrollment = Enrollment.objects.filter(user=by, offering=offering).first()
    if enrollment is not None and enrollment.status != Status.DROPPED:
        return enrollment
    _require_open(offering)
    _require_prerequisites(by, offering)
    # Seats may have become free unseen (a larger capacity, a deleted account): those who wait come first.
    _fill_seats(offering)
    left = seats_left(offering)
    status = Status.ACTIVE if left is None or left > 0 else Status.WAITLISTED
    # Coming back counts as new, so that it does not overtake those who wait.
    values = {"status": status, "created_at": timezone.now()}
    enrollment, _ = Enrollment.objects.update_or_create(
        user=by, offering=offering, defaults=values, create_defaults={**values, "university": offering.university}
    )
    _record(by, "enrollment.made", enrollment)
    return enrollment


@transaction.atomic
def drop(*, by: User, offering_id: int) -> Enrollment:
    """Give the seat back, or leave the waiting list. What was done is kept for coming back."""
    offering = _locked_offering(by, offering_id)
    enrollment = Enrollment.objects.filter(user=by, offering=offering).first()
    if enrollment is None:
        raise NotEnrolled
    if enrollment.status == Status.COMPLETED:
        raise NotEnrolled("You have completed this course; there is nothing to drop.")
    if enrollment.status != Status.DROPPED:
        enrollment.status = Status.DROPPED
        enrollment.save(update_fields=["status"])
        _record(by, "enrollment.dropped", enrollment)
        _fill_seats(offering)
    return enrollment


def _locked_offering(by: User, offering_id: int) -> CourseOffering:
    access_offering(by, offering_id)
    found = CourseOffering.objects.select_for_update(of=("self",)).select_related("course", "university")
    offering = found.filter(pk=offering_id).first()
    if offering is None:
        raise NotVisible
    return offering


def _require_open(offering: CourseOffering) -> None:
    refusal = closed_because(offering)
    if refusal:
        raise EnrollmentClosed(refusal)


def _require_prerequisites(by: User, offering: CourseOffering) -> None:
    missing = missing_of(prerequisites_for(by, offering.course))
    if missing:
        raise PrerequisiteMissing(missing_sentence(missing))


def _fill_seats(offering: CourseOffering) -> None:
    """Those who have waited longest move up. The caller holds the offering's row."""
    left = seats_left(offering)
    if left == 0:
        return
    waiting = Enrollment.objects.filter(
        offering=offering,
        status=Status.WAITLISTED,
        user__is_active=True,
        user__memberships__university=offering.university,
    )
    for enrollment in waiting.order_by("created_at", "pk").distinct()[:left]:
        enrollment.status = Status.ACTIVE
        enrollment.save(update_fields=["status"])
        _record(None, "enrollment.moved_up", enrollment)


def _record(by: User | None, action: str, enrollment: Enrollment) -> None:
    audit.record(
        by=by,
        action=action,
        subject=enrollment,
        university=enrollment.university,
        detail={"offering": enrollment.offering_id, "status": enrollment.status},
    )
