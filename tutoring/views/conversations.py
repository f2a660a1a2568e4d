"""My conversations, and one of them on a page of its own. Every form works without a script."""

from functools import partial
from itertools import groupby
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from tenants.access import access_university
from tenants.errors import DomainError
from tenants.requests import signed_in
from tutoring import queries
from tutoring.access import access_session
from tutoring.actions.generations import request_stop
from tutoring.actions.sending import Sent, send_message
from tutoring.forms import AskForm, StopForm
from tutoring.models import ChatSession
from tutoring.panel import Refusal, conversation_panel
from tutoring.runner import OWNER, runner
from tutoring.views.replies import answered

CONVERSATIONS_PER_PAGE = 50


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
    return await answered(sent, page_url)


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
        refusal=Refusal.of(refusal, request.POST.get("text", "")),
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


def _ask_in_conversation(request: HttpRequest, university: str, session_id: UUID) -> Sent:
    user = signed_in(request)
    session = access_session(user, session_id, university)
    form = AskForm.read(request.POST)
    return send_message(by=user, session_id=session.pk, key=form.key, text=form.text, owner=OWNER)


def _request_stop(request: HttpRequest, university: str, session_id: UUID) -> UUID:
    user = signed_in(request)
    session = access_session(user, session_id, university)
    form = StopForm.read(request.POST)
    return request_stop(by=user, generation_id=form.generation, session_id=session.pk).pk
