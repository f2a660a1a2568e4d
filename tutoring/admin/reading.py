"""The base of lists that show what happened and change nothing."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from tenants.admin import ScopedAdmin
from tenants.models import Role


class ReadOnlyAdmin(ScopedAdmin):
    """For those who run a university. `totals` are the sums of the list as it is filtered, for its template."""

    minimum_role = Role.UNIVERSITY_ADMIN

    def totals(self, rows: "QuerySet[Any]") -> dict[str, Any]:
        return {}

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        context: Any = getattr(response, "context_data", None)
        if context and "cl" in context:
            context["totals"] = self.totals(context["cl"].queryset.order_by())
        return response

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
