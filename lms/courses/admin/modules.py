"""The tree of one course: moved by drag or by buttons, each move through the one locked action."""

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from mptt.admin import DraggableMPTTAdmin

from lms.courses.actions import tree
from lms.courses.actions.tree import Position
from lms.courses.admin.acting import ActionAdmin
from lms.courses.admin.courses import tree_url
from lms.courses.errors import InvalidMove
from lms.courses.forms.modules import ModuleForm
from lms.courses.models import Course, Module
from tenants.admin_site import scope_of
from tenants.errors import DomainError, NotVisible
from tenants.requests import signed_in

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

    TreeAdmin = admin.ModelAdmin[Any]
else:
    StrPromise = str
    TreeAdmin = DraggableMPTTAdmin

_DRAGS: dict[str, Position] = {"left": "left", "right": "right", "last-child": "last-child"}


class _Nudge(NamedTuple):
    """A step of a module: its button, and what is said where it leads nowhere."""

    sign: str
    label: StrPromise
    sentence: StrPromise


_NUDGES = {
    "up": _Nudge("↑", _("Move “%s” up"), _("“%s” is the first there already.")),
    "down": _Nudge("↓", _("Move “%s” down"), _("“%s” is the last there already.")),
    "in": _Nudge("→", _("Put “%s” under the module above it"), _("There is no module above “%s” to put it under.")),
    "out": _Nudge("←", _("Take “%s” out of the module it stands in"), _("“%s” stands as far out as it can.")),
}


_NUDGE_BUTTON = (
    '<button class="nudge" name="nudge" value="{0}:{1}" id="nudge-{1}-{0}" title="{2}" aria-label="{2}">{3}</button>'
)


