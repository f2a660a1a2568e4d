"""Beginning a conversation about a lesson."""

from django.db import transaction
from django.utils import timezone

from lms.learning.access import Lesson
from tenants.models import User
from tutoring.models import ChatSession
from tutoring.snapshot import take_snapshot


@transaction.atomic
def start_session(*, by: User, lesson: Lesson) -> ChatSession:
    """A new conversation with the lesson as it is now.

    A conversation of this lesson in which nothing was said yet is taken up again, with a fresh snapshot.
    """
    snapshot = take_snapshot(lesson)
    unused = (
        ChatSession.objects.select_for_update(of=("self",))
        .filter(user=by, content_item=lesson.item, offering=lesson.offering, messages=None)
        .first()
    )
    if unused is None:
        return ChatSession.objects.create(
            university=lesson.university,
            user=by,
            offering=lesson.offering,
            content_item=lesson.item,
            content_context=snapshot,
        )
    unused.content_context = snapshot
    unused.updated_at = timezone.now()
    unused.save(update_fields=["content_context", "updated_at"])
    return unused
