"""Replies as server-sent events: ask, follow, stop."""

import contextlib
from collections.abc import Callable
from functools import partial
from typing import Annotated
from uuid import UUID

from channels.db import aclose_old_connections, database_sync_to_async
from django.http import HttpRequest, StreamingHttpResponse
from ninja import Header, Query, Router, Status

from tenants.auth import AsyncBearerAuth
from tenants.requests import client_address, signed_in
from tenants.standing import Standing, standing_by_token
from tutoring import events
from tutoring.access import access_generation
from tutoring.actions.generations import request_stop
from tutoring.actions.sending import Sent, regenerate, send_message
from tutoring.errors import BadOffset
from tutoring.runner import OWNER, runner
from tutoring.schemas import MessageIn
from tutoring.sse import event_stream

router = Router()

IdempotencyKey = Annotated[
    str, Header(alias="Idempotency-Key", description="8 to 100 ASCII characters, new for each message.")
]

_STREAM = {
    "responses": {
        200: {
            "description": "Server-sent events: started, delta, done. See docs/api.md for their fields.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
    }
}


@router.post(
    "/sessions/{uuid:session_id}/messages",
    auth=AsyncBearerAuth(),
    summary="Ask the tutor; the reply streams",
    openapi_extra=_STREAM,
)
async def post_message(
    request: HttpRequest,
    session_id: UUID,
    body: MessageIn,
    idempotency_key: IdempotencyKey,
) -> StreamingHttpResponse:
    """The question is stored before the stream begins; leaving the stream does not stop the reply.

    The same key and body again follow the same reply. 409 `generation_running` names the reply that is being made;
    422 `idempotency_key_reused` when the key belongs to another message.
    """
    store = partial(send_message, text=body.text, parent_id=body.parent, edits_id=body.edits)
    return await _asked(request, store, session_id, idempotency_key)


@router.post(
    "/sessions/{uuid:session_id}/replies/{uuid:reply_id}/regenerate",
    auth=AsyncBearerAuth(),
    summary="Have a question answered anew; the reply streams",
    openapi_extra=_STREAM,
)
async def regenerate_reply(
    request: HttpRequest, session_id: UUID, reply_id: UUID, idempotency_key: IdempotencyKey
) -> StreamingHttpResponse:
    """The new reply stands beside the old one, which stays. Otherwise as asking."""
    return await _asked(request, partial(regenerate, reply_id=reply_id), session_id, idempotency_key)


async def _asked(request: HttpRequest, store: Callable[..., Sent], session_id: UUID, key: str) -> StreamingHttpResponse:
    address = client_address(request)
    sent = await runner.send(
        partial(store, by=signed_in(request), session_id=session_id, key=key, owner=OWNER, address=address)
    )
    await aclose_old_connections()
    first = events.started(sent, key)
    reply = runner.follow(sent.generation, 0, university=sent.university, pages=False)
    return event_stream(reply, _standing(request, sent.university), after=0, first=first)


@router.get(
    "/generations/{uuid:generation_id}/events",
    auth=AsyncBearerAuth(),
    summary="Follow a reply from a position",
    openapi_extra=_STREAM,
)
async def follow_generation(
    request: HttpRequest,
    generation_id: UUID,
    after: Annotated[int, Query(ge=0, description="Characters (code points) of the reply that the reader has.")] = 0,
    last_event_id: Annotated[
        str, Header(alias="Last-Event-ID", description="As browsers send it; it wins over `after`.")
    ] = "",
) -> StreamingHttpResponse:
    """The rest of the text, then what comes live, then `done`; after the end as well."""
    generation = await database_sync_to_async(access_generation)(signed_in(request), generation_id)
    position = _position(last_event_id) if last_event_id else after
    await aclose_old_connections()
    reply = runner.follow(generation_id, position, university=generation.university_id, pages=False)
    return event_stream(reply, _standing(request, generation.university_id), after=position)


@router.post(
    "/generations/{uuid:generation_id}/stop", auth=AsyncBearerAuth(), response={202: None}, summary="Stop a reply"
)
async def stop_generation(request: HttpRequest, generation_id: UUID) -> Status[None]:
    """Keeps the text so far. Stopping twice, or after the end, changes nothing."""
    await database_sync_to_async(request_stop)(by=signed_in(request), generation_id=generation_id)
    runner.stop(generation_id)
    return Status(202, None)


def _standing(request: HttpRequest, university_id: int) -> Standing:
    token = request.headers["Authorization"].partition(" ")[2]
    return standing_by_token(signed_in(request), university_id, token)


def _position(last_event_id: str) -> int:
    with contextlib.suppress(ValueError):
        if (position := int(last_event_id)) >= 0:
            return position
    raise BadOffset
