"""One row for one person, or a refusal. Absent and foreign are the same `NotVisible`."""

from lms.courses.models import Course, MediaAsset
from prompts.rules import is_storable
from tenants.access import require_role
from tenants.entering import enter, enter_with
from tenants.errors import NotVisible
from tenants.models import Role, University, User


def access_course(user: User, course_id: int) -> Course:
    enter_with(Course, course_id)
    visible = Course.objects.visible_to(user).select_related("university", "department", "subject")
    course = visible.filter(pk=course_id).first()
    if course is None:
        raise NotVisible
    return course


def access_course_by_slug(user: User, university_slug: str, slug: str) -> Course:
    enter(university_slug)
    visible = Course.objects.visible_to(user).select_related("university", "department", "subject")
    course = visible.filter(university__slug=university_slug, slug=slug).first()
    if course is None:
        raise NotVisible
    return course


def access_media(user: User, university_slug: str, course_id: int, path: str) -> MediaAsset:
    """For everybody who may see the course: pictures stand in its description too. One query."""
    if not is_storable(path):
        raise NotVisible
    enter(university_slug)
    asset = MediaAsset.objects.filter(
        course=course_id,
        path=path,
        university__slug=university_slug,
        course__in=Course.objects.visible_to(user),
    ).first()
    if asset is None:
        raise NotVisible
    return asset


def require_author(by: User | None, course: Course, least: Role = Role.INSTRUCTOR) -> None:
    """Whether the person may write in the course; None is the system, which may.

    Who cannot see the course learns nothing of it; who sees it and holds a lesser role is told so.
    """
    if by is None:
        return
    if not Course.objects.visible_to(by).filter(pk=course.pk).exists():
        raise NotVisible
    require_role(by, course.university_id, least)


def require_author_at(by: User | None, university: University) -> None:
    """As `require_author`, for a course that is yet to be made."""
    if by is None:
        return
    if not University.objects.visible_to(by).filter(pk=university.pk).exists():
        raise NotVisible
    require_role(by, university.pk, Role.INSTRUCTOR)
