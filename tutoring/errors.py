"""Why the tutor does not answer."""

from datetime import datetime
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from tenants.errors import Conflict, DomainError, InvalidInput


class GenerationRunning(Conflict):
    """One reply at a time in a conversation; `generation` is the one to follow instead."""

    code = "generation_running"
    message = "The tutor is still answering in this conversation."

    def __init__(self, generation: UUID) -> None:
        super().__init__()
        self.context = {"generation": str(generation)}


class BudgetUsedUp(DomainError):
    """`scope` is whose allowance it is, user, course or university; `renews_at` in the university's time zone."""

    code = "budget"
    status = 429

    def __init__(self, scope: str, renews_at: datetime) -> None:
        whose = {
            "user": _("Your allowance for the tutor is used up for today."),
            "course": _("This course's allowance for the tutor is used up for this month."),
            "university": _("Your university's allowance for the tutor is used up for this month."),
        }
        when = _("It renews on %(date)s (%(zone)s).") % {
            "date": renews_at.strftime("%Y-%m-%d %H:%M"),
            "zone": str(renews_at.tzinfo),
        }
        super().__init__(f"{whose[scope]} {when}")
        period = "day" if scope == "user" else "month"
        self.context = {"limit": f"{scope}_{period}", "renews_at": renews_at.isoformat()}
        self.retry_after_s = max(1, round((renews_at - timezone.now()).total_seconds()))


class Draining(DomainError):
    """This process is going away. Nothing was stored: the same send is taken by the next one."""

    code = "restarting"
    status = 503
    message = "The site is being restarted. Please send your question again in a moment."
    retry_after_s = 5


class LessonClosed(DomainError):
    """The student has left the course, or the lesson was taken back. What was said stays readable."""

    code = "lesson_closed"
    status = 403
    message = "This lesson is no longer open to you, so the tutor cannot answer. The conversation stays readable."


class KeyReused(DomainError):
    code = "idempotency_key_reused"
    status = 422
    message = "This idempotency key was used for another message. A new message needs a new key."


class BadQuestion(InvalidInput):
    code = "bad_question"


class BadFeedback(InvalidInput):
    code = "bad_feedback"


class BadFrame(InvalidInput):
    """What came over the socket is not a frame that it takes."""

    code = "bad_frame"


class BadOffset(InvalidInput):
    code = "bad_offset"
    message = "The position in the reply must be a whole number from 0 up."


class SharingOff(DomainError):
    code = "sharing_off"
    status = 403
    message = "Your university does not let conversations with the tutor be shared."


class NothingToShare(Conflict):
    code = "nothing_to_share"
    message = "Nothing was said yet that could be shared."


class BadShare(InvalidInput):
    code = "bad_share"
