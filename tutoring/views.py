"""Pages with the tutor: a lesson, my conversations, one conversation. Every form works without a script."""

from functools import partial
from itertools import groupby
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from lms.learning.access import Lesson, access_lesson
from lms.learning.actions.progress import note_place
from lms.learning.lesson_page import lesson_context
from tenants.access import access_university
from tenants.errors import DomainError
from tenants.requests import signed_in
from tutoring import queries
from tutoring.access import access_session
from tutoring.actions.generations import request_stop
from tutoring.actions.sending import Sent, send_message
from tutoring.actions.sessions import start_session
from tutoring.forms import AskForm, StopForm
from tutoring.models import ChatSession
from tutoring.panel import Refusal, conversation_panel, lesson_panel
from tutoring.runner import OWNER, runner

CONVERSATIONS_PER_PAGE = 50


@login_required
@require_safe
def lesson(request: HttpRequest, university: str, offering: int, item: int) -> HttpResponse:
    place = access_lesson(signed_in(request), university=university, offering=offering, item=item)
    if place.enrollment:
        note_place(place.enrollment, place.item)
    return _lesson_page(request, place)


def _lesson_page(
    request: HttpRequest, place: Lesson, refusal: DomainError | None = None, draft: str = ""
) -> HttpResponse:
    conversation = queries.latest_conversation(signed_in(request), place)
    panel = lesson_panel(
        conversation,
        university=place.university.slug,
        offering=place.offering.pk,
        item=place.item.pk,
        objectives=place.item.objectives,
        revision=place.item.revision,
        refusal=_shown_refusal(refusal, draft),
    )
    context = {**lesson_context(place, request.GET), "tutor": panel}
    return render(request, "tutoring/lesson.html", context, status=refusal.status if refusal else 200)


@login_required
@require_POST
def new_session(request: HttpRequest, university: str, offering: int, item: int) -> HttpResponse:
    """Begin a conversation: the page's script asks for JSON, a form comes back to the lesson."""
    user = signed_in(request)
    place = access_lesson(user, university=university, offering=offering, item=item)
    session = start_session(by=user, lesson=place)
    if request.accepts("text/html"):
        return redirect(reverse("tutoring:lesson", args=[university, offering, item]) + "#tutor")
    return JsonResponse({"session": str(session.pk), "socket": f"/ws/tutor/{session.pk}/"}, status=201)


@login_required
@require_POST
async def ask(request: HttpRequest, university: str, offering: int, item: int) -> HttpResponse:
    """The form of a lesson without a script: comes back with the finished reply."""
    lesson_url = reverse("tutoring:lesson", args=[university, offering, item])
    try:
        sent = await runner.send(partial(_ask_in_lesson, request, university, offering, item))
    except DomainError as error:
        if error.status == 404:
            raise
        return await sync_to_async(_refused_lesson)(request, university, offering, item, error)
    return await _answered(sent, lesson_url)


@login_required
@require_POST
async def conversation_ask(request: HttpRequest, university: str, session: UUID) -> HttpResponse:
    page_url = reverse("tutoring:conversation", args=[university, session])
    try:
        sent = await runner.send(partial(_ask_in_conversation, request, university, session))
    except DomainError as error:
        if error.status == 404:
            raise
        return await sync_to_async(_conversation_page)(request, university, session, error)
    return await _answered(sent, page_url)


@login_required
@require_POST
async def stop(request: HttpRequest, university: str, session: UUID) -> HttpResponse:
    generation = await database_sync_to_async(_request_stop)(request, university, session)
    runner.stop(generation)
    await runner.wait_ended(generation)
    return redirect("tutoring:conversation", university, session)


@login_required
@require_safe
def conversations(request: HttpRequest, university: str) -> HttpResponse:
    user = signed_in(request)
    place = access_university(user, university)
    query = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    page = Paginator(queries.conversations(user, place, query), CONVERSATIONS_PER_PAGE).get_page(
        request.GET.get("page")
    )
    by_course = sorted(page.object_list, key=lambda session: session.offering.course.title)
    groups = [
        {"course": course, "conversations": [_conversation_row(university, session) for session in sessions]}
        for course, sessions in groupby(by_course, key=lambda session: session.offering.course.title)
    ]
    context = {"university": place, "query": query, "groups": groups, "page": page}
    return render(request, "tutoring/conversations.html", context)


@login_required
@require_safe
def conversation(request: HttpRequest, university: str, session: UUID) -> HttpResponse:
    return _conversation_page(request, university, session)


def _conversation_page(
    request: HttpRequest, university: str, session_id: UUID, refusal: DomainError | None = None
) -> HttpResponse:
    session = access_session(signed_in(request), session_id, university)
    place, item = session.university, session.content_item
    lesson_place = [place.slug, session.offering_id, item.pk]
    panel = conversation_panel(
        queries.conversation(session),
        university=place.slug,
        new_url=reverse("tutoring:new_session", args=lesson_place),
        revision=item.revision,
        refusal=_shown_refusal(refusal, request.POST.get("text", "")),
    )
    about = {
        "title": session.title or item.title,
        "lesson": item.title,
        "lesson_url": reverse("tutoring:lesson", args=lesson_place),
        "course": session.offering.course.title,
        "created_at": session.created_at,
    }
    context = {"university": place, "conversation": about, "tutor": panel}
    return render(request, "tutoring/conversation.html", context, status=refusal.status if refusal else 200)


def _conversation_row(university: str, session: ChatSession) -> dict[str, Any]:
    return {
        "title": session.title,
        "url": reverse("tutoring:conversation", args=[university, session.pk]),
        "lesson": session.content_item.title,
        "updated_at": session.updated_at,
        "message_count": getattr(session, "message_count", 0),
    }


def _ask_in_lesson(request: HttpRequest, university: str, offering: int, item: int) -> Sent:
    """In the newest conversation of the lesson, or a first one."""
    user = signed_in(request)
    place = access_lesson(user, university=university, offering=offering, item=item)
    form = AskForm.read(request.POST)
    session = queries.latest_conversation(user, place).session or start_session(by=user, lesson=place)
    return send_message(by=user, session_id=session.pk, key=form.key, text=form.text, owner=OWNER)


def _ask_in_conversation(request: HttpRequest, university: str, session_id: UUID) -> Sent:
    user = signed_in(request)
    session = access_session(user, session_id, university)
    form = AskForm.read(request.POST)
    return send_message(by=user, session_id=session.pk, key=form.key, text=form.text, owner=OWNER)


def _refused_lesson(
    request: HttpRequest, university: str, offering: int, item: int, error: DomainError
) -> HttpResponse:
    place = access_lesson(signed_in(request), university=university, offering=offering, item=item)
    return _lesson_page(request, place, error, request.POST.get("text", ""))


def _request_stop(request: HttpRequest, university: str, session_id: UUID) -> UUID:
    user = signed_in(request)
    session = access_session(user, session_id, university)
    form = StopForm.read(request.POST)
    return request_stop(by=user, generation_id=form.generation, session_id=session.pk).pk


async def _answered(sent: Sent, page_url: str) -> HttpResponse:
    await runner.wait_ended(sent.generation)
    return redirect(f"{page_url}#m-{sent.reply}")


def _shown_refusal(error: DomainError | None, draft: str) -> Refusal:
    return Refusal(error=error.detail, draft=draft) if error else Refusal()
