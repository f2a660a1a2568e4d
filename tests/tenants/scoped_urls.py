"""A site of its own that authors courses through nothing but `ScopedAdmin`, to try the base apart from its users."""

from django import forms
from django.urls import include, path

from lms.courses.models import ContentItem, Course, CourseOffering, Module
from lms.urls import handler400, handler403, handler404, handler500, urlpatterns
from tenants.admin import ScopedAdmin, ScopedTabularInline
from tenants.admin.universities import DepartmentAdmin, UniversityAdmin
from tenants.admin_site import ColloquyAdminSite
from tenants.models import Department, University

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

site = ColloquyAdminSite(name="admin")


class OfferingInline(ScopedTabularInline):
    model = CourseOffering
    fields = ["term"]
    extra = 0


class PlainTemplates(ScopedAdmin):
    """Django's own pages: those of the courses' admin are made for that one."""

    add_form_template = change_form_template = "admin/change_form.html"
    change_list_template = "admin/change_list.html"


class CourseAdmin(PlainTemplates):
    fields = ["university", "department", "code", "title", "slug"]
    list_display = ["title"]
    list_filter = ["department", "university"]
    search_fields = ["title"]
    inlines = [OfferingInline]


class LooseForm(forms.ModelForm):
    """Not a `ScopedForm`, and with choices of every university: what somebody may write who forgets the first wall."""

    course = forms.ModelChoiceField(queryset=Course.objects.all())


class OfferingAdmin(PlainTemplates):
    fields = ["course", "term"]
    autocomplete_fields = ["course"]
    university_from = "course"


class LooseOfferingAdmin(PlainTemplates):
    fields = ["course", "term"]
    form = LooseForm
    university_from = "course"


site.register(Course, CourseAdmin)
site.register(CourseOffering, OfferingAdmin)
site.register(Department, DepartmentAdmin)
site.register(University, UniversityAdmin)
# The templates of the courses' admin link to these.
site.register([ContentItem, Module], PlainTemplates)

loose = ColloquyAdminSite(name="loose")
loose.register(Course, CourseAdmin)
loose.register(CourseOffering, LooseOfferingAdmin)

urlpatterns = [path("scoped/", site.urls), path("loose/", loose.urls), path("", include(urlpatterns))]
