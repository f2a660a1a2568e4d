"""A conversation as a file, for its own student."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from tenants.requests import signed_in
from tutoring import queries
from tutoring.access import access_session
from tutoring.exports import download
from tutoring.views.pages import look_of


@login_required
@require_safe
def export_markdown(request: HttpRequest, university: str, session: UUID) -> HttpResponse:
    """The branch that the page shows, as `?branch=` says."""
    mine = access_session(signed_in(request), session, university)
    return download(mine, queries.conversation(mine), "markdown", look_of(request).branch)


@login_required
@require_safe
def export_json(request: HttpRequest, university: str, session: UUID) -> HttpResponse:
    mine = access_session(signed_in(request), session, university)
    return download(mine, queries.conversation(mine), "json")
