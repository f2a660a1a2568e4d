"""Who may open a socket: a page of this site with its session cookie, or an API client with a bearer token."""

from collections.abc import Awaitable, Callable
from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.contrib.auth.models import AnonymousUser
from django.urls import path, re_path

from tenants.auth import user_for_access_token
from tenants.errors import DomainError
from tutoring.consumers import BEARER_PREFIX, NoSuchSocket, TutorConsumer
from tutoring.production import in_thread

Scope = dict[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]

_sockets = URLRouter(
    [
        path("ws/tutor/<uuid:session>/", TutorConsumer.as_asgi()),
        re_path("", NoSuchSocket.as_asgi()),
    ]
)
# A browser always says where a page came from, so a session cookie counts only together with this site's origin.
_for_pages = AllowedHostsOriginValidator(AuthMiddlewareStack(_sockets))


async def websocket_application(scope: Scope, receive: Any, send: Any) -> None:
    """A bearer token travels in the list of sub-protocols, never in the address, which ends up in logs."""
    token = next((p.removeprefix(BEARER_PREFIX) for p in scope["subprotocols"] if p.startswith(BEARER_PREFIX)), None)
    if token is None:
        await _for_pages(scope, receive, send)
        return
    try:
        user: Any = await in_thread(user_for_access_token)(token)
    except DomainError:
        user = AnonymousUser()
    await _sockets({**scope, "user": user, "bearer": token}, receive, send)
