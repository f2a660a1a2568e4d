"""Whose request it is, and from where."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from allauth.account.adapter import get_adapter
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from tenants.errors import NotSignedIn
from tenants.models import User


def signed_in(request: HttpRequest) -> User:
    """The person of an API call with a token, or of a page behind `login_required`."""
    person = getattr(request, "auth", None) or request.user
    # `request.user` is a lazy wrapper, which claims the class of what it wraps.
    if not isinstance(person, User):
        raise NotSignedIn
    return person


def is_signed_in_by(session_key: str | None, person: User) -> bool:
    """Whether a page's session, read anew, is still this person's: not signed out, and with today's password."""
    request = HttpRequest()
    request.session = SessionStore(session_key)
    return get_user(request) == person


def client_address(origin: HttpRequest | Mapping[str, Any]) -> str:
    """The address that a request, or an ASGI scope such as a socket's, came from; "unknown" where nobody says.

    `X-Forwarded-For` is believed as far as `ALLAUTH_TRUSTED_PROXY_COUNT` proxies wrote it: by default not at all.
    """
    request = origin if isinstance(origin, HttpRequest) else _request_of(origin)
    try:
        address = ipaddress.ip_address(get_adapter(request).get_client_ip(request))
    except PermissionDenied:
        return "unknown"
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _request_of(scope: Mapping[str, Any]) -> HttpRequest:
    """With as much of the scope as tells where it came from; a header that comes twice is one list, as in Django."""
    request = HttpRequest()
    forwarded = [value.decode("latin1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    request.META["REMOTE_ADDR"] = (scope.get("client") or [""])[0]
    if forwarded:
        request.META["HTTP_X_FORWARDED_FOR"] = ",".join(forwarded)
    return request
