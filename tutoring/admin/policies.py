"""What a university allows its tutor: limits, what happens as they near, sharing."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from tenants.admin import ScopedAdmin, ScopedForm
from tenants.admin.scoped import choices_within
from tenants.models import Role, University
from tutoring.models import TutorPolicy

_EMPTY = _("Empty: no limit. 0: nothing at all.")


class TutorPolicyForm(ScopedForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        notice, cheaper = cleaned.get("notice_percent"), cleaned.get("cheaper_percent")
        if notice is not None and cheaper is not None and cheaper < notice:
            self.add_error(
                "cheaper_percent",
                _("The notice comes first: give the cheaper model at least %(notice)s percent.") % {"notice": notice},
            )
        return cleaned


@admin.register(TutorPolicy)
class TutorPolicyAdmin(ScopedAdmin):
    """One row for each university; one that was never added, or was deleted, means the defaults."""

    form = TutorPolicyForm
    minimum_role = Role.UNIVERSITY_ADMIN
    list_display = [
        "university",
        "user_daily_tokens",
        "course_monthly_tokens",
        "university_monthly_tokens",
        "when_used_up",
        "sharing",
    ]
    list_select_related = ["university"]
    fieldsets = [
        (None, {"fields": ["university"]}),
        (_("One person in a day"), {"fields": ["user_daily_tokens", "user_daily_usd"], "description": _EMPTY}),
        (
            _("One course in a month"),
            {"fields": ["course_monthly_tokens", "course_monthly_usd"], "description": _EMPTY},
        ),
        (
            _("The university in a month"),
            {"fields": ["university_monthly_tokens", "university_monthly_usd"], "description": _EMPTY},
        ),
        (
            _("As a limit comes near"),
            {
                "fields": ["notice_percent", "cheaper_percent", "when_used_up"],
                "description": _("The limit of which most is used counts. Tokens are those of question and answer."),
            },
        ),
        (_("Sharing"), {"fields": ["sharing", "share_days"]}),
    ]

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> "QuerySet[Any]":
        """A new policy is for a university that has none."""
        return super().get_field_queryset(db, db_field, request).filter(tutor_policy=None)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if self.has_add_permission(request) and not self._has_university_without(request):
            return redirect("admin:tutoring_tutorpolicy_changelist")
        return super().add_view(request, form_url, extra_context)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        # Asked for here and not in `has_add_permission`, which every page of the admin asks for its menu.
        may_add = self.has_add_permission(request) and self._has_university_without(request)
        return super().changelist_view(request, {"has_add_permission": may_add, **(extra_context or {})})

    def _has_university_without(self, request: HttpRequest) -> bool:
        without = University.objects.filter(tutor_policy=None)
        return choices_within(without, request, self.minimum_role).exists()
