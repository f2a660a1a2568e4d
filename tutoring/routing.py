"""Who may open a socket: a page of this site with its session cookie, or an API client with a bearer token."""

from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.urls import path, re_path

from tenants.auth import user_for_access_token
from tenants.errors import DomainError
from tenants.visits import visit
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
_for_pages = AuthMiddlewareStack(_sockets)


async def websocket_application(scope: Scope, receive: Any, send: Any) -> None:
    """Each socket is one visit, to its end."""
    with visit():
        await _let_in(scope, receive, send)


async def _let_in(scope: Scope, receive: Any, send: Any) -> None:
    """A bearer token travels in the list of sub-protocols, never in the address, which ends up in logs."""
    token = next((p.removeprefix(BEARER_PREFIX) for p in scope["subprotocols"] if p.startswith(BEARER_PREFIX)), None)
    if token is None:
        # A browser always says where a page came from, so a cookie counts only together with this site's origin.
        application = _for_pages if _is_from_this_site(scope) else WebsocketDenier()
        await application(scope, receive, send)
        return
    try:
        user: Any = await in_thread(user_for_access_token)(token)
    except DomainError:
        user = AnonymousUser()
    await _sockets({**scope, "user": user, "bearer": token}, receive, send)


def _is_from_this_site(scope: Scope) -> bool:
    """By the rule for forms: scheme, host and port of the page are those that the socket was asked for by, or those of
    SITE_URL.

    Cookies do not tell ports apart, and another program on this host must not use ours.
    """
    scheme = "https" if scope.get("scheme") == "wss" else "http"
    request = ASGIRequest({"method": "GET", "path": "/", "scheme": scheme, "headers": scope["headers"]}, BytesIO())
    try:
        here = f"{request.scheme}://{request.get_host()}"
    except DisallowedHost:
        return False
    return request.headers.get("Origin") in (here, *settings.CSRF_TRUSTED_ORIGINS)