@admin.register(Module)
class ModuleAdmin(ActionAdmin, TreeAdmin):
    form = ModuleForm
    university_from = "course"
    expand_tree_by_default = True
    # In the style sheet too, where each level has its place.
    mptt_level_indent = 20
    change_list_template = "admin/courses/module/change_list.html"
    list_display = ["tree_actions", "indented_title", "kind", "contents", "additions", "nudges"]
    list_display_links = ["indented_title"]
    empty_value_display = ""

    @admin.display(description=_("drag"))
    def tree_actions(self, module: Module) -> SafeString:
        """The handle, and the sign that folds what is below; django-mptt gives this column no heading."""
        drawn: SafeString = DraggableMPTTAdmin.tree_actions(self, module)
        return drawn

    @admin.display(description=_("title"))
    def indented_title(self, module: Module) -> str:
        """The level is an attribute for the style sheet: the page's policy allows no style of its own to an element."""
        return format_html('<span class="tree-title" data-level="{}">{}</span>', min(module.level, 12), module.title)

    @admin.display(description=_("kind"))
    def kind(self, module: Module) -> str:
        return str(module.get_type_display())

    @admin.display(description=_("content"))
    def contents(self, module: Any) -> str:
        if not module.item_count:
            return ""
        url = reverse("admin:courses_contentitem_changelist")
        words = gettext("%s items") if module.item_count > 1 else gettext("%s item")
        return format_html('<a href="{}?module__id__exact={}">{}</a>', url, module.pk, words % module.item_count)

    @admin.display(description=_("add here"))
    def additions(self, module: Module) -> str:
        return format_html(
            '<a class="addlink" href="{}?course={}&amp;parent={}">{}</a> <a class="addlink" href="{}?module={}">{}</a>',
            reverse("admin:courses_module_add"), module.course_id, module.pk, _("Module"),
            reverse("admin:courses_contentitem_add"), module.pk, _("Content"),
        )  # fmt: skip

    @admin.display(description=_("move"))
    def nudges(self, module: Module) -> str:
        """The way to move a module by keyboard, and without a script."""
        if module.parent_id is None:
            return ""
        return format_html_join(
            "",
            _NUDGE_BUTTON,
            ((way, module.pk, nudge.label % module.title, nudge.sign) for way, nudge in _NUDGES.items()),
        )

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        """Not in the admin's index: the way to a tree is its course."""
        return {}

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        rows: QuerySet[Any] = super().get_queryset(request).select_related("course")
        counted: QuerySet[Any] = rows.annotate(item_count=Count("items"))
        return counted

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """One course's tree: `?course=` names it."""
        course = self._course(request)
        if course is None:
            self.message_user(request, _("Choose the course whose modules you want to see."), messages.INFO)
            return redirect("admin:courses_course_changelist")
        if "nudge" in request.POST:
            return self._nudge(request, course)
        context = {"course": course, "title": course.title, "subtitle": None, **(extra_context or {})}
        return super().changelist_view(request, context)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "course" or super().lookup_allowed(lookup, value, request)

    def _course(self, request: HttpRequest) -> Course | None:
        """The course that the address names, where it is one of the person's."""
        return find_course(request, request.GET.get("course", ""))

    def _tree_context(self, request: HttpRequest) -> dict[str, Any]:
        """What django-mptt's script needs to know, of this course alone."""
        course = self._course(request)
        rows = super().get_queryset(request).filter(course=course).order_by("lft")
        return {
            "storageName": f"tree_of_course_{course.pk if course else 0}_collapsed",
            "treeStructure": _children(rows),
            "levelIndent": self.mptt_level_indent,
            "messages": {
                "before": gettext("before this one"),
                "child": gettext("into this one"),
                "after": gettext("after this one"),
                "collapseTree": gettext("Collapse all"),
                "expandTree": gettext("Expand all"),
            },
            "expandTreeByDefault": self.expand_tree_by_default,
        }

    def _move_node(self, request: HttpRequest) -> HttpResponse:
        """What the drag sends. Its script loads the page again, which then shows the message."""
        try:
            module, target = (self._module(request, request.POST.get(name, "")) for name in ("cut_item", "pasted_on"))
            if request.POST.get("position") not in _DRAGS:
                raise InvalidMove
            self._move(request, module, target, _DRAGS[request.POST["position"]])
        except NotVisible:
            sentence = gettext("The module is no longer there. This is the tree as it is now.")
            self.message_user(request, sentence, messages.ERROR)
            return HttpResponse(sentence, status=404)
        except DomainError as refusal:
            self.message_user(request, refusal.detail, messages.ERROR)
            return HttpResponse(refusal.detail, status=refusal.status)
        return HttpResponse(gettext("Moved."))

    def _nudge(self, request: HttpRequest, course: Course) -> HttpResponse:
        way, _colon, pk = request.POST["nudge"].partition(":")
        if way not in _NUDGES:
            raise InvalidMove
        module = self._module(request, pk)
        step = _step(module, way)
        if step is None:
            self.message_user(request, _NUDGES[way].sentence % module.title, messages.INFO)
        else:
            self._move(request, module, *step)
        # The same button is where the keyboard goes on.
        return redirect(f"{tree_url(course.pk)}#nudge-{module.pk}-{way}")

    def _module(self, request: HttpRequest, pk: str) -> Module:
        found = self.get_queryset(request).filter(pk=pk).first() if pk.isdecimal() else None
        if found is None:
            raise NotVisible
        module: Module = found
        return module

    def _move(self, request: HttpRequest, module: Module, target: Module, position: Position) -> None:
        moved = tree.move_module(by=signed_in(request), module=module, target=target, position=position)
        self.log_change(request, moved, [{"changed": {"fields": ["parent", "place"]}}])
        self.message_user(request, gettext("“%s” has moved.") % moved.title, messages.SUCCESS)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        course = self._course(request)
        if course is None:
            self.message_user(
                request, _("Modules are added in the tree of their course. Choose it first."), messages.INFO
            )
            return redirect("admin:courses_course_changelist")
        return super().add_view(request, form_url, {"course": course, **(extra_context or {})})

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.course = obj.course if obj else self._course(request)
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        placing = [] if obj else [("parent", "place")]
        return [
            (None, {"fields": ["title", "type", *placing]}),
            (_("When students may open it"), {"fields": [("available_from", "available_until")]}),
        ]

    def save_model(self, request: HttpRequest, obj: Module, form: Any, change: bool) -> None:
        given = dict(form.cleaned_data)
        if change:
            saved = tree.update_module(by=signed_in(request), module=obj, **given)
        else:
            place = given.pop("place")
            position = None if place is None else place - 1
            saved = tree.create_module(by=signed_in(request), course=form.course, position=position, **given)
        obj.pk = saved.pk
        obj.refresh_from_db()

    def delete_model(self, request: HttpRequest, obj: Module) -> None:
        tree.delete_module(by=signed_in(request), module=obj)

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[Module]") -> None:
        """A module takes those below it along, so only the topmost of the selected are deleted by name."""
        gone: list[Module] = []
        for module in queryset.order_by("lft"):
            if not any(module.is_descendant_of(above) for above in gone):
                gone.append(module)
        for module in gone:
            self.delete_model(request, module)

    def delete_selected_tree(self, modeladmin: Any, request: HttpRequest, queryset: "QuerySet[Any]") -> Any:
        """In place of django-mptt's, which deletes around the action."""
        return delete_selected(self, request, queryset)

    def response_post_save_add(self, request: HttpRequest, obj: Module) -> HttpResponseRedirect:
        return HttpResponseRedirect(tree_url(obj.course_id))

    def response_post_save_change(self, request: HttpRequest, obj: Module) -> HttpResponseRedirect:
        return HttpResponseRedirect(tree_url(obj.course_id))


def _children(modules: "QuerySet[Any]") -> dict[str, list[int]]:
    """By the id of their parent, in the tree's order."""
    children: dict[str, list[int]] = defaultdict(list)
    for pk, parent in modules.exclude(parent=None).values_list("pk", "parent"):
        children[str(parent)].append(pk)
    return children


def find_course(request: HttpRequest, pk: str) -> Course | None:
    """For those who author at its university; absent and foreign are the same None."""
    course = Course.objects.select_related("university").filter(pk=pk).first() if pk.isdecimal() else None
    return course if course and scope_of(request).allows(course.university_id, ModuleAdmin.minimum_role) else None


def _step(module: Module, way: str) -> tuple[Module, Position] | None:
    """Beside or under which module one step leads; None at the end of the way."""
    match way:
        case "up":
            return _beside(module.get_previous_sibling(), "left")
        case "down":
            return _beside(module.get_next_sibling(), "right")
        case "in":
            return _beside(module.get_previous_sibling(), "last-child")
        case _:
            return _beside(module.parent if module.level > 1 else None, "right")


def _beside(target: Any, position: Position) -> tuple[Module, Position] | None:
    return (target, position) if target else None
