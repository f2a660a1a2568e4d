"""The API: mounts, and the one shape of its errors. Decides nothing."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, cast

import structlog
from asgiref.sync import iscoroutinefunction
from csp.decorators import csp_update
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.urls import URLPattern, URLResolver
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from lms.api_errors import describe_errors
from lms.courses.api import router as courses_router
from lms.learning.api import router as learning_router
from prompts.api import router as prompts_router
from tenants.api import auth_router, countries_router, universities_router, users_router
from tenants.auth import BearerAuth
from tenants.errors import (
    DatabaseAway,
    DomainError,
    InvalidInput,
    NotAllowed,
    NotSignedIn,
    NotVisible,
    TooManyRequests,
)
from tutoring.api import router as chat_router

log = structlog.get_logger(__name__)

View = Callable[..., Any]
_ERROR_OF_STATUS = {
    error.status: error for error in (InvalidInput, NotSignedIn, NotAllowed, NotVisible, TooManyRequests)
}


class Api(NinjaAPI):
    @property
    def urls(self) -> tuple[list[URLResolver | URLPattern], str, str]:
        """Ninja's, with its plain text for a wrong method turned into the shape of all errors."""
        patterns, app, namespace = super().urls
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                pattern.callback = _with_shaped_405(pattern.callback)
        return patterns, app, namespace

    def get_openapi_schema(self, **options: Any) -> Any:
        schema = super().get_openapi_schema(**options)
        describe_errors(schema)
        return schema


def _with_shaped_405(view: View) -> View:
    if iscoroutinefunction(view):
        awaited = cast(Callable[..., Awaitable[HttpResponse]], view)

        @wraps(view)
        async def answer_later(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return _shape_405(await awaited(request, *args, **kwargs))

        return answer_later

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return _shape_405(view(request, *args, **kwargs))

    return answer


def _shape_405(response: HttpResponse) -> HttpResponse:
    if not isinstance(response, HttpResponseNotAllowed):
        return response
    body = {"detail": "This address does not know this method.", "code": "method_not_allowed"}
    return JsonResponse(body, status=405, headers={"Allow": response["Allow"]})


api = Api(
    title="Colloquy",
    version="1",
    description="Universities, courses, and a tutor in every lesson. How to use it: docs/api.md in the repository.",
    urls_namespace="api",
    docs_url="/docs",
    # The style sheet of the interactive page draws its arrows as data.
    docs_decorator=csp_update({"img-src": "data:"}),
    # Closed unless an operation says otherwise.
    auth=BearerAuth(),
)


def answer_error(error: DomainError) -> HttpResponse:
    response = JsonResponse({"detail": error.detail, "code": error.code, **error.context}, status=error.status)
    if error.status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if error.retry_after_s is not None:
        response["Retry-After"] = str(error.retry_after_s)
    return response


@api.exception_handler(DomainError)
def domain_error(request: HttpRequest, error: DomainError) -> HttpResponse:
    return answer_error(error)


@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
def database_away(request: HttpRequest, error: Exception) -> HttpResponse:
    log.exception("database_away", exc_info=error)
    return answer_error(DatabaseAway())


@api.exception_handler(AuthenticationError)
def not_signed_in(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return answer_error(NotSignedIn())


@api.exception_handler(Http404)
def not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return answer_error(NotVisible())


@api.exception_handler(HttpError)
def http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    known = _ERROR_OF_STATUS.get(error.status_code, DomainError)
    body = {"detail": error.message, "code": known.code}
    return JsonResponse(body, status=error.status_code)


@api.exception_handler(ValidationError)
def invalid_input(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Without what was sent, which may be a password."""
    detail = [{"loc": each["loc"], "msg": each["msg"], "type": each["type"]} for each in error.errors]
    return JsonResponse({"detail": detail, "code": InvalidInput.code}, status=422)


@csrf_exempt
def no_such_address(request: HttpRequest, path: str = "") -> HttpResponse:
    """Everything under the API that is no address of it, so that clients never get a page."""
    return answer_error(NotVisible())


api.add_router("/auth", auth_router)
api.add_router("/users", users_router)
api.add_router("/universities", universities_router)
api.add_router("/countries", countries_router)
api.add_router("", courses_router)
api.add_router("", learning_router)
api.add_router("/prompts", prompts_router)
api.add_router("/chat", chat_router)
