"""What a student thinks of a reply."""

from functools import partial
from uuid import UUID

from django.db import transaction

from tenants.entering import enter_with
from tenants.errors import NotVisible
from tenants.models import User
from tutoring import tracing
from tutoring.errors import BadFeedback
from tutoring.models import END_STATES, Feedback, Message

MAX_COMMENT_CHARACTERS = 1000


@transaction.atomic
def rate_reply(*, by: User, message_id: UUID, thumb: str, comment: str = "") -> Feedback | None:
    """`thumb` is up, down, or empty to take it back; a later one replaces the earlier. None when it was taken back."""
    reply = _reply(by, message_id)
    comment = comment.replace("\x00", "").strip()
    if thumb not in ("", *Feedback.Thumb.values):
        raise BadFeedback("A thumb is “up” or “down”, or empty to take it back.")
    if len(comment) > MAX_COMMENT_CHARACTERS:
        raise BadFeedback(f"Your comment has {len(comment)} characters; at most {MAX_COMMENT_CHARACTERS} can be kept.")
    if not thumb:
        Feedback.objects.filter(message=reply).delete()
        return None
    feedback, _ = Feedback.objects.update_or_create(
        message=reply, defaults={"university_id": reply.university_id, "thumb": thumb, "comment": comment}
    )
    # A reply that was made while tracing was off has no trace to hang a score on.
    if reply.generation.trace_id:
        value = 1 if thumb == Feedback.Thumb.UP else -1
        score = partial(tracing.score_reply, generation_id=reply.generation.pk, value=value, comment=comment)
        transaction.on_commit(score)
    return feedback


def _reply(by: User, message_id: UUID) -> Message:
    """A finished reply of the student's own."""
    enter_with(Message, message_id)
    reply = (
        Message.objects.visible_to(by)
        .filter(pk=message_id, role=Message.Role.ASSISTANT, session__user__is_active=True)
        .select_related("generation")
        .first()
    )
    if reply is None:
        raise NotVisible
    if reply.state not in END_STATES:
        raise BadFeedback("The tutor is still writing this reply. Rate it when it has ended.")
    return reply
