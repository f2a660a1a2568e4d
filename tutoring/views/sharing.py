"""Sharing a conversation by link: the preview with its links, for its student, and the page that others read."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lms.courses.markdown import render_reply
from tenants.errors import DomainError, NotVisible
from tenants.middleware import error_page
from tenants.requests import signed_in
from tutoring import queries
from tutoring.access import access_session, access_shared
from tutoring.actions.sharing import publish_share, revoke_share, view_share
from tutoring.forms import ShareForm
from tutoring.models import ChatSession, Message, Share, TutorPolicy

# How often an open page asks whether it may still be read.
CHECK_EVERY_MS = 1000
_PRIVATE = {
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def share(request: HttpRequest, university: str, session: UUID) -> HttpResponse:
    """What would be shown, and the links there are. A new link stands in the answer to the form and nowhere else."""
    mine = access_session(signed_in(request), session, university)
    if request.method == "POST":
        return _publish(request, mine)
    return _preview(request, mine, branch=_message_id(request.GET.get("branch")))


@login_required
@require_POST
def revoke(request: HttpRequest, university: str, session: UUID, share: UUID) -> HttpResponse:
    user = signed_in(request)
    mine = access_session(user, session, university)
    revoke_share(by=user, share_id=share, session_id=mine.pk)
    # Back to the branch that was looked at: another one under the button that shares would be shared by mistake.
    branch = _message_id(request.POST.get("branch"))
    query = f"?branch={branch}" if branch else ""
    return redirect(reverse("tutoring:share", args=[university, session]) + query)


@require_safe
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """The same for everybody: who reads it is neither asked nor shown."""
    try:
        response = _shared_page(request, token)
    except NotVisible as absent:
        response = error_page(request, absent)
    for name, value in _PRIVATE.items():
        response[name] = value
    return response


def _shared_page(request: HttpRequest, token: str) -> HttpResponse:
    if request.method == "HEAD":
        # An open page that asks whether the link lives: no reader, and not worth the drawing.
        access_shared(token)
        return HttpResponse()
    share = view_share(token)
    context = {
        "university": share.university,
        "shared": _shown(share.title, share.snapshot, share.shown_name),
        "created_at": share.created_at,
        "expires_at": share.expires_at,
        "check_every_ms": CHECK_EVERY_MS,
    }
    # Without the request, whose context has the reader's name and their messages.
    return HttpResponse(render_to_string("tutoring/shared.html", context))


def _publish(request: HttpRequest, session: ChatSession) -> HttpResponse:
    branch = _message_id(request.POST.get("branch"))
    form = ShareForm(queries.tutor_policy(session), request.POST)
    if not form.is_valid():
        return _preview(request, session, branch=branch, form=form, status=400)
    try:
        new = publish_share(by=signed_in(request), session_id=session.pk, branch=branch, **form.cleaned_data)
    except DomainError as error:
        if error.status == 404:
            raise
        return _preview(request, session, branch=branch, form=form, error=error.detail, status=error.status)
    return _preview(request, session, branch=branch, new_url=new.url)


def _preview(
    request: HttpRequest,
    session: ChatSession,
    *,
    branch: UUID | None,
    form: ShareForm | None = None,
    new_url: str = "",
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    policy = queries.tutor_policy(session)
    draft = queries.draft_share(session, branch)
    form = form or ShareForm(policy)
    context = {
        "university": session.university,
        "conversation_url": reverse("tutoring:conversation", args=[session.university.slug, session.pk]),
        "shared": _shown(draft.title, draft.snapshot, form["shown_name"].value() or ""),
        "created_at": timezone.now(),
        "branch": draft.last or "",
        "is_off": policy.sharing == TutorPolicy.Sharing.OFF,
        "form": form,
        "error": error,
        "new_url": new_url,
        "links": [_link(session, share) for share in queries.live_shares(session)],
    }
    response = render(request, "tutoring/share.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _link(session: ChatSession, share: Share) -> dict[str, Any]:
    return {
        "name": share.shown_name,
        "created_at": share.created_at,
        "expires_at": share.expires_at,
        "view_count": share.view_count,
        "revoke_url": reverse("tutoring:revoke_share", args=[session.university.slug, session.pk, share.pk]),
    }


def _shown(title: str, snapshot: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {
        "title": title,
        "lesson": snapshot["lesson"],
        "course": snapshot["course"],
        "name": name,
        "messages": [_message(message) for message in snapshot["messages"]],
    }


def _message(message: Mapping[str, str]) -> dict[str, Any]:
    if message["role"] == Message.Role.USER:
        return {"role": message["role"], "state": message["state"], "text": message["body"]}
    html = mark_safe(render_reply(message["body"]))  # noqa: S308 # `render_reply` sanitises last
    return {"role": message["role"], "state": message["state"], "html": html}


def _message_id(words: str | None) -> UUID | None:
    """None where no message was named; what is no id is a message that is not there."""
    try:
        return UUID(words) if words else None
    except ValueError as error:
        raise NotVisible from error
