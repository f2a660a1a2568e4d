from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from tenants.admin.scoped import ScopedAdmin
from tenants.admin_site import scope_of
from tenants.models import Department, Role, University


@admin.register(University)
class UniversityAdmin(ScopedAdmin):
    """Its administrators change how it looks and who may join; what others rely on is the platform's."""

    minimum_role = Role.UNIVERSITY_ADMIN
    university_lookup = "pk"
    list_display = ["name", "slug", "country", "is_active", "is_open_to_join"]
    list_filter = ["is_active", "is_open_to_join"]
    search_fields = ["name", "slug", "short_code"]
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return scope_of(request).is_everywhere

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return scope_of(request).is_everywhere

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [] if scope_of(request).is_everywhere else ["slug", "short_code", "is_active", "country", "policy"]


@admin.register(Department)
class DepartmentAdmin(ScopedAdmin):
    minimum_role = Role.UNIVERSITY_ADMIN
    list_display = ["name", "code", "university"]
    list_filter = ["university"]
    list_select_related = ["university"]
    search_fields = ["name", "code"]
