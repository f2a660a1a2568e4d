"""One lesson or offering for one person, or a refusal. Absent and foreign are the same `NotVisible`."""

from dataclasses import dataclass

from lms.courses.models import ContentItem, Course, CourseOffering
from lms.learning.errors import NotOpen
from lms.learning.lesson_row import LessonRow, fetch_lesson_row
from lms.learning.models import Enrollment
from tenants.entering import enter, enter_with
from tenants.errors import NotVisible
from tenants.models import ROLE_ORDER, Role, University, User

TEACHING = frozenset(ROLE_ORDER[ROLE_ORDER.index(Role.TA) :])
STUDYING = frozenset({Enrollment.Status.ACTIVE, Enrollment.Status.COMPLETED})


@dataclass(frozen=True)
class Lesson:
    """A content item as one person meets it in one offering of its course.

    `enrollment` is the person's own where they may study by it, and `done` the ids of the items done in it; `teaches`
    says that they look at it as staff.
    """

    user: User
    item: ContentItem
    offering: CourseOffering
    course: Course
    university: University
    enrollment: Enrollment | None
    teaches: bool
    done: frozenset[int]

    @property
    def is_done(self) -> bool:
        return self.item.pk in self.done


def access_lesson(user: User, *, university: str, offering: int, item: int) -> Lesson:
    """The item for those who study in the offering and those who teach at the university; one query.

    Raises `NotVisible` for members who are not enrolled too: where they enrol is the course's page.
    """
    enter(university)
    row = fetch_lesson_row(user_id=user.pk, university=university, offering_id=offering, item_id=item)
    if row is None:
        raise NotVisible
    if user.is_platform_admin:
        return _lesson(user, row, teaches=True)
    # None for those whose membership has ended, whatever they were enrolled in.
    if not row.roles:
        raise NotVisible
    if not TEACHING.isdisjoint(row.roles):
        return _lesson(user, row, teaches=True)
    if row.enrollment is None:
        raise NotVisible
    if row.enrollment.status not in STUDYING:
        raise NotVisible
    if row.item.module.course.status != Course.Status.PUBLISHED:
        raise NotVisible
    if row.item.status != ContentItem.Status.PUBLISHED:
        raise NotVisible
    if row.is_closed:
        raise NotOpen
    return _lesson(user, row, teaches=False)


def access_offering(user: User, offering_id: int, university: str | None = None) -> CourseOffering:
    """An offering of a course that the person may see, whether they take it or not."""
    if university is None:
        enter_with(CourseOffering, offering_id)
    else:
        enter(university)
    visible = CourseOffering.objects.filter(pk=offering_id, course__in=Course.objects.visible_to(user))
    if university is not None:
        visible = visible.filter(university__slug=university)
    offering = visible.select_related("course__university").first()
    if offering is None:
        raise NotVisible
    return offering


def access_enrollment(user: User, enrollment_id: int) -> Enrollment:
    """The person's own enrollment."""
    enter_with(Enrollment, enrollment_id)
    mine = Enrollment.objects.visible_to(user).select_related("offering__course__university")
    enrollment = mine.filter(pk=enrollment_id).first()
    if enrollment is None:
        raise NotVisible
    return enrollment


def _lesson(user: User, row: LessonRow, *, teaches: bool) -> Lesson:
    enrollment = row.enrollment if row.enrollment and row.enrollment.status in STUDYING else None
    course = row.item.module.course
    return Lesson(
        user,
        row.item,
        row.offering,
        course,
        row.item.university,
        enrollment,
        teaches,
        row.done if enrollment else frozenset(),
    )
