"""Headers that every answer has, whoever made it, unless its view says otherwise."""

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

# What no page uses, and so no script or frame in it may ask for. Full screen and the clipboard are used. Chromium warns
# of names that it does not know; these it knows.
_UNUSED = """
accelerometer browsing-topics camera display-capture gamepad geolocation gyroscope hid idle-detection interest-cohort
local-fonts magnetometer microphone midi payment publickey-credentials-create publickey-credentials-get screen-wake-lock
serial usb window-management xr-spatial-tracking
"""
_PERMISSIONS_POLICY = ", ".join(f"{feature}=()" for feature in _UNUSED.split())


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
    response.headers.setdefault("Permissions-Policy", _PERMISSIONS_POLICY)
    return response
