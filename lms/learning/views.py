"""Pages of studying: front door, a university's home, a course, and what a student does there."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from lms.courses import queries as courses
from lms.courses.access import access_course_by_slug
from lms.learning import pages, queries
from lms.learning.access import access_lesson, access_offering
from lms.learning.actions import enrolment, progress, quizzes
from lms.learning.addresses import lesson_url
from lms.learning.errors import NotAQuiz, NotEnrolled
from lms.learning.forms import CatalogueForm, answer_fields, given_answers
from lms.learning.models import Enrollment
from tenants import queries as tenants
from tenants.access import access_university
from tenants.models import User
from tenants.requests import signed_in

COURSES_PER_PAGE = 20


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """The one page that everybody may open."""
    if not isinstance(request.user, User):
        return render(request, "tenants/front.html", {"universities": tenants.listed_universities()})
    user = request.user
    study = queries.resume(user)
    context = {
        "resume": pages.resume_card(study) if study else None,
        "my_universities": tenants.universities_for_front(user),
        "open_universities": tenants.open_universities(user),
    }
    return render(request, "tenants/front.html", context)


@login_required
@require_safe
def home(request: HttpRequest, university: str) -> HttpResponse:
    user = signed_in(request)
    place = access_university(user, university)
    studies = queries.shelf(user, place)
    form = CatalogueForm(request.GET, courses.subjects_taught_at(place))
    filters = form.filters()
    rows = courses.courses_for_catalogue(user, place, **filters)
    page: Page[Any] = Paginator(rows, COURSES_PER_PAGE).get_page(request.GET.get("page"))
    mine = {study.enrollment.offering.course_id for study in studies}
    page.object_list = [pages.catalogue_row(row, is_mine=row.pk in mine) for row in page.object_list]
    context = {
        "university": place,
        "my_courses": [pages.my_course(study) for study in studies],
        "filters": form,
        "is_filtered": any(filters.values()),
        "catalogue": page,
    }
    return render(request, "courses/home.html", context)


@login_required
@require_safe
def course(request: HttpRequest, university: str, slug: str) -> HttpResponse:
    user = signed_in(request)
    return render(
        request, "courses/course.html", pages.course_page(user, access_course_by_slug(user, university, slug))
    )


@login_required
@require_POST
def enroll(request: HttpRequest, university: str, offering: int) -> HttpResponse:
    user = signed_in(request)
    place = access_offering(user, offering, university)
    enrollment = enrolment.enroll(by=user, offering_id=place.pk)
    if enrollment.status == Enrollment.Status.WAITLISTED:
        messages.info(request, _("All seats are taken. You are on the waiting list."))
    else:
        messages.success(request, _("You are enrolled."))
    return redirect("learning:course", university, place.course.slug)


@login_required
@require_POST
def drop(request: HttpRequest, university: str, offering: int) -> HttpResponse:
    user = signed_in(request)
    place = access_offering(user, offering, university)
    enrolment.drop(by=user, offering_id=place.pk)
    messages.info(request, _("You no longer take this course. What you have done is kept."))
    return redirect("learning:course", university, place.course.slug)


@login_required
@require_POST
def mark_done(request: HttpRequest, university: str, offering: int, item: int) -> HttpResponse:
    user = signed_in(request)
    lesson = access_lesson(user, university=university, offering=offering, item=item)
    if lesson.enrollment is None:
        raise NotEnrolled
    progress.mark_done(by=user, enrollment=lesson.enrollment, item=lesson.item)
    return redirect(lesson_url(university, offering, item) + "#lesson")


@login_required
@require_POST
def check_quiz(request: HttpRequest, university: str, offering: int, item: int) -> HttpResponse:
    """Back to the lesson with the answers in its address, where a reload shows the same marks."""
    lesson = access_lesson(signed_in(request), university=university, offering=offering, item=item)
    if lesson.item.content_type.slug != "quiz":
        raise NotAQuiz
    fields = answer_fields(request.POST)
    quizzes.keep_answers(lesson=lesson, answers=given_answers(lesson.item.data["questions"], fields))
    return redirect(f"{lesson_url(university, offering, item)}?{fields.urlencode()}#lesson")
