"""Sharing conversations by link."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router, Status
from ninja.pagination import paginate

from tenants.pagination import Pages
from tenants.requests import signed_in
from tutoring import queries
from tutoring.access import access_session
from tutoring.actions.sharing import publish_share, revoke_share, view_share
from tutoring.models import Share, ShareQuerySet
from tutoring.schemas import NewShareOut, SharedOut, ShareIn, ShareOut

router = Router()


@router.post("/sessions/{uuid:session_id}/shares", response={201: NewShareOut}, summary="Share a conversation by link")
def create_share(request: HttpRequest, session_id: UUID, body: ShareIn) -> Status[NewShareOut]:
    """The conversation as it is now, for whoever has the link, which only this answer tells. There is no
    `Idempotency-Key`: the link is not kept and could not be told again, so each call makes another. 403 `sharing_off`
    where the university does not allow it."""
    new = publish_share(
        by=signed_in(request), session_id=session_id, days=body.days, shown_name=body.name, branch=body.branch
    )
    return Status(201, NewShareOut(**ShareOut.from_orm(new.share).dict(), url=new.url))


@router.get("/sessions/{uuid:session_id}/shares", response=list[ShareOut], summary="Links to a conversation that live")
@paginate(Pages)
def list_shares(request: HttpRequest, session_id: UUID) -> ShareQuerySet:
    """Newest first, without those that have expired or were revoked."""
    return queries.live_shares(access_session(signed_in(request), session_id))


@router.delete("/shares/{uuid:share_id}", response={204: None}, summary="Revoke a link")
def delete_share(request: HttpRequest, share_id: UUID) -> Status[None]:
    """At once. What is revoked already stays so."""
    revoke_share(by=signed_in(request), share_id=share_id)
    return Status(204, None)


@router.get("/share/{token}", response=SharedOut, auth=None, summary="Read a shared conversation")
def read_share(request: HttpRequest, response: HttpResponse, token: str) -> Share:
    """For everybody who has the link. 404 for one that is unknown, expired or revoked."""
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return view_share(token)
