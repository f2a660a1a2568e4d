"""Django's own refusals: a page for people, the API's shape for its clients."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from tenants.errors import DomainError, InvalidInput, NotAllowed, NotVisible
from tenants.middleware import error_page


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, InvalidInput())


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, NotAllowed())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, NotVisible())


def server_error(request: HttpRequest) -> HttpResponse:
    """Rendered without the request, whose context may be what failed."""
    if _is_for_api(request):
        return JsonResponse({"detail": _("Something broke on our side."), "code": "server_error"}, status=500)
    return HttpResponse(render_to_string("500.html"), status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return HttpResponse(render_to_string("403_csrf.html", request=request), status=403)


def _answer(request: HttpRequest, error: DomainError) -> HttpResponse:
    if _is_for_api(request):
        return JsonResponse({"detail": error.detail, "code": error.code}, status=error.status)
    return error_page(request, error)


def _is_for_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")
