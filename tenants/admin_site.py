"""The admin for people who author at some university, each within what their roles there allow."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import SimpleTemplateResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from tenants.admin_place import at_work, choose, places_of
from tenants.errors import NotAllowed, NotVisible
from tenants.models import ROLE_ORDER, Role, University, User
from tenants.visits import current


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
    """Where the visit is, of all places where the person has a role."""
    if isinstance(request.user, User) and request.user.is_active and request.user.is_platform_admin:
        return Scope(is_everywhere=True, roles={})
    here, roles = current(), _roles(request)
    if here and here.university_id:
        roles = {university: role for university, role in roles.items() if university == here.university_id}
    return Scope(is_everywhere=False, roles=roles)


def _roles(request: HttpRequest) -> dict[int, Role]:
    """University id to the highest role there, by the universities' names; of no meaning for platform administrators.

    Read once for each request, because the admin asks dozens of times.
    """
    state, user = request.__dict__, request.user
    if not isinstance(user, User) or not user.is_active or user.is_platform_admin:
        return {}
    if "_admin_roles" not in state:
        held = user.memberships.filter(university__is_active=True).order_by("university__name", "university")
        state["_admin_roles"] = _highest(held.values_list("university", "role"))
    roles: dict[int, Role] = state["_admin_roles"]
    return roles


def _places(request: HttpRequest) -> list[int]:
    """Where the person may work in the admin."""
    return [university for university, role in _roles(request).items() if _reaches(role, Role.INSTRUCTOR)]


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

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        """Each page is drawn, and not only prepared, at the university where the person works."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def visiting(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            with at_work(request, _places(request)):
                response = inner(request, *args, **kwargs)
                return response.render() if isinstance(response, SimpleTemplateResponse) else response

        return visiting

    def each_context(self, request: HttpRequest) -> Any:
        return super().each_context(request) | {"work_places": places_of(_places(request))}

    def choose_university(self, request: HttpRequest) -> HttpResponse:
        """For people of several: where the admin goes on."""
        wanted = request.POST.get("university")
        # Compared here, since PostgreSQL refuses some of what can be posted.
        place = next((row for row in University.objects.filter(pk__in=_places(request)) if row.slug == wanted), None)
        if place is None:
            raise NotVisible
        choose(request, place.pk)
        return redirect("admin:index")

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
        known = [url for url in super().get_urls() if getattr(url, "name", None) != "view_on_site"]
        choosing = self.admin_view(require_POST(self.choose_university))
        return [path("university/", choosing, name="choose_university"), *known]
