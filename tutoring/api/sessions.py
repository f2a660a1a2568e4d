"""Conversations: begin, list, read, name, export, delete."""

from typing import Annotated
from uuid import UUID

from channels.db import database_sync_to_async
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from ninja.pagination import paginate

from lms.learning.access import access_lesson
from tenants.access import access_university
from tenants.auth import AsyncBearerAuth
from tenants.pagination import Pages
from tenants.requests import signed_in
from tutoring import queries
from tutoring.access import access_session
from tutoring.actions.renaming import rename_session
from tutoring.actions.sessions import delete_session, start_session
from tutoring.exports import Format, download
from tutoring.models import ChatSession
from tutoring.runner import runner
from tutoring.schemas import SLUG, SessionDetailOut, SessionIn, SessionOut, TitleIn

router = Router()


@router.post("/sessions", response={201: SessionOut}, summary="Begin a conversation about a content item")
def create_session(request: HttpRequest, body: SessionIn) -> Status[ChatSession]:
    """The lesson is kept as it is now. 404 when the item is absent or not for this person."""
    user = signed_in(request)
    lesson = access_lesson(user, university=body.university, offering=body.offering, item=body.content_item)
    return Status(201, start_session(by=user, lesson=lesson))


@router.get("/sessions", response=list[SessionOut], summary="My conversations at one university, newest first")
@paginate(Pages)
def list_sessions(
    request: HttpRequest,
    university: Annotated[str, Query(description="The university's slug.", pattern=SLUG, max_length=50)],
    search: Annotated[
        str, Query(pattern=r"^[^\x00]*$", max_length=200, description="Words in titles and messages.")
    ] = "",
) -> QuerySet[ChatSession]:
    user = signed_in(request)
    return queries.conversations(user, access_university(user, university), search).select_related("university")


@router.get("/sessions/{uuid:session_id}", response=SessionDetailOut, summary="One conversation with its messages")
def get_session(request: HttpRequest, session_id: UUID) -> ChatSession:
    return access_session(signed_in(request), session_id)


@router.patch("/sessions/{uuid:session_id}", response=SessionOut, summary="Give a conversation another title")
def patch_session(request: HttpRequest, session_id: UUID, body: TitleIn) -> ChatSession:
    return rename_session(by=signed_in(request), session_id=session_id, title=body.title)


@router.delete(
    "/sessions/{uuid:session_id}", auth=AsyncBearerAuth(), response={204: None}, summary="Delete a conversation"
)
async def remove_session(request: HttpRequest, session_id: UUID) -> Status[None]:
    """With its messages, its links and what was thought of its replies. A reply that is being made is stopped."""
    for generation in await database_sync_to_async(delete_session)(by=signed_in(request), session_id=session_id):
        runner.stop(generation)
    return Status(204, None)


@router.get(
    "/sessions/{uuid:session_id}/export",
    summary="A conversation as a file",
    openapi_extra={
        "responses": {200: {"description": "The file.", "content": {"text/markdown": {}, "application/json": {}}}}
    },
)
def export_session(
    request: HttpRequest,
    session_id: UUID,
    format: Annotated[Format, Query(description="`markdown`: one branch; `json`: all messages with their parents.")],
    branch: Annotated[
        UUID | None, Query(description="A message of the branch for Markdown; that of the newest when absent.")
    ] = None,
) -> HttpResponse:
    session = access_session(signed_in(request), session_id)
    return download(session, queries.conversation(session), format, branch)
