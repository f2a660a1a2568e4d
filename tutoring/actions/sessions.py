"""Beginning a conversation about a lesson, and deleting one."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from lms.learning.access import Lesson
from tenants import audit
from tenants.models import User
from tutoring.access import access_session, lock_session
from tutoring.actions.generations import end_generation
from tutoring.actions.recovery import end_by_its_row
from tutoring.models import ChatSession, Generation, Message
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
    # Asked again now that it is locked: a first question may have come while this waited.
    if unused is None or Message.objects.filter(session=unused).exists():
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


@transaction.atomic
def delete_session(*, by: User, session_id: UUID, university: str | None = None) -> list[UUID]:
    """Delete a conversation with its messages, its shares and what was thought of it; what it used stays counted.

    Gives the generations that were live, at most one: whoever makes it here is to be stopped. Their process finds its
    lease gone and stops too.
    """
    session = access_session(by, session_id, university)
    lock_session(session)
    live = list(Generation.objects.live().filter(session=session).select_related("message"))
    for generation in live:
        outcome = end_by_its_row(generation, state="stopped", stop_reason="deleted")
        end_generation(Generation.objects.live().filter(pk=generation.pk), None, outcome)
    audit.record(by=by, action="chat_session.deleted", subject=session, university=session.university)
    session.delete()
    return [generation.pk for generation in live]
