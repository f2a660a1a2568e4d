"""A conversation as a file of one's own: one branch as Markdown, or all of it as JSON. No queries."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils.text import slugify
from django.utils.translation import gettext as _

from tutoring.models import ChatSession, Feedback, Message
from tutoring.queries import Conversation

Format = Literal["markdown", "json"]


def download(
    session: ChatSession, conversation: Conversation, form: Format, branch: UUID | None = None
) -> HttpResponse:
    """A file to be kept, which no browser takes for a page and no cache for its own."""
    if form == "json":
        text, kind, name = as_json(session, conversation), "application/json", file_name(session, "json")
    else:
        text, kind, name = as_markdown(session, conversation, branch), "text/markdown", file_name(session, "md")
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    return HttpResponse(text, content_type=f"{kind}; charset=utf-8", headers=headers)


def file_name(session: ChatSession, ending: str) -> str:
    """Made of the title's ASCII letters and digits, so that it is safe in a header and on any disk."""
    return f"{slugify(session.title)[:60].strip('-') or 'conversation'}.{ending}"


def as_markdown(session: ChatSession, conversation: Conversation, branch: UUID | None = None) -> str:
    """The branch through the message `branch`, or that of the newest message."""
    return "\n\n".join(_markdown_blocks(session, conversation.branch(branch))) + "\n"


def as_json(session: ChatSession, conversation: Conversation) -> str:
    """The messages of all branches, oldest first; `parent` is the message that each one answers."""
    document = {
        **_about(session),
        "created_at": session.created_at.isoformat(),
        "updated_at": session.updated_at.isoformat(),
        "messages": [_message(message) for message in conversation.messages],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _about(session: ChatSession) -> dict[str, str]:
    """By the names that the lesson had when the conversation began."""
    lesson = session.content_context
    return {
        "title": session.title or lesson["title"],
        "university": session.university.name,
        "course": lesson["course_title"],
        "lesson": lesson["title"],
    }


def _message(message: Message) -> dict[str, Any]:
    feedback: Feedback | None = getattr(message, "feedback", None)
    return {
        "id": str(message.pk),
        "parent": str(message.parent_id) if message.parent_id else None,
        "role": message.role,
        "state": message.state,
        "error_code": message.error_code,
        "body": message.body,
        "created_at": message.created_at.isoformat(),
        "finished_at": message.finished_at.isoformat() if message.finished_at else None,
        "feedback": {"thumb": feedback.thumb, "comment": feedback.comment} if feedback else None,
    }


def _markdown_blocks(session: ChatSession, branch: list[Message]) -> Iterator[str]:
    about = _about(session)
    yield f"# {about['title']}"
    yield "\n".join(
        [
            f"- {_('Lesson')}: {about['lesson']}",
            f"- {_('Course')}: {about['course']}",
            f"- {_('University')}: {about['university']}",
            f"- {_('Begun')}: {_moment(session.created_at)}",
        ]
    )
    for message in branch:
        who = _("You") if message.role == Message.Role.USER else _("Tutor")
        yield f"## {who}, {_moment(message.created_at)}"
        if message.body.strip():
            yield message.body.strip()
        if note := _note(message):
            yield f"*{note}*"


def _note(message: Message) -> str:
    """What is to be known of a reply that is not whole."""
    if message.state == Message.State.STOPPED:
        return _("This reply was stopped here.")
    if message.state == Message.State.FAILED:
        return _("This reply broke off here (%(code)s).") % {"code": message.error_code}
    if message.state in (Message.State.PENDING, Message.State.STREAMING):
        return _("This reply was still being written.")
    return ""


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
