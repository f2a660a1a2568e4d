"""Content items: the type first, then a form drawn from its schema, with a preview and an optimistic lock."""

from typing import Any

from csp.decorators import csp_update
from django.contrib import admin, messages
from django.contrib.admin.filters import RelatedOnlyFieldListFilter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.loader import select_template
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from lms.courses.actions import items as actions
from lms.courses.addresses import media_prefix
from lms.courses.admin.acting import ActionAdmin
from lms.courses.admin.courses import tree_url
from lms.courses.forms.content import ContentForm
from lms.courses.forms.drawing import LinesField
from lms.courses.forms.items import ItemForm
from lms.courses.item_html import item_content
from lms.courses.models import ContentItem, ContentType, MediaAsset, Module
from prompts.models import Prompt
from tenants.admin_site import scope_of
from tenants.errors import NotVisible
from tenants.requests import signed_in

# The preview shows a quiz with its buttons, which must do nothing.
_PREVIEW_MAY = {"sandbox": ["allow-same-origin", "allow-popups"]}


@admin.register(ContentItem)
class ContentItemAdmin(ActionAdmin):
    form = ItemForm
    university_from = "module"
    list_display = ["title", "content_type", "module", "course", "status", "updated_at"]
    list_filter = [
        "content_type",
        "status",
        ("module__course", RelatedOnlyFieldListFilter),
    ]
    list_select_related = ["content_type", "module__course"]
    search_fields = ["title"]
    ordering = ["module__tree_id", "module__lft", "sequence_index"]
    change_form_template = "admin/courses/contentitem/change_form.html"
    fieldsets = [
        (None, {"fields": ["title", ("module", "place", "status"), "revision"]}),
        (_("What it is for"), {"fields": ["objectives"]}),
        (
            _("Tutor"),
            {
                "fields": [("prompt_name", "prompt_label")],
                "classes": ["collapse"],
                "description": _("Which prompt the tutor works with in this lesson."),
            },
        ),
    ]

    @admin.display(description=_("course"))
    def course(self, item: ContentItem) -> str:
        return str(item.module.course)

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        """Without "add" in the admin's index: content is added in a tree."""
        return {**super().get_model_perms(request), "add": False}

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {"has_add_permission": False, **(extra_context or {})})

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "module__id__exact" or super().lookup_allowed(lookup, value, request)

    def get_urls(self) -> list[URLPattern]:
        preview = self.admin_site.admin_view(csp_update(_PREVIEW_MAY)(self.preview_view))
        name = "courses_contentitem_preview"
        return [
            path("add/preview/", preview, name=name),
            path("<int:pk>/preview/", preview, name=name),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """`?module=` says where to, `?type=` what; the page asks for a type that is not given."""
        module, content_type = self._new_module(request), self._new_type(request)
        if module is None:
            self.message_user(
                request, _("Content is added in the tree of a course. Choose the course first."), messages.INFO
            )
            return redirect("admin:courses_course_changelist")
        if content_type is None:
            return self._choose_type(request, module)
        return super().add_view(request, form_url, extra_context)

    def _new_module(self, request: HttpRequest) -> Module | None:
        pk = request.GET.get("module", "")
        module: Module | None = Module.objects.filter(pk=pk).first() if pk.isdecimal() else None
        return module if module and scope_of(request).allows(module.university_id, self.minimum_role) else None

    def _new_type(self, request: HttpRequest) -> ContentType | None:
        # Looked for here, because PostgreSQL takes no NUL even to look for it.
        return {kind.slug: kind for kind in ContentType.objects.all()}.get(request.GET.get("type", ""))

    def _choose_type(self, request: HttpRequest, module: Module) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("What do you want to add?"),
            "module": module,
            "tree_url": tree_url(module.course_id),
            "types": ContentType.objects.all(),
        }
        return TemplateResponse(request, "admin/courses/contentitem/choose_type.html", context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.content_type, form.course = self._kind(request, obj)
        return form

    def _kind(self, request: HttpRequest, obj: ContentItem | None) -> Any:
        """The type and the course of a stored item, or of the one that the address wants made."""
        if obj is not None:
            return obj.content_type, obj.module.course
        module, content_type = self._new_module(request), self._new_type(request)
        if module is None or content_type is None:
            raise NotVisible
        return content_type, module.course

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        form, obj = context["adminform"].form, kwargs.get("obj")
        course = form.course
        preview = "admin:courses_contentitem_preview"
        query = f"?{request.META['QUERY_STRING']}"
        context |= {
            "content": form.content,
            "content_type": form.content_type,
            "conflict": form.conflict,
            "tree_url": tree_url(course.pk),
            "course": course,
            "preview_url": reverse(preview, args=[obj.pk]) if obj else reverse(preview) + query,
            "files": MediaAsset.objects.filter(course=course).order_by("path").values_list("path", flat=True),
            "prompts": Prompt.objects.seen_from(course.university).values_list("name", flat=True).distinct(),
            "title": f"{form.content_type}",
        }
        if form.conflict is not None:
            # The two texts say what has happened; nothing has to be corrected.
            context["errors"] = None
        response = super().render_change_form(request, context, *args, **kwargs)
        if form.conflict is not None:
            response.status_code = 409
        return response

    def save_model(self, request: HttpRequest, obj: ContentItem, form: Any, change: bool) -> None:
        given, by = dict(form.cleaned_data), signed_in(request)
        module, place, revision = given.pop("module"), given.pop("place"), given.pop("revision")
        position = None if place is None else place - 1
        if form.content.answers is not None:
            given["answer_key"] = form.content.answers or None
        given["data"] = form.content.content
        if change:
            saved = actions.update_item(by=by, item_id=obj.pk, revision=revision, **given)
            if {"module", "place"} & set(form.changed_data):
                saved = actions.move_item(by=by, item=saved, module=module, position=position)
        else:
            kind = form.content_type
            saved = actions.create_item(by=by, module=module, content_type=kind, position=position, **given)
        obj.pk = saved.pk
        obj.refresh_from_db()

    def delete_model(self, request: HttpRequest, obj: ContentItem) -> None:
        actions.delete_item(by=signed_in(request), item=obj)

    def response_post_save_add(self, request: HttpRequest, obj: ContentItem) -> HttpResponseRedirect:
        return HttpResponseRedirect(tree_url(obj.module.course_id))

    def response_post_save_change(self, request: HttpRequest, obj: ContentItem) -> HttpResponseRedirect:
        return HttpResponseRedirect(tree_url(obj.module.course_id))

    def preview_view(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        """The form as it stands in the browser, as students would see it. Nothing is saved."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        item = self._previewed(request, pk)
        content_type, course = self._kind(request, item)
        content = ContentForm(request.POST, schema=content_type.schema, initial=item.data if item else None)
        is_valid = content.is_valid()
        prefix = media_prefix(course.university.slug, course.pk)
        context = {
            "university": course.university,
            "item": {
                "title": request.POST.get("title", ""),
                "objectives": LinesField(required=False).clean(request.POST.get("objectives", "")),
            },
            "form": content,
            "is_valid": is_valid,
            "content": item_content(content_type.slug, content.content, media_prefix=prefix) if is_valid else {},
            "content_template": _template_of(content_type),
        }
        status = 200 if is_valid else 400
        return TemplateResponse(request, "admin/courses/contentitem/preview.html", context, status=status)

    def _previewed(self, request: HttpRequest, pk: int | None) -> ContentItem | None:
        if pk is None:
            return None
        item = self.get_object(request, str(pk))
        if item is None:
            raise NotVisible
        if not self.has_change_permission(request, item):
            raise PermissionDenied
        stored: ContentItem = item
        return stored


def _template_of(content_type: ContentType) -> Any:
    """What students' pages show the type with; types that no page knows say so."""
    return select_template([f"courses/content/_{content_type.slug}.html", "admin/courses/contentitem/_no_preview.html"])
