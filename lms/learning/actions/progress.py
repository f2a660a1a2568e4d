"""How far a student is."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from lms.courses.models import ContentItem
from lms.learning.models import Enrollment, ItemProgress
from tenants.errors import NotVisible
from tenants.models import User

# A reader who reloads is still at the same place.
_PLACE_IS_FRESH = timedelta(minutes=5)


def mark_done(*, by: User, enrollment: Enrollment, item: ContentItem) -> ItemProgress:
    """For good: marking it again changes nothing, the time included."""
    if enrollment.user_id != by.pk:
        raise NotVisible
    if enrollment.status not in (Enrollment.Status.ACTIVE, Enrollment.Status.COMPLETED):
        raise NotVisible
    if item.module.course_id != enrollment.offering.course_id:
        raise NotVisible
    if item.status != ContentItem.Status.PUBLISHED:
        raise NotVisible
    return ItemProgress.objects.get_or_create(
        enrollment=enrollment, content_item=item, defaults={"university_id": enrollment.university_id}
    )[0]


def note_place(enrollment: Enrollment, item: ContentItem) -> None:
    """Remember where the student is. No query where the row that the caller read says so already."""
    now = timezone.now()
    fresh_since = now - _PLACE_IS_FRESH
    is_known = enrollment.last_item_id == item.pk
    if is_known and enrollment.last_seen_at and enrollment.last_seen_at > fresh_since:
        return
    elsewhere = ~Q(last_item=item) | Q(last_item=None) | Q(last_seen_at=None) | Q(last_seen_at__lt=fresh_since)
    Enrollment.objects.filter(elsewhere, pk=enrollment.pk).update(last_item=item, last_seen_at=now)
