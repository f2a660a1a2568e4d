from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from lms.courses.actions import courses as actions
from lms.courses.actions.offerings import remove_prerequisite, update_offering
from lms.courses.admin.acting import ActionAdmin
from lms.courses.forms.courses import CourseForm
from lms.courses.forms.times import LABELLED_TIMES
from lms.courses.models import Course, CourseOffering, Prerequisite
from tenants.admin import ScopedStackedInline, ScopedTabularInline
from tenants.models import User
from tenants.requests import signed_in

_OFFERING_FIELDS = (
    "term", "starts_at", "ends_at", "capacity", "enrollment_opens_at", "enrollment_closes_at", "hint_policy"
)  # fmt: skip


class OfferingInline(ScopedStackedInline):
    """Offerings are not deleted here: with them would go what students did."""

    model = CourseOffering
    extra = 0
    can_delete = False
    formfield_overrides = LABELLED_TIMES
    fields = [
        ("term", "capacity"),
        ("starts_at", "ends_at"),
        ("enrollment_opens_at", "enrollment_closes_at"),
        "hint_policy",
    ]


class PrerequisiteInline(ScopedTabularInline):
    model = Prerequisite
    fk_name = "course"
    extra = 0
    fields = ["required_course", "kind"]

    def get_formset(self, request: HttpRequest, obj: Course | None = None, **kwargs: Any) -> Any:
        """The other courses of the same university, and no shortcut for making or changing one."""
        formset = super().get_formset(request, obj, **kwargs)
        field: Any = formset.form.base_fields["required_course"]
        others = Course.objects.none() if obj is None else Course.objects.filter(university=obj.university_id)
        field.queryset = others.exclude(pk=obj.pk) if obj else others
        for shortcut in ("can_add_related", "can_change_related", "can_delete_related", "can_view_related"):
            setattr(field.widget, shortcut, False)
        return formset


@admin.register(Course)
class CourseAdmin(ActionAdmin):
    form = CourseForm
    list_display = ["title", "code", "status", "level", "department", "university", "tree"]
    list_filter = ["status", "level", "department", "university"]
    list_select_related = ["department", "university"]
    search_fields = ["title", "code", "description"]
    prepopulated_fields = {"slug": ("title",)}
    actions = ["publish", "archive"]
    inlines = [OfferingInline, PrerequisiteInline]
    fieldsets = [
        (None, {"fields": ["university", "title", ("code", "slug"), "status"]}),
        (_("About the course"), {"fields": ["description", "objectives"]}),
        (_("Where it belongs"), {"fields": [("department", "subject"), ("level", "language")]}),
    ]

    @admin.display(description=_("tree"))
    def tree(self, course: Course) -> str:
        return format_html('<a href="{}">{}</a>', tree_url(course.pk), _("Modules and content"))

    def get_inlines(self, request: HttpRequest, obj: Course | None) -> Any:
        """Only for a course that is there: its university decides what may be chosen."""
        return self.inlines if obj else []

    @admin.action(description=_("Publish: students see the course"))
    def publish(self, request: HttpRequest, queryset: "QuerySet[Course]") -> None:
        for course in queryset:
            actions.publish_course(by=signed_in(request), course=course)
        count = len(queryset)
        self.message_user(request, ngettext("%s course is published.", "%s courses are published.", count) % count)

    @admin.action(description=_("Archive: only those who teach see the course"))
    def archive(self, request: HttpRequest, queryset: "QuerySet[Course]") -> None:
        for course in queryset:
            actions.archive_course(by=signed_in(request), course=course)
        count = len(queryset)
        self.message_user(request, ngettext("%s course is archived.", "%s courses are archived.", count) % count)

    def save_model(self, request: HttpRequest, obj: Course, form: Any, change: bool) -> None:
        by, given = signed_in(request), dict(form.cleaned_data)
        status = given.pop("status")
        university = given.pop("university", None)
        if change:
            course = actions.update_course(by=by, course=obj, **given)
        else:
            course = actions.create_course(by=by, university=university, **given)
        _set_status(by, course, status)
        obj.pk = course.pk
        obj.refresh_from_db()
        if not change:
            self.message_user(
                request, _("Now give the course its modules, and an offering to enrol in."), messages.INFO
            )

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        by = signed_in(request)
        formset.save(commit=False)
        for row in formset.new_objects:
            _add(by, form.instance, row)
        for row, _changed in formset.changed_objects:
            _change(by, form.instance, row)
        for row in formset.deleted_objects:
            remove_prerequisite(by=by, prerequisite=row)

    def delete_model(self, request: HttpRequest, obj: Course) -> None:
        actions.delete_course(by=signed_in(request), course=obj)


def tree_url(course_id: int) -> str:
    return f"{reverse('admin:courses_module_changelist')}?course={course_id}"


def _set_status(by: User, course: Course, status: str) -> None:
    if status == course.status:
        return
    if status == Course.Status.PUBLISHED:
        actions.publish_course(by=by, course=course)
    else:
        actions.archive_course(by=by, course=course)


def _add(by: User, course: Course, row: CourseOffering | Prerequisite) -> None:
    """The row takes the key of the one that the action made, for the history."""
    if isinstance(row, CourseOffering):
        row.pk = actions.create_offering(by=by, course=course, **_offering(row)).pk
    else:
        required = row.required_course
        row.pk = actions.add_prerequisite(by=by, course=course, required_course=required, kind=row.kind).pk


def _change(by: User, course: Course, row: CourseOffering | Prerequisite) -> None:
    if isinstance(row, CourseOffering):
        update_offering(by=by, offering=row, **_offering(row))
        return
    # Which course is required is what a prerequisite is: another one is another row.
    before = Prerequisite.objects.get(pk=row.pk)
    if before.required_course_id != row.required_course_id:
        remove_prerequisite(by=by, prerequisite=before)
    _add(by, course, row)


def _offering(row: CourseOffering) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _OFFERING_FIELDS}
