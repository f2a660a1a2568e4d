"""Whose request it is."""

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
