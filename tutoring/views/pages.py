"""The two pages that show a conversation, drawn as well where a form on them was refused."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from lms.learning.access import Lesson, access_lesson
from lms.learning.errors import NotOpen
from lms.learning.lesson_page import lesson_context
from tenants.errors import DomainError, NotVisible
from tenants.models import University
from tutoring import queries
from tutoring.models import ChatSession
from tutoring.panel import Look, Panel, Refusal, conversation_panel, lesson_panel
from tutoring.provider import is_practice
from tutoring.queries import Conversation, Meter


def lesson_page(
    request: HttpRequest, place: Lesson, refusal: DomainError | None = None, conversation: Conversation | None = None
) -> HttpResponse:
    """With the student's newest conversation about it, unless another one is given."""
    conversation = conversation or queries.latest_conversation(place.user, place)
    panel = lesson_panel(
        conversation,
        university=place.university.slug,
        offering=place.offering.pk,
        item=place.item.pk,
        objectives=place.item.objectives,
        revision=place.item.revision,
        refusal=Refusal.of(refusal, request.POST.get("text", "")),
        look=look_of(request),
        meter=_meter(place.university, place.user.pk, place.course.pk),
    )
    context = {**lesson_context(place, request.GET), "tutor": panel}
    return _answer(request, "tutoring/lesson.html", context, refusal)


def conversation_page(request: HttpRequest, session: ChatSession, refusal: DomainError | None = None) -> HttpResponse:
    """`session` as `access_session` gives it."""
    place, item = session.university, session.content_item
    panel = conversation_panel(
        queries.conversation(session),
        university=place.slug,
        new_url=reverse("tutoring:new_session", args=_lesson_args(session)),
        revision=item.revision,
        refusal=Refusal.of(refusal, request.POST.get("text", "")),
        look=look_of(request),
        meter=_meter(place, session.user_id, session.offering.course_id),
    )
    context = {
        "university": place,
        "conversation": _about(session, panel),
        "tutor": panel,
        "sharing": queries.sharing_of(session),
    }
    return _answer(request, "tutoring/conversation.html", context, refusal)


def page_of(request: HttpRequest, session: ChatSession, refusal: DomainError) -> HttpResponse:
    """The page that a form of this conversation was sent from, with why it was refused."""
    if _is_from_lesson(request):
        try:
            place = access_lesson(
                session.user,
                university=session.university.slug,
                offering=session.offering_id,
                item=session.content_item_id,
            )
        except (NotVisible, NotOpen):
            # What was said stays readable on its own page.
            return conversation_page(request, session, refusal)
        return lesson_page(request, place, refusal, queries.conversation(session))
    return conversation_page(request, session, refusal)


def page_url_of(request: HttpRequest, session: ChatSession) -> str:
    """The address of the page that a form of this conversation was sent from."""
    if _is_from_lesson(request):
        return reverse("tutoring:lesson", args=_lesson_args(session))
    return reverse("tutoring:conversation", args=[session.university.slug, session.pk])


def look_of(request: HttpRequest) -> Look:
    """From the page's address, or from the form that was refused; what is no id is as good as absent."""
    given = {**request.GET.dict(), **request.POST.dict()}
    edits = _id(given.get("edits") or given.get("edit"))
    shown = (_id(given.get(name)) for name in ("branch", "parent", "reply"))
    return Look(branch=next(filter(None, shown), None), edits=edits)


def _answer(request: HttpRequest, template: str, context: dict[str, Any], refusal: DomainError | None) -> HttpResponse:
    response = render(request, template, context, status=refusal.status if refusal else 200)
    if refusal and refusal.retry_after_s is not None:
        response["Retry-After"] = str(refusal.retry_after_s)
    return response


def _about(session: ChatSession, panel: Panel) -> dict[str, Any]:
    item, address = session.content_item, [session.university.slug, session.pk]
    return {
        "title": session.title or item.title,
        "lesson": item.title,
        "lesson_url": reverse("tutoring:lesson", args=_lesson_args(session)),
        "course": session.offering.course.title,
        "created_at": session.created_at,
        # What is shared and exported is the branch that is looked at.
        "last": panel.messages[-1]["id"] if panel.messages else "",
        "rename_url": reverse("tutoring:rename", args=address),
        "delete_url": reverse("tutoring:delete", args=address),
        "markdown_url": reverse("tutoring:export_markdown", args=address),
        "json_url": reverse("tutoring:export_json", args=address),
    }


def _lesson_args(session: ChatSession) -> list[Any]:
    return [session.university.slug, session.offering_id, session.content_item_id]


def _is_from_lesson(request: HttpRequest) -> bool:
    return request.GET.get("page") == "lesson"


def _id(text: object) -> UUID | None:
    try:
        return UUID(str(text)) if text else None
    except ValueError:
        return None


def _meter(university: University, user_id: int, course_id: int) -> Meter | None:
    """The practice tutor of a site without a key costs nothing and is not limited."""
    return None if is_practice() else queries.meter(university, user_id=user_id, course_id=course_id)
