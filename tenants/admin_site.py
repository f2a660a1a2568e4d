"""The admin for people who author at some university, each within what their roles there allow."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from tenants.errors import NotAllowed
from tenants.models import ROLE_ORDER, Role, User


@dataclass(frozen=True)
class Scope:
    """What one person may touch: every university, or those where they hold a role."""

    is_everywhere: bool
    # University id to the highest role there.
    roles: dict[int, Role]

    def universities(self, least: Role) -> set[int]:
        """Ids; of no meaning when the scope is everywhere."""
        return {university for university, role in self.roles.items() if _reaches(role, least)}

    def allows(self, university_id: int | None, least: Role) -> bool:
        if self.is_everywhere:
            return True
        return university_id is not None and university_id in self.universities(least)

    def has_any(self, least: Role) -> bool:
        return self.is_everywhere or bool(self.universities(least))


def scope_of(request: HttpRequest) -> Scope:
    """Read once for each request, because the admin asks dozens of times."""
    state = request.__dict__
    if "_admin_scope" not in state:
        state["_admin_scope"] = _read_scope(request.user)
    scope: Scope = state["_admin_scope"]
    return scope


def _read_scope(user: Any) -> Scope:
    if not isinstance(user, User) or not user.is_active:
        return Scope(is_everywhere=False, roles={})
    if user.is_platform_admin:
        return Scope(is_everywhere=True, roles={})
    held = user.memberships.filter(university__is_active=True).values_list("university", "role")
    return Scope(is_everywhere=False, roles=_highest(held))


def _highest(held: Iterable[tuple[int, str]]) -> dict[int, Role]:
    highest: dict[int, Role] = {}
    for university, role in held:
        if university not in highest or _reaches(Role(role), highest[university]):
            highest[university] = Role(role)
    return highest


def _reaches(role: Role, least: Role) -> bool:
    return ROLE_ORDER.index(role) >= ROLE_ORDER.index(least)


class ColloquyAdminSite(admin.AdminSite):
    site_header = _("Colloquy authoring")
    site_title = _("Colloquy authoring")
    index_title = _("Authoring")

    def has_permission(self, request: HttpRequest) -> bool:
        return scope_of(request).has_any(Role.INSTRUCTOR)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Signing in is one page for the whole site; who is signed in already and arrives here lacks the role."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise NotAllowed
        return redirect_to_login(request.GET.get(REDIRECT_FIELD_NAME, request.path), "account_login")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        logout(request)
        return redirect("account_login")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("account_change_password")

    def get_urls(self) -> list[Any]:
        # "View on site" by content type and id would tell the address of any row of any university.
        return [url for url in super().get_urls() if getattr(url, "name", None) != "view_on_site"]
