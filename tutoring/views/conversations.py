"""My conversations, one of them on a page of its own, and what becomes of it."""

from itertools import groupby
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tenants.access import access_university
from tenants.errors import InvalidInput
from tenants.requests import signed_in
from tutoring import queries
from tutoring.access import access_session
from tutoring.actions.renaming import rename_session
from tutoring.actions.sessions import delete_session
from tutoring.models import ChatSession
from tutoring.runner import runner
from tutoring.views.pages import conversation_page

CONVERSATIONS_PER_PAGE = 50


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
    return conversation_page(request, access_session(signed_in(request), session, university))


@login_required
@require_POST
def rename(request: HttpRequest, university: str, session: UUID) -> HttpResponse:
    user = signed_in(request)
    mine = access_session(user, session, university)
    try:
        rename_session(by=user, session_id=mine.pk, title=request.POST.get("title", ""))
    except InvalidInput as error:
        return conversation_page(request, mine, error)
    branch = request.POST.get("branch", "")
    query = f"?{urlencode({'branch': branch})}" if branch else ""
    return redirect(reverse("tutoring:conversation", args=[university, session]) + query)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
async def delete(request: HttpRequest, university: str, session: UUID) -> HttpResponse:
    """Says first what would go, and deletes it when that is confirmed."""
    if request.method != "POST":
        return await sync_to_async(_confirmation)(request, university, session)
    for generation in await database_sync_to_async(_delete)(request, university, session):
        runner.stop(generation)
    return redirect("tutoring:conversations", university)


def _confirmation(request: HttpRequest, university: str, session_id: UUID) -> HttpResponse:
    session = access_session(signed_in(request), session_id, university)
    context = {
        "university": session.university,
        "conversation": {
            "title": session.title or session.content_item.title,
            "url": reverse("tutoring:conversation", args=[university, session.pk]),
            "lesson": session.content_item.title,
            "course": session.offering.course.title,
            "created_at": session.created_at,
        },
        "message_count": queries.message_count(session),
        "share_count": queries.sharing_of(session).live_count,
    }
    return render(request, "tutoring/delete.html", context)


def _delete(request: HttpRequest, university: str, session_id: UUID) -> list[UUID]:
    live = delete_session(by=signed_in(request), session_id=session_id, university=university)
    messages.success(request, _("The conversation is deleted."))
    return live


def _conversation_row(university: str, session: ChatSession) -> dict[str, Any]:
    return {
        "title": session.title,
        "url": reverse("tutoring:conversation", args=[university, session.pk]),
        "delete_url": reverse("tutoring:delete", args=[university, session.pk]),
        "lesson": session.content_item.title,
        "updated_at": session.updated_at,
        "message_count": getattr(session, "message_count", 0),
    }
