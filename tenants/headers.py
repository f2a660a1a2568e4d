"""Headers that every answer has, whoever made it, unless its view says otherwise."""

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware


@sync_and_async_middleware
def HeadersMiddleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:  # noqa: N802
    """What Django and django-csp do not send. No library for it: the one header is a constant, the other a default."""
    if iscoroutinefunction(get_response):

        async def asynchronous(request: HttpRequest) -> HttpResponseBase:
            return _with_headers(request, await get_response(request))

        return asynchronous

    def synchronous(request: HttpRequest) -> HttpResponseBase:
        return _with_headers(request, get_response(request))

    return synchronous


def _with_headers(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Nothing is for shared caches. A browser may keep a page for its Back button, but no answer of the API: among
    those are tokens.
    """
    kept = "no-store" if request.path.startswith("/api/") else "private, no-cache"
    response.headers.setdefault("Cache-Control", kept)
    response.headers.setdefault("Permissions-Policy", settings.PERMISSIONS_POLICY)
    return response
