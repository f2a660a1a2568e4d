"""Who studies what, to read. Enrolling and leaving go through the pages and their rules."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.filters import RelatedOnlyFieldListFilter
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from lms.learning.models import Enrollment
from tenants.admin import ScopedAdmin


@admin.register(Enrollment)
class EnrollmentAdmin(ScopedAdmin):
    list_display = ["student", "course", "term", "status", "role", "created_at", "last_seen_at"]
    list_filter = ["status", "role", ("offering__course", RelatedOnlyFieldListFilter)]
    list_select_related = ["user", "offering__course"]
    search_fields = ["user__full_name", "user__email"]
    date_hierarchy = "created_at"
    fields = ["student", "course", "term", "status", "role", "created_at", "last_seen_at"]

    @admin.display(description=_("student"), ordering="user__full_name")
    def student(self, enrollment: Enrollment) -> str:
        return str(enrollment.user)

    @admin.display(description=_("course"), ordering="offering__course__title")
    def course(self, enrollment: Enrollment) -> str:
        return str(enrollment.offering.course)

    @admin.display(description=_("term"), ordering="offering__term")
    def term(self, enrollment: Enrollment) -> str:
        return enrollment.offering.term

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
