"""What the tutor used: tokens, cost, time and state of each reply. What was said is the students' and not shown."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.filters import RelatedOnlyFieldListFilter
from django.db.models import Count, F, Q, QuerySet, Sum
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from tutoring.admin.reading import ReadOnlyAdmin
from tutoring.models import Generation, Message


@admin.register(Generation)
class GenerationAdmin(ReadOnlyAdmin):
    """Neither session nor message is named: a title is a student's words."""

    list_display = [
        "created_at",
        "state",
        "course",
        "provider",
        "model",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cost_usd",
        "ttft_ms",
    ]
    list_filter = [
        "state",
        "provider",
        "model",
        "university",
        ("session__offering__course", RelatedOnlyFieldListFilter),
    ]
    list_select_related = ["session__offering__course"]
    date_hierarchy = "created_at"
    ordering = ["-created_at"]
    change_list_template = "admin/tutoring/generation/change_list.html"
    fieldsets = [
        (None, {"fields": ["id", "university", "course", "state", "stop_reason", "error"]}),
        (_("Made by"), {"fields": ["provider", "model", "budget_step", "tries", "trace_id"]}),
        (_("Made from"), {"fields": ["prompt_versions", "prompt_hash", "left_out_messages"]}),
        (
            _("Used"),
            {
                "fields": [
                    "input_tokens",
                    "output_tokens",
                    "cache_write_tokens",
                    "cache_read_tokens",
                    "cost_usd",
                    "is_estimated",
                ]
            },
        ),
        (_("Time"), {"fields": ["created_at", "ttft_ms", "finished_at"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        """Without what students and the tutor wrote, which these pages never need in memory either."""
        return super().get_queryset(request).defer("session__title", "session__content_context")

    @admin.display(description=_("course"))
    def course(self, generation: Generation) -> str:
        return str(generation.session.offering.course)

    @admin.display(description=_("error"))
    def error(self, generation: Generation) -> str:
        codes = Message.objects.filter(generation=generation).values_list("error_code", flat=True)
        return codes.first() or ""

    def totals(self, rows: "QuerySet[Generation]") -> dict[str, Any]:
        """`unpriced` counts replies of models whose price the settings do not know."""
        return rows.aggregate(
            replies=Count("pk"),
            failed=Count("pk", filter=Q(state=Message.State.FAILED)),
            tokens_in=Sum(F("input_tokens") + F("cache_write_tokens") + F("cache_read_tokens"), default=0),
            tokens_out=Sum("output_tokens", default=0),
            usd=Sum("cost_usd", default=0),
            unpriced=Count("pk", filter=Q(cost_usd=None, input_tokens__gt=0) & ~Q(provider="practice")),
        )
