"""What belongs to the whole platform, and the record of what was done."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest

# Imported for its registrations, so that the one of groups can be taken back below.
from django.contrib.auth import admin as auth_admin  # noqa: F401  # isort: skip

from tenants.admin.scoped import ScopedAdmin
from tenants.models import AuditEntry, Country, Role

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin

# Rights come from memberships; groups would change nothing.
admin.site.unregister(Group)


@admin.register(Country)
class CountryAdmin(ModelAdmin):
    list_display = ["name", "iso_code", "region"]
    search_fields = ["name", "iso_code"]


@admin.register(AuditEntry)
class AuditEntryAdmin(ScopedAdmin):
    """To read. University administrators see what was done at their university."""

    minimum_role = Role.UNIVERSITY_ADMIN
    list_display = ["created_at", "who", "action", "subject_type", "subject_id", "university"]
    list_filter = ["action", "university"]
    list_select_related = ["actor", "university"]
    date_hierarchy = "created_at"
    fields = ["created_at", "who", "action", "subject_type", "subject_id", "university", "detail"]
    readonly_fields: ClassVar[Any] = fields

    @admin.display(description="who")
    def who(self, entry: AuditEntry) -> str:
        """The actor is a bare number: the account may be gone."""
        if entry.actor_id is None:
            return "the system"
        return str(entry.actor) if entry.actor else f"account {entry.actor_id}, deleted"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
