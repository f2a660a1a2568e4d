"""What a student thinks of a reply."""

from uuid import UUID

from django.http import HttpRequest
from ninja import Router

from tenants.requests import signed_in
from tutoring.actions.feedback import rate_reply
from tutoring.models import Feedback
from tutoring.schemas import FeedbackIn, FeedbackOut

router = Router()


@router.put("/messages/{uuid:message_id}/feedback", response=FeedbackOut, summary="Rate a reply")
def put_feedback(request: HttpRequest, message_id: UUID, body: FeedbackIn) -> Feedback | dict[str, str]:
    """Replaces what was said before. 400 `bad_feedback` while the reply is being made."""
    by = signed_in(request)
    kept = rate_reply(by=by, message_id=message_id, thumb=body.thumb, comment=body.comment)
    return kept or {"thumb": "", "comment": ""}
