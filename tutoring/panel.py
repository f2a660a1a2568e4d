"""What `templates/tutoring/_panel.html` shows of a conversation. No queries."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from tenants.errors import DomainError
from tutoring.models import ChatSession, Message
from tutoring.panel_messages import Here, new_key, shown_messages
from tutoring.provider import is_practice
from tutoring.queries import Conversation, Meter


@dataclass(frozen=True)
class Look:
    """The branch that is looked at, by one of its messages, and the question that is being asked in another way."""

    branch: UUID | None = None
    edits: UUID | None = None


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
    """The template's `tutor`. The keys make a form that is sent twice one message.

    `here_url` is the page that the panel stands on. `running` is the generation that is being made, and `running_url`
    the way to it where it belongs to another branch than the one shown. `parent` is the last reply shown, which the
    next question follows; `edits` the question beside which it will stand instead.
    """

    here_url: str
    session: str = ""
    session_url: str = ""
    ask_url: str = ""
    stop_url: str = ""
    regenerate_url: str = ""
    feedback_url: str = ""
    new_url: str = ""
    page_url: str = ""
    history_url: str = ""
    is_practice: bool = field(default_factory=is_practice)
    is_stale: bool = False
    error: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)
    suggestions: list[dict[str, str]] = field(default_factory=list)
    running: str = ""
    running_url: str = ""
    parent: str = ""
    edits: UUID | None = None
    cancel_url: str = ""
    allowance: dict[str, Any] | None = None
    key: str = field(default_factory=new_key)
    continue_key: str = field(default_factory=new_key)
    draft: str = ""
    max_length: int = field(default_factory=lambda: settings.TUTOR_MAX_QUESTION_CHARACTERS)


def lesson_panel(
    conversation: Conversation,
    *,
    university: str,
    offering: int,
    item: int,
    objectives: Sequence[str],
    revision: int,
    refusal: Refusal,
    look: Look = Look(),
    meter: Meter | None = None,
) -> Panel:
    """`revision` is the item's now: a conversation about an older one says so."""
    place = [university, offering, item]
    session = conversation.session
    here = Here(reverse("tutoring:lesson", args=place))
    common = _common(conversation, look, refusal, university, here)
    if session:
        # The forms of a conversation come back to where they were sent from.
        common |= {name: f"{url}?page=lesson" for name, url in _form_urls(session, university).items()}
    else:
        common["ask_url"] = reverse("tutoring:ask", args=place)
    return Panel(
        **common,
        session_url=reverse("tutoring:new_session", args=place),
        new_url=reverse("tutoring:new_session", args=place),
        page_url=_whole_page(session, university, look) if session else "",
        is_stale=session is not None and session.content_context["revision"] != revision,
        suggestions=[{"text": text, "key": new_key()} for text in suggested_questions(objectives)],
        allowance=_allowance(meter),
    )


def conversation_panel(
    conversation: Conversation,
    *,
    university: str,
    new_url: str,
    revision: int,
    refusal: Refusal,
    look: Look = Look(),
    meter: Meter | None = None,
) -> Panel:
    session = conversation.session
    assert session is not None  # noqa: S101 # for mypy: who calls has one
    here = Here(reverse("tutoring:conversation", args=[university, session.pk]))
    return Panel(
        **_common(conversation, look, refusal, university, here),
        **_form_urls(session, university),
        new_url=new_url,
        is_stale=session.content_context["revision"] != revision,
        allowance=_allowance(meter),
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


def _common(conversation: Conversation, look: Look, refusal: Refusal, university: str, here: Here) -> dict[str, Any]:
    session, running = conversation.session, conversation.running
    branch = conversation.branch(look.edits or look.branch)
    edited = next((each for each in branch if each.pk == look.edits and each.role == Message.Role.USER), None)
    replies = [each for each in branch if each.role == Message.Role.ASSISTANT]
    return {
        "here_url": here.url,
        "session": str(session.pk) if session else "",
        "history_url": reverse("tutoring:conversations", args=[university]),
        "error": refusal.error,
        "draft": refusal.draft or (edited.body if edited else ""),
        "messages": shown_messages(conversation, branch, here),
        "running": str(running.generation.pk) if running else "",
        "running_url": here.branch_url(running.pk) if running and running not in branch else "",
        "parent": str(replies[-1].pk) if replies else "",
        "edits": edited.pk if edited else None,
        "cancel_url": here.branch_url(edited.pk) if edited else "",
    }


def _whole_page(session: ChatSession, university: str, look: Look) -> str:
    """The same branch on the conversation's own page."""
    url = reverse("tutoring:conversation", args=[university, session.pk])
    return f"{url}?branch={look.branch}" if look.branch else url


def _form_urls(session: ChatSession, university: str) -> dict[str, Any]:
    names = {"ask_url": "conversation_ask", "stop_url": "stop", "regenerate_url": "regenerate", "feedback_url": "rate"}
    return {key: reverse(f"tutoring:{name}", args=[university, session.pk]) for key, name in names.items()}


def _allowance(meter: Meter | None) -> dict[str, Any] | None:
    """None while there is nothing to tell; `renews` in the university's time zone, as its day or month ends there."""
    if meter is None or not meter.step:
        return None
    is_day = meter.scope == "user"
    is_used_up = meter.step in ("practice", "stop")
    return {
        "words": f"{meter.scope}_used_up" if is_used_up else meter.scope,
        "step": meter.step,
        "percent": meter.used_percent,
        "renews": meter.renews_at.strftime("%H:%M") if is_day else date_format(meter.renews_at.date(), "j F"),
        "renews_at": meter.renews_at,
    }
