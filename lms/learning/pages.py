"""What the templates of this app's pages are given: rows become words and addresses here."""

from typing import Any

from django.urls import reverse
from django.utils.safestring import mark_safe

from lms.courses.addresses import media_prefix
from lms.courses.markdown import plain_text, render_lesson
from lms.courses.models import Course, CourseOffering, Prerequisite
from lms.courses.outlines import Tree
from lms.learning import queries
from lms.learning.addresses import lesson_url
from lms.learning.queries import Study
from tenants.access import has_role
from tenants.models import Role, User

Context = dict[str, Any]
# A row of the catalogue shows its beginning; the rest need not be read for it.
_SUMMARY_CHARACTERS = 1000


def resume_card(study: Study) -> Context:
    course = study.enrollment.offering.course
    title = study.place[1] if study.place else course.title
    progress = _progress(study)
    return {
        "university": study.enrollment.university.name,
        "course": course.title,
        "lesson": title,
        "url": progress["continue_url"],
        "done": study.done,
        "total": study.total,
    }


def my_course(study: Study) -> Context:
    course = study.enrollment.offering.course
    return {
        "title": course.title,
        "code": course.code,
        "term": study.enrollment.offering.term,
        "url": course_url(study.enrollment.university.slug, course),
        "status": study.enrollment.status,
        **_progress(study),
    }


def catalogue_row(course: Course, *, is_mine: bool) -> Context:
    return {
        "title": course.title,
        "code": course.code,
        "url": course_url(course.university.slug, course),
        "summary": plain_text(course.description[:_SUMMARY_CHARACTERS], format="markdown"),
        "subject": course.subject.name if course.subject else "",
        "level": course.get_level_display(),
        "is_mine": is_mine,
    }


def course_page(user: User, course: Course) -> Context:
    """The same number of queries for a course of any size."""
    studies = queries.studies_in(user, course)
    offerings = queries.offerings_with_seats(course)
    prerequisites = queries.prerequisites_for(user, course)
    missing = queries.missing_of(prerequisites)
    description = render_lesson(course.description, media_prefix=media_prefix(course.university.slug, course.pk))
    return {
        "university": course.university,
        "course": {
            "title": course.title,
            "code": course.code,
            "subject": course.subject.name if course.subject else "",
            "department": course.department.name if course.department else "",
            "level": course.get_level_display(),
            "is_draft": course.status == Course.Status.DRAFT,
        },
        "description_html": mark_safe(description),  # noqa: S308 # from the sanitiser, as all rendered Markdown
        "objectives": course.objectives,
        "outline": _outline(user, course, studies, offerings),
        "offerings": [_offering(offering, left, studies.get(offering.pk), missing) for offering, left in offerings],
        "prerequisites": [_prerequisite(course.university.slug, row, is_met) for row, is_met in prerequisites],
    }


def _outline(
    user: User, course: Course, studies: dict[int, Study], offerings: list[tuple[CourseOffering, int | None]]
) -> Tree:
    """With links into the offering that the person studies; for those who teach, into the newest."""
    for study in studies.values():
        if study.enrollment.status in queries.OPEN_STATUSES:
            done = queries.done_items(study.enrollment)
            return queries.course_outline(course, study.enrollment.offering_id, done=done)
    if offerings and has_role(user, course.university_id, Role.TA):
        return queries.course_outline(course, offerings[0][0].pk, teaches=True)
    return queries.course_outline(course, None)


def course_url(university_slug: str, course: Course) -> str:
    return reverse("learning:course", args=[university_slug, course.slug])


def _offering(offering: CourseOffering, left: int | None, study: Study | None, missing: list[Course]) -> Context:
    is_mine = study is not None and study.enrollment.status != queries.Status.DROPPED
    refusal = "" if is_mine else queries.closed_because(offering) or queries.missing_sentence(missing)
    return {
        "id": offering.pk,
        "term": offering.term,
        "starts_at": offering.starts_at,
        "ends_at": offering.ends_at,
        "seats_left": left,
        "status": study.enrollment.status if study and is_mine else "",
        "can_enroll": not is_mine and not refusal,
        "refusal": refusal,
        **(_progress(study) if study and is_mine else {}),
    }


def _prerequisite(university_slug: str, row: Prerequisite, is_met: bool) -> Context:
    required = row.required_course
    is_shown = required.status == Course.Status.PUBLISHED
    return {
        "title": required.title,
        "url": course_url(university_slug, required) if is_shown else "",
        "kind": row.get_kind_display(),
        "is_met": is_met,
    }


def _progress(study: Study) -> Context:
    slug, offering_id = study.enrollment.university.slug, study.enrollment.offering_id
    return {
        "done": study.done,
        "total": study.total,
        "continue_url": lesson_url(slug, offering_id, study.place[0]) if study.place else "",
        "continue_title": study.place[1] if study.place else "",
    }
