"""What students thought of replies: their thumbs and comments, which are addressed to the university."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.filters import RelatedOnlyFieldListFilter
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from tutoring.admin.reading import ReadOnlyAdmin
from tutoring.models import Feedback

_SESSION = "message__session"


@admin.register(Feedback)
class FeedbackAdmin(ReadOnlyAdmin):
    """Without who said it and without the reply that it is about: a conversation is its student's alone."""

    list_display = ["created_at", "thumb", "comment", "lesson", "course"]
    list_filter = ["thumb", "university", (f"{_SESSION}__offering__course", RelatedOnlyFieldListFilter)]
    list_select_related = [f"{_SESSION}__content_item", f"{_SESSION}__offering__course"]
    search_fields = ["comment"]
    date_hierarchy = "created_at"
    ordering = ["-created_at"]
    change_list_template = "admin/tutoring/feedback/change_list.html"
    fields = ["university", "course", "lesson", "created_at", "updated_at", "thumb", "comment"]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        """Without what was said, which these pages never need in memory either."""
        said = ["message__body", f"{_SESSION}__title", f"{_SESSION}__content_context"]
        return super().get_queryset(request).defer(*said, f"{_SESSION}__content_item__data")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        # One reply's feedback, found by the reply, would tell whose it is to whoever knows the conversation's link.
        is_course = lookup.startswith(f"{_SESSION}__offering__course")
        is_own = lookup.partition("__")[0] != "message"
        return (is_own or is_course) and super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("lesson"))
    def lesson(self, feedback: Feedback) -> str:
        return feedback.message.session.content_item.title

    @admin.display(description=_("course"))
    def course(self, feedback: Feedback) -> str:
        return str(feedback.message.session.offering.course)

    def totals(self, rows: "QuerySet[Feedback]") -> dict[str, Any]:
        return rows.aggregate(
            up=Count("pk", filter=Q(thumb=Feedback.Thumb.UP)), down=Count("pk", filter=Q(thumb=Feedback.Thumb.DOWN))
        )
