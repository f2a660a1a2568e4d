"""Changes to what `lms.courses.actions.courses` has made: a term's dates and seats, a prerequisite taken away."""

from datetime import datetime

from django.db import IntegrityError, transaction

from lms.courses.access import require_author
from lms.courses.actions.validation import check_fields
from lms.courses.errors import OfferingExists
from lms.courses.models import CourseOffering, Prerequisite
from tenants import audit
from tenants.errors import InvalidInput, NotVisible
from tenants.models import User


@transaction.atomic
def update_offering(
    *,
    by: User | None,
    offering: CourseOffering,
    term: str,
    starts_at: datetime | None,
    ends_at: datetime | None,
    capacity: int | None,
    enrollment_opens_at: datetime | None,
    enrollment_closes_at: datetime | None,
    hint_policy: str,
) -> CourseOffering:
    """Everything but the course. Who is enrolled stays so, where the capacity shrinks too."""
    fresh = _offering_to_write(by, offering)
    fresh.term, fresh.capacity, fresh.hint_policy = term, capacity, hint_policy
    fresh.starts_at, fresh.ends_at = starts_at, ends_at
    fresh.enrollment_opens_at, fresh.enrollment_closes_at = enrollment_opens_at, enrollment_closes_at
    check_fields(fresh, ["term", "capacity", "hint_policy"])
    _check_order(_TERM, starts_at, ends_at)
    _check_order(_ENROLLING, enrollment_opens_at, enrollment_closes_at)
    try:
        with transaction.atomic():
            fresh.save(force_update=True)
    except IntegrityError:
        raise OfferingExists from None
    audit.record(by=by, action="offering.updated", subject=fresh, university=fresh.university)
    return fresh


def remove_prerequisite(*, by: User | None, prerequisite: Prerequisite) -> None:
    require_author(by, prerequisite.course)
    Prerequisite.objects.filter(pk=prerequisite.pk).delete()


_TERM = "The term"
_ENROLLING = "The time for enrolling"


def _offering_to_write(by: User | None, offering: CourseOffering) -> CourseOffering:
    require_author(by, offering.course)
    found = CourseOffering.objects.select_related("university", "course").select_for_update(of=("self",))
    fresh = found.filter(pk=offering.pk).first()
    if fresh is None:
        raise NotVisible
    return fresh


def _check_order(name: str, start: datetime | None, end: datetime | None) -> None:
    if start and end and end <= start:
        raise InvalidInput(f"{name} ends after it starts, not before.")
