"""The base of the courses' admin: it writes through actions alone, and says their refusals on the page."""

from contextlib import nullcontext
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import NestedObjects, quote
from django.db import models, router, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from lms.courses.errors import StaleRevision
from lms.courses.forms.times import LABELLED_TIMES
from lms.courses.models import ContentItem, Course, Module
from tenants.admin import ScopedAdmin
from tenants.errors import DomainError, NotAllowed

# What a confirmation names one by one; longer lists are counted.
_NAMED = (Course, Module, ContentItem)
_MAX_NAMED = 40


class ActionAdmin(ScopedAdmin):
    """`save_model` and `delete_model` of the subclasses call actions, whose refusals undo the whole request.

    A refused form comes back as it was typed, with the refusal's sentence and status.
    """

    formfield_overrides = LABELLED_TIMES

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except DomainError as refusal:
            if refusal.status in (403, 404):
                raise
            request.__dict__["_refusal"] = refusal
        response = super().changeform_view(request, object_id, form_url, extra_context)
        if response.status_code == 200:
            response.status_code = refusal_of(request).status
        return response

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        refusal = request.__dict__.get("_refusal")
        # A stale form finds that out by itself, and shows both texts.
        form.refusal = None if isinstance(refusal, StaleRevision) else refusal
        return form

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except DomainError as refusal:
            if refusal.status in (403, 404):
                raise
            self.message_user(request, refusal.detail, messages.ERROR)
        return redirect(self._url("change", quote(object_id)))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Of a refused bulk action nothing is done at all."""
        try:
            with transaction.atomic() if request.method == "POST" else nullcontext():
                return super().changelist_view(request, extra_context)
        except DomainError as refusal:
            if refusal.status in (403, 404):
                raise
            self.message_user(request, refusal.detail, messages.ERROR)
        return redirect(request.get_full_path())

    def delete_queryset(self, request: HttpRequest, queryset: "models.QuerySet[Any]") -> None:
        for row in queryset:
            self.delete_model(request, row)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Names what belongs to the course and counts what belongs to students, whose titles hold their own words."""
        collector = NestedObjects(using=router.db_for_write(self.model), origin=objs)
        collector.collect(objs)
        counts: dict[str, int] = {}
        names: list[str] = []
        found: Any = collector.model_objs
        for model, rows in found.items():
            if not all(self._is_allowed(request, row) for row in rows if hasattr(row, "university_id")):
                raise NotAllowed
            counts[str(model._meta.verbose_name_plural)] = len(rows)
            if model in _NAMED:
                names += sorted(f"{capfirst(model._meta.verbose_name)}: {row}" for row in rows)
        more = len(names) - _MAX_NAMED
        shown = [*names[:_MAX_NAMED], _("and %(count)s more") % {"count": more}] if more > 0 else names
        return shown, counts, set(), []

    def _url(self, page: str, *args: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}", args=args)


def refusal_of(request: HttpRequest) -> DomainError:
    refusal: DomainError = request.__dict__["_refusal"]
    return refusal
