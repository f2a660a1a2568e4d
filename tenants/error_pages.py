"""Django's own refusals: a page for people, the API's shape for its clients."""

import sys

import structlog
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from tenants.errors import DATABASE_AWAY, DatabaseAway, DomainError, InvalidInput, NotAllowed, NotVisible
from tenants.middleware import error_page

log = structlog.get_logger(__name__)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, InvalidInput())


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, NotAllowed())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, NotVisible())


def server_error(request: HttpRequest) -> HttpResponse:
    """Rendered without the request, whose context may be what failed.

    Django calls this while it handles the exception. A database that is away is told from a fault of ours here, where
    what middleware asks of it counts too.
    """
    if isinstance(sys.exc_info()[1], DATABASE_AWAY):
        log.exception("database_away")
        return _answer(request, DatabaseAway())
    if _is_for_api(request):
        return JsonResponse({"detail": _("Something broke on our side."), "code": "server_error"}, status=500)
    return HttpResponse(render_to_string("500.html"), status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return HttpResponse(render_to_string("403_csrf.html", request=request), status=403)


def _answer(request: HttpRequest, error: DomainError) -> HttpResponse:
    if not _is_for_api(request):
        return error_page(request, error)
    response = JsonResponse({"detail": error.detail, "code": error.code}, status=error.status)
    if error.retry_after_s is not None:
        response["Retry-After"] = str(error.retry_after_s)
    return response


def _is_for_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")
