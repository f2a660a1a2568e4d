"""What `templates/tutoring/_message.html` shows of each message of a branch. No queries."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.safestring import mark_safe

from lms.courses.markdown import render_reply
from tutoring.models import END_STATES, Generation, Message
from tutoring.queries import Conversation

# The steps of a university's policy that change who answers, and so are told beside the reply.
_TOLD_STEPS = frozenset({Generation.BudgetStep.CHEAPER, Generation.BudgetStep.PRACTICE})


@dataclass(frozen=True)
class Here:
    """The page that shows a conversation, as the links of its messages name it."""

    url: str

    def branch_url(self, message: UUID) -> str:
        return f"{self.url}?branch={message}#m-{message}"

    def edit_url(self, message: UUID) -> str:
        return f"{self.url}?edit={message}#composer-words"


def new_key() -> str:
    return str(uuid.uuid4())


def shown_messages(conversation: Conversation, branch: Sequence[Message], here: Here) -> list[dict[str, Any]]:
    """Oldest first. The keys make a form that is sent twice one reply."""
    return [
        _question(message, conversation, here)
        if message.role == Message.Role.USER
        else _reply(message, conversation, here)
        for message in branch
    ]


def _question(message: Message, conversation: Conversation, here: Here) -> dict[str, Any]:
    return {
        "role": message.role,
        "id": message.pk,
        "state": message.state,
        "text": message.body,
        "length": len(message.body),
        "versions": _versions(message, conversation, here),
        "edit_url": here.edit_url(message.pk),
        "created_at": message.created_at,
    }


def _reply(message: Message, conversation: Conversation, here: Here) -> dict[str, Any]:
    """A reply that is being made is shown as plain text: the script asks for its finished blocks itself."""
    is_running = message.state not in END_STATES
    generation, feedback = message.generation, getattr(message, "feedback", None)
    return {
        "role": message.role,
        "id": message.pk,
        "state": message.state,
        "text": message.body if is_running else "",
        "html": "" if is_running else mark_safe(render_reply(message.body)),  # noqa: S308 # `render_reply` sanitises last
        "error_code": message.error_code,
        "length": len(message.body),
        "generation": generation.pk,
        "step": generation.budget_step if generation.budget_step in _TOLD_STEPS else "",
        "versions": _versions(message, conversation, here),
        "thumb": feedback.thumb if feedback else "",
        "comment": feedback.comment if feedback else "",
        "key": new_key(),
        "created_at": message.created_at,
    }


def _versions(message: Message, conversation: Conversation, here: Here) -> dict[str, Any] | None:
    """Which of its siblings it is, one-based, and the way to those beside it; None where it is the only one."""
    ids = conversation.siblings[message.pk]
    if len(ids) == 1:
        return None
    at = ids.index(message.pk)
    return {
        "number": at + 1,
        "total": len(ids),
        "earlier_url": here.branch_url(ids[at - 1]) if at > 0 else "",
        "later_url": here.branch_url(ids[at + 1]) if at + 1 < len(ids) else "",
    }
