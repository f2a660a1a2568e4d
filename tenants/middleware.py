"""Around every request: its visit, whose it is, and a page for a refusal that reaches the top of a page view."""

from collections.abc import Callable
from functools import partial
from typing import Any

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.contrib.auth import middleware as auth
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.loader import render_to_string
from django.utils.decorators import sync_and_async_middleware
from django.utils.deprecation import MiddlewareMixin
from django.utils.functional import SimpleLazyObject

from tenants.errors import DatabaseAway, DomainError
from tenants.models import User
from tenants.visits import recognise, visit


@sync_and_async_middleware
def VisitMiddleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:  # noqa: N802
    """Every request is a visit of its own, to the end of its view; a stream that goes on afterwards has none."""
    if iscoroutinefunction(get_response):

        async def asynchronous(request: HttpRequest) -> HttpResponse:
            with visit():
                return await get_response(request)  # type: ignore[no-any-return]

        return asynchronous

    def synchronous(request: HttpRequest) -> HttpResponse:
        with visit():
            return get_response(request)  # type: ignore[no-any-return]

    return synchronous


class RecognisingMiddleware(auth.AuthenticationMiddleware):
    """The visit is the person's as soon as the session has been compared with their row."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.user = SimpleLazyObject(partial(_recognised, request))  # type: ignore[assignment]
        request.auser = sync_to_async(partial(_recognised, request))


def _recognised(request: HttpRequest) -> Any:
    person = auth.get_user(request)
    if isinstance(person, User):
        recognise(person)
    return person


class DomainErrorMiddleware(MiddlewareMixin):
    """The API has a handler of its own in `lms.api`; this one serves pages."""

    get_response: Callable[[HttpRequest], HttpResponse]

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return error_page(request, exception) if isinstance(exception, DomainError) else None

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """An address of a form that is opened by hand, or after signing in, leads back to the page of the form."""
        if isinstance(response, HttpResponseNotAllowed) and not request.path.startswith("/api/"):
            back = request.path.rstrip("/").rpartition("/")[0] + "/"
            response.content = render_to_string("405.html", {"back": back}, request)
        return response


def error_page(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The page of `error.status` where there is one, else the page for requests that make no sense."""
    known = error.status if error.status in (400, 403, 404, 409, 429, 503) else 400
    # A foreign row must look like an absent one to the byte, so the page of 404 gets no words from the error.
    detail = "" if known == 404 else error.detail
    # Without the request where its context would ask the database who reads.
    asking = None if isinstance(error, DatabaseAway) else request
    page = render_to_string(f"{known}.html", {"detail": detail}, asking)
    response = HttpResponse(page, status=error.status)
    if error.retry_after_s is not None:
        response["Retry-After"] = str(error.retry_after_s)
    return response
