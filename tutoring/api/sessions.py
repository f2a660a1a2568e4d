"""Conversations: begin, list, read."""

from typing import Annotated
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Status
from ninja.pagination import paginate

from lms.learning.access import access_lesson
from tenants.access import access_university
from tenants.pagination import Pages
from tenants.requests import signed_in
from tutoring import queries
from tutoring.access import access_session
from tutoring.actions.sessions import start_session
from tutoring.models import ChatSession
from tutoring.schemas import SLUG, SessionDetailOut, SessionIn, SessionOut

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
