"""What sharing pages and endpoints read: what would be shown to others, and by which links it is."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Subquery

from tenants.errors import NotVisible
from tutoring.branches import path_to
from tutoring.models import END_STATES, ChatSession, Message, Share, ShareQuerySet, TutorPolicy


@dataclass(frozen=True)
class Draft:
    """What a share made now would show, and the message that this ends with; None where there is nothing yet."""

    title: str
    snapshot: dict[str, Any]
    last: UUID | None


@dataclass(frozen=True)
class Sharing:
    """Whether the university lets the conversation be shared, and how many links to it live."""

    is_off: bool
    live_count: int


def draft_share(session: ChatSession, branch: UUID | None = None) -> Draft:
    """The conversation down to the message `branch`, or to its newest one; one query.

    Raises `NotVisible` for a message that is not of this conversation.
    """
    messages = list(Message.objects.filter(session=session).order_by("seq"))
    newest = messages[-1].pk if messages else None
    path = path_to(messages, branch or newest)
    if branch and not path:
        raise NotVisible
    shown = [message for message in path if _is_shareable(message)]
    lesson = session.content_context
    return Draft(
        title=session.title or lesson["title"],
        snapshot={"lesson": lesson["title"], "course": lesson["course_title"], "messages": list(_spoken(shown))},
        last=shown[-1].pk if shown else None,
    )


def tutor_policy(session: ChatSession) -> TutorPolicy:
    return TutorPolicy.objects.of(session.university_id)


def live_shares(session: ChatSession) -> ShareQuerySet:
    """Newest first."""
    return Share.objects.filter(session=session).live().order_by("-created_at", "pk")


def sharing_of(session: ChatSession) -> Sharing:
    """One query, for pages that lead to the sharing page."""
    policies = TutorPolicy.objects.filter(university=session.university_id)
    live = Share.objects.filter(session=session).live().order_by().values("session")
    found = ChatSession.objects.filter(pk=session.pk).values(
        count=Subquery(live.annotate(count=Count("pk")).values("count")), sharing=Subquery(policies.values("sharing"))
    )
    row = found.get()
    return Sharing(is_off=row["sharing"] == TutorPolicy.Sharing.OFF, live_count=row["count"] or 0)


def _is_shareable(message: Message) -> bool:
    """Words alone: nothing of a reply that is still being made or that never came to any."""
    return message.state in END_STATES and bool(message.body.strip())


def _spoken(messages: Iterable[Message]) -> Iterable[dict[str, str]]:
    return ({"role": message.role, "body": message.body, "state": message.state} for message in messages)
