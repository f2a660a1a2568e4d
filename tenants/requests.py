"""Whose request it is."""

from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
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
