"""Where the account pages of allauth and the API meet: who signs in, with which mail, and what is recorded."""

from typing import Any

import structlog
from allauth.account import auth_backends
from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from allauth.account.models import EmailAddress
from allauth.core import ratelimit
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from tenants import actions, audit
from tenants.errors import BadCredentials, TooManyRequests
from tenants.models import User
from tenants.queries import with_places
from tenants.visits import as_person

log = structlog.get_logger(__name__)


class AuthenticationBackend(auth_backends.AuthenticationBackend):  # type: ignore[misc] # allauth is not typed
    """allauth's, which brings with the row of a session's person where they belong."""

    def get_user(self, user_id: Any) -> User | None:
        with as_person(int(user_id)):
            user = with_places(User.objects.filter(pk=user_id), int(user_id)).first()
        return user if user and self.user_can_authenticate(user) else None


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc] # allauth is not typed
    """What the account pages do beyond allauth's own."""

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        user.full_name = form.cleaned_data["full_name"]
        super().save_user(request, user, form, commit)
        return user

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """The account alone: allauth adds the host of the request, whose port a caller may make up."""
        return str(credentials["email"]).lower()

    def post_login(self, request: HttpRequest, user: User, **details: Any) -> Any:
        audit.record(by=user, action="user.signed_in", subject=user, detail={"through": "pages"})
        return super().post_login(request, user, **details)

    def set_password(self, user: User, password: str) -> None:
        actions.change_password(by=user, user=user, password=password)

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        is_confirmed = bool(super().confirm_email(request, email_address))
        if is_confirmed:
            audit.record(by=email_address.user, action="user.email_verified", subject=email_address.user)
        return is_confirmed

    def is_safe_url(self, url: str) -> bool:
        """Only this host: allauth would follow `next` to every allowed host."""
        request: HttpRequest = self.request
        return url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())


def throttle(request: HttpRequest, action: str, *, key: str | None = None, user: User | None = None) -> None:
    """Count one try against the rates of `ACCOUNT_RATE_LIMITS[action]`, by address, `key` or `user` as they say."""
    if not ratelimit.consume(request, action=action, key=key, user=user):
        raise TooManyRequests


def authenticate(request: HttpRequest, email: str, password: str) -> User:
    """The person, by the same door and the same counters as the sign-in page. Raises `BadCredentials`.

    An unknown address costs one password hash too, so that it takes as long as a known one.
    """
    throttle(request, "login")
    try:
        user = get_adapter(request).authenticate(request, email=email.lower(), password=password)
    except ValidationError as error:
        raise TooManyRequests from error
    if user is None or not user.is_active:
        raise BadCredentials
    return user  # type: ignore[no-any-return] # allauth is not typed


def send_verification_mail(request: HttpRequest, user: User) -> None:
    """Nothing for an address that is verified. A mail server that fails is logged: the person may ask again."""
    address = EmailAddress.objects.filter(user=user, primary=True, verified=False).first()
    if address is None:
        return
    try:
        address.send_confirmation(request, signup=True)
    except OSError:
        log.exception("verification_mail_failed", user=user.pk)
