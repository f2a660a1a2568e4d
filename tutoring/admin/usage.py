"""The ledger: what replies and titles used, in tokens and money."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, F, Q, QuerySet, Sum
from django.http import HttpRequest

from tutoring.admin.reading import ReadOnlyAdmin
from tutoring.models import UsageEntry


@admin.register(UsageEntry)
class UsageEntryAdmin(ReadOnlyAdmin):
    """Students are counted and neither named nor found: what one of them asked how often is nobody else's."""

    list_display = [
        "day",
        "purpose",
        "course",
        "provider",
        "model",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cost_usd",
        "is_estimated",
    ]
    list_filter = ["purpose", "provider", "model", "university", "course"]
    list_select_related = ["course"]
    date_hierarchy = "day"
    ordering = ["-day", "-id"]
    change_list_template = "admin/tutoring/usageentry/change_list.html"
    fields = [
        "university",
        "course",
        "day",
        "created_at",
        "purpose",
        "generation",
        "provider",
        "model",
        "input_tokens",
        "output_tokens",
        "cache_write_tokens",
        "cache_read_tokens",
        "cost_usd",
        "is_estimated",
    ]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        # Django takes any column of the row for a filter, the student's number too.
        return lookup.partition("__")[0] != "user" and super().lookup_allowed(lookup, value, request)

    def totals(self, rows: "QuerySet[UsageEntry]") -> dict[str, Any]:
        """`unpriced` counts entries of models whose price the settings do not know."""
        return rows.aggregate(
            replies=Count("pk", filter=Q(purpose=UsageEntry.Purpose.REPLY)),
            titles=Count("pk", filter=Q(purpose=UsageEntry.Purpose.TITLE)),
            students=Count("user", distinct=True),
            tokens_in=Sum(F("input_tokens") + F("cache_write_tokens") + F("cache_read_tokens"), default=0),
            tokens_out=Sum("output_tokens", default=0),
            usd=Sum("cost_usd", default=0),
            unpriced=Count("pk", filter=Q(cost_usd=None) & ~Q(provider="practice")),
            estimated=Count("pk", filter=Q(is_estimated=True)),
        )
