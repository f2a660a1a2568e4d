"""What `templates/tutoring/_panel.html` shows of a conversation. No queries."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from django.conf import settings
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from lms.courses.markdown import render_reply
from tenants.errors import DomainError
from tutoring.models import END_STATES, Message
from tutoring.provider import is_practice
from tutoring.queries import Conversation


@dataclass(frozen=True)
class Refusal:
    """A form that was not taken: the sentence for the student, and their words, which are never lost."""

    error: str = ""
    draft: str = ""

    @classmethod
    def of(cls, error: DomainError | None, draft: str) -> Self:
        return cls(error=error.detail, draft=draft) if error else cls()


@dataclass
class Panel:
    """The template's `tutor`. The keys make a form that is sent twice one message."""

    session: str = ""
    session_url: str = ""
    ask_url: str = ""
    stop_url: str = ""
    new_url: str = ""
    page_url: str = ""
    history_url: str = ""
    is_practice: bool = field(default_factory=is_practice)
    is_stale: bool = False
    error: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)
    suggestions: list[dict[str, str]] = field(default_factory=list)
    running: str = ""
    key: str = field(default_factory=lambda: new_key())
    retry_key: str = field(default_factory=lambda: new_key())
    draft: str = ""
    max_length: int = field(default_factory=lambda: settings.TUTOR_MAX_QUESTION_CHARACTERS)


def new_key() -> str:
    return str(uuid.uuid4())


def lesson_panel(
    conversation: Conversation,
    *,
    university: str,
    offering: int,
    item: int,
    objectives: Sequence[str],
    revision: int,
    refusal: Refusal,
) -> Panel:
    """`revision` is the item's now: a conversation about an older one says so."""
    place = [university, offering, item]
    session = conversation.session
    return Panel(
        **_common(conversation, refusal, university),
        session_url=reverse("tutoring:new_session", args=place),
        ask_url=reverse("tutoring:ask", args=place),
        new_url=reverse("tutoring:new_session", args=place),
        page_url=reverse("tutoring:conversation", args=[university, session.pk]) if session else "",
        is_stale=session is not None and session.content_context["revision"] != revision,
        suggestions=[{"text": text, "key": new_key()} for text in suggested_questions(objectives)],
    )


def conversation_panel(
    conversation: Conversation, *, university: str, new_url: str, revision: int, refusal: Refusal
) -> Panel:
    session = conversation.session
    assert session is not None
    return Panel(
        **_common(conversation, refusal, university),
        ask_url=reverse("tutoring:conversation_ask", args=[university, session.pk]),
        new_url=new_url,
        is_stale=session.content_context["revision"] != revision,
    )


def suggested_questions(objectives: Sequence[str]) -> list[str]:
    """Three things to ask; objectives are sentences that begin with a verb."""
    from_objectives = [
        _("Help me to %(objective)s.") % {"objective": text[:1].lower() + text[1:].rstrip(".")}
        for text in objectives[:2]
    ]
    general = [
        _("What is the main idea of this lesson?"),
        _("Ask me a question that shows whether I have understood."),
    ]
    return [*from_objectives, *(general if len(from_objectives) < 2 else general[1:])]


def _common(conversation: Conversation, refusal: Refusal, university: str) -> dict[str, Any]:
    session, running = conversation.session, conversation.running
    return {
        "session": str(session.pk) if session else "",
        "stop_url": reverse("tutoring:stop", args=[university, session.pk]) if session else "",
        "history_url": reverse("tutoring:conversations", args=[university]),
        "error": refusal.error,
        "draft": refusal.draft,
        "messages": _shown(conversation.messages),
        "running": str(running.generation.pk) if running else "",
    }


def _shown(messages: Sequence[Message]) -> list[dict[str, Any]]:
    words = {message.pk: message.body for message in messages if message.role == Message.Role.USER}
    return [
        _question(message)
        if message.role == Message.Role.USER
        else _reply(message, words.get(message.parent_id or message.pk, ""))
        for message in messages
    ]


def _question(message: Message) -> dict[str, Any]:
    return {
        "role": message.role,
        "id": message.pk,
        "state": message.state,
        "text": message.body,
        "length": len(message.body),
        "created_at": message.created_at,
    }


def _reply(message: Message, question: str) -> dict[str, Any]:
    """A reply that is being made is shown as plain text: the script asks for its finished blocks itself."""
    is_running = message.state not in END_STATES
    return {
        "role": message.role,
        "id": message.pk,
        "state": message.state,
        "text": message.body if is_running else "",
        # Safe: `render_reply` sanitises last.
        "html": "" if is_running else mark_safe(render_reply(message.body)),
        "error_code": message.error_code,
        "length": len(message.body),
        "generation": message.generation.pk,
        "question": question,
        "created_at": message.created_at,
    }
