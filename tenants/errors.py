"""The one family of refusals. Each has a stable `code`, an HTTP `status` and a sentence for people."""

from datetime import datetime

from django.db import InterfaceError, OperationalError


class DomainError(Exception):
    """A refusal that people and programs are told about; every app's errors derive from it."""

    code = "error"
    status = 400
    message = "That could not be done."
    # When the same request may succeed; None where waiting alone does not help.
    retry_after_s: int | None = None

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.message)
        # Further fields of the API's and the socket's answer, such as the id to look at instead.
        self.context: dict[str, str] = {}

    @property
    def detail(self) -> str:
        return str(self)


class InvalidInput(DomainError):
    code = "invalid_input"
    message = "Something in the request is not as it must be."


class NotSignedIn(DomainError):
    code = "not_signed_in"
    status = 401
    message = "Please sign in."


class NotAllowed(DomainError):
    code = "not_allowed"
    status = 403
    message = "Your role does not allow this."


class NotVisible(DomainError):
    """Absent, or not for this person: the two are told apart nowhere."""

    code = "not_found"
    status = 404
    message = "There is nothing here."


class Conflict(DomainError):
    code = "conflict"
    status = 409
    message = "That does not fit with what has happened in the meantime."


class TooManyRequests(DomainError):
    """`limit` names for programs what is used up, and `renews_at` when it is whole again."""

    code = "too_many_requests"
    status = 429
    message = "Too many requests. Please wait a moment."
    # A guess for limits that do not tell when they end.
    retry_after_s = 60

    def __init__(
        self,
        message: str | None = None,
        *,
        limit: str = "",
        renews_at: datetime | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        if limit:
            self.context["limit"] = limit
        if renews_at is not None:
            self.context["renews_at"] = renews_at.isoformat()
        if retry_after_s is not None:
            self.retry_after_s = retry_after_s


# What Django raises when a connection is cut or none can be had.
DATABASE_AWAY = (OperationalError, InterfaceError)


class DatabaseAway(DomainError):
    """A connection was cut, or none could be had. What was under way has been undone, but for a cut in the middle of
    committing it, which leaves that open: what has an idempotency key can be sent again.
    """

    code = "unavailable"
    status = 503
    message = "The site cannot reach its database at the moment. Please try again."
    retry_after_s = 2


class BadCredentials(DomainError):
    """The same words for an unknown address and a wrong password."""

    code = "bad_credentials"
    status = 401
    message = "The e-mail address or the password is not right."


class BadToken(DomainError):
    code = "bad_token"
    status = 401
    message = "This token is not valid, or no longer."


class EmailNotVerified(DomainError):
    code = "email_not_verified"
    status = 403
    message = "Please confirm your e-mail address first: the link is in the mail that we sent you."


class EmailTaken(Conflict):
    code = "email_taken"
    message = "There is an account with this e-mail address already."


class WrongPassword(DomainError):
    code = "wrong_password"
    status = 403
    message = "The current password is not right."


class WeakPassword(DomainError):
    code = "weak_password"
    status = 422
    message = "This password is too easy to guess."
