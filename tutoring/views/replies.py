"""Asking, asking again, stopping and rating without a script: the page comes back when the reply has ended."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from lms.learning.access import access_lesson
from tenants.errors import DomainError
from tenants.requests import client_address, signed_in
from tutoring import queries
from tutoring.access import access_session
from tutoring.actions import sending
from tutoring.actions.feedback import rate_reply
from tutoring.actions.generations import request_stop
from tutoring.actions.sending import Sent
from tutoring.actions.sessions import start_session
from tutoring.forms import AskForm, RateForm, RegenerateForm, StopForm
from tutoring.models import ChatSession, Generation
from tutoring.runner import OWNER, runner
from tutoring.views.pages import lesson_page, page_of, page_url_of


@login_required
@require_POST
async def ask(request: HttpRequest, university: str, offering: int, item: int) -> HttpResponse:
    """In the newest conversation of the lesson, or a first one."""
    place_url = reverse("tutoring:lesson", args=[university, offering, item])
    try:
        sent = await runner.send(partial(_ask_in_lesson, request, university, offering, item))
    except DomainError as error:
        if error.status == 404:
            raise
        return await sync_to_async(_refused_in_lesson)(request, university, offering, item, error)
    return await _answered(sent, place_url)


@login_required
@require_POST
async def conversation_ask(request: HttpRequest, university: str, session: UUID) -> HttpResponse:
    return await _send(_ask, request, university, session)


@login_required
@require_POST
async def regenerate(request: HttpRequest, university: str, session: UUID) -> HttpResponse:
    """Another reply beside one that there is."""
    return await _send(_regenerate, request, university, session)


@login_required
@require_POST
async def stop(request: HttpRequest, university: str, session: UUID) -> HttpResponse:
    generation, page_url = await database_sync_to_async(_request_stop)(request, university, session)
    runner.stop(generation.pk)
    await runner.wait_ended(generation.pk, generation.university_id)
    return redirect(page_url)


@login_required
@require_POST
def rate(request: HttpRequest, university: str, session: UUID) -> HttpResponse:
    """A thumb, with or without words: the page's script asks for JSON, a form comes back to the reply."""
    user = signed_in(request)
    mine = access_session(user, session, university)
    wants_page = request.accepts("text/html")
    try:
        form = RateForm.read(request.POST)
        kept = rate_reply(by=user, message_id=form.reply, thumb=form.thumb, comment=form.comment)
    except DomainError as error:
        if error.status == 404:
            raise
        if wants_page:
            return page_of(request, mine, error)
        return JsonResponse({"detail": error.detail, "code": error.code}, status=error.status)
    if wants_page:
        return redirect(f"{page_url_of(request, mine)}?branch={form.reply}#m-{form.reply}")
    return JsonResponse({"thumb": kept.thumb if kept else "", "comment": kept.comment if kept else ""})


async def _send(
    store: Callable[[HttpRequest, str, UUID], Sent], request: HttpRequest, university: str, session: UUID
) -> HttpResponse:
    try:
        sent = await runner.send(partial(store, request, university, session))
    except DomainError as error:
        if error.status == 404:
            raise
        return await sync_to_async(_refused)(request, university, session, error)
    return await _answered(sent, await sync_to_async(_page_url)(request, university, session))


async def _answered(sent: Sent, page_url: str) -> HttpResponse:
    """Back to the page, at the reply, when it has ended."""
    await runner.wait_ended(sent.generation, sent.university)
    return redirect(f"{page_url}#m-{sent.reply}")


def _ask_in_lesson(request: HttpRequest, university: str, offering: int, item: int) -> Sent:
    user = signed_in(request)
    place = access_lesson(user, university=university, offering=offering, item=item)
    form = AskForm.read(request.POST)
    session = queries.latest_conversation(user, place).session or start_session(by=user, lesson=place)
    return _send_words(request, session, form)


def _ask(request: HttpRequest, university: str, session_id: UUID) -> Sent:
    session = access_session(signed_in(request), session_id, university)
    return _send_words(request, session, AskForm.read(request.POST))


def _send_words(request: HttpRequest, session: ChatSession, form: AskForm) -> Sent:
    return sending.send_message(
        by=signed_in(request),
        session_id=session.pk,
        key=form.key,
        text=form.text,
        parent_id=form.parent,
        edits_id=form.edits,
        owner=OWNER,
        address=client_address(request),
    )


def _regenerate(request: HttpRequest, university: str, session_id: UUID) -> Sent:
    user = signed_in(request)
    session = access_session(user, session_id, university)
    form = RegenerateForm.read(request.POST)
    return sending.regenerate(
        by=user,
        session_id=session.pk,
        key=form.key,
        reply_id=form.reply,
        owner=OWNER,
        address=client_address(request),
    )


def _request_stop(request: HttpRequest, university: str, session_id: UUID) -> tuple[Generation, str]:
    """The generation, and the page to come back to."""
    user = signed_in(request)
    session = access_session(user, session_id, university)
    form = StopForm.read(request.POST)
    generation = request_stop(by=user, generation_id=form.generation, session_id=session.pk)
    return generation, page_url_of(request, session)


def _refused(request: HttpRequest, university: str, session_id: UUID, error: DomainError) -> HttpResponse:
    return page_of(request, access_session(signed_in(request), session_id, university), error)


def _refused_in_lesson(
    request: HttpRequest, university: str, offering: int, item: int, error: DomainError
) -> HttpResponse:
    place = access_lesson(signed_in(request), university=university, offering=offering, item=item)
    return lesson_page(request, place, error)


def _page_url(request: HttpRequest, university: str, session_id: UUID) -> str:
    return page_url_of(request, access_session(signed_in(request), session_id, university))
