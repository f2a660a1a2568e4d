"""Accounts, and who holds which role where."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from tenants import actions
from tenants.admin.scoped import ScopedAdmin, ScopedForm, choices_within
from tenants.admin_site import scope_of
from tenants.models import Membership, Role, User
from tenants.queries import is_email_available, user_by_email
from tenants.requests import signed_in

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Any]
else:
    ModelForm = forms.ModelForm


class NewAccountForm(ModelForm):
    """No password: the person chooses one through "forgotten password"."""

    class Meta:
        model = User
        fields = ["email", "full_name"]

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        if not is_email_available(email):
            raise forms.ValidationError(_("There is an account with this e-mail address already."))
        return email


@admin.register(User)
class UserAdmin(ScopedAdmin):
    """Accounts are global: university administrators see those of their members, the platform changes them."""

    minimum_role = Role.UNIVERSITY_ADMIN
    list_display = ["email", "full_name", "is_active", "is_platform_admin", "last_login"]
    list_filter = ["is_active", "is_platform_admin"]
    search_fields = ["email", "full_name"]
    ordering = ["email"]
    fields = ["email", "full_name", "locale", "time_zone", "is_active", "is_platform_admin", "last_login", "created_at"]
    readonly_fields = ["email", "last_login", "created_at"]
    form = ModelForm

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return choices_within(User.objects.order_by("email"), request, self.minimum_role)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is None:
            return super().has_view_permission(request)
        return self.get_queryset(request).filter(pk=obj.pk).exists()

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return scope_of(request).is_everywhere

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return scope_of(request).is_everywhere

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            return NewAccountForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else ["email", "full_name"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if obj else []

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        by = signed_in(request)
        if not change:
            obj.pk = actions.create_account(by=by, email=obj.email, full_name=obj.full_name).pk
            return
        obj.save(update_fields=["full_name", "locale", "time_zone"])
        if "is_active" in form.changed_data:
            actions.set_active(by=by, user=obj, is_active=obj.is_active)
        if "is_platform_admin" in form.changed_data:
            actions.set_platform_admin(by=by, user=obj, is_platform_admin=obj.is_platform_admin)


class RoleForm(ScopedForm):
    """Another role, or another department, of a member."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        row = self.instance
        held = Membership.objects.filter(
            user=row.user_id, university=cleaned.get("university") or row.university_id, role=cleaned.get("role")
        )
        if held.exclude(pk=row.pk).exists():
            raise forms.ValidationError(_("This person holds this role already."))
        return cleaned


class NewMemberForm(RoleForm):
    """A new member is named by address in full, so that nobody can leaf through the accounts of the platform."""

    email = forms.EmailField(label=_("E-mail address"), help_text=_("The address of an existing account."))

    def clean_email(self) -> str:
        user = user_by_email(self.cleaned_data["email"])
        if user is None:
            raise forms.ValidationError(_("There is no account with this address."))
        self.instance.user = user
        return user.email


@admin.register(Membership)
class MembershipAdmin(ScopedAdmin):
    minimum_role = Role.UNIVERSITY_ADMIN
    list_display = ["person", "role", "university", "department", "created_at"]
    list_filter = ["role", "university"]
    list_select_related = ["user", "university", "department"]
    search_fields = ["user__email", "user__full_name"]
    ordering = ["user__full_name", "id"]

    @admin.display(description=_("person"), ordering="user__full_name")
    def person(self, membership: Membership) -> str:
        """A name can turn the direction of the letters, and must not turn the address after it."""
        return format_html("<bdi>{}</bdi> &lt;{}&gt;", membership.user.full_name, membership.user.email)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["person", "university", "role", "department"] if obj else ["email", "university", "role", "department"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["person", "university"] if obj else []

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = RoleForm if obj else NewMemberForm
        return super().get_form(request, obj, change=change, **kwargs)

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        by, role = signed_in(request), Role(obj.role)
        if change:
            actions.change_role(by=by, membership=obj, role=role, department=obj.department)
            return
        granted = actions.grant_role(
            by=by, user=obj.user, university=obj.university, role=role, department=obj.department
        )
        obj.pk = granted.pk

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        actions.revoke_role(by=signed_in(request), membership=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        for membership in queryset:
            actions.revoke_role(by=signed_in(request), membership=membership)
