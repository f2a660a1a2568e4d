"""What pages and endpoints read of studying."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from lms.courses import queries as courses
from lms.courses.item_html import Content
from lms.courses.models import ContentItem, Course, CourseOffering, Prerequisite
from lms.courses.outlines import Tree, build_tree
from lms.learning.access import Lesson
from lms.learning.addresses import lesson_prefix
from lms.learning.marking import Answers
from lms.learning.models import Enrollment, ItemProgress, SelfCheck
from tenants.entering import at_each
from tenants.models import University, User

Status = Enrollment.Status
OPEN_STATUSES = [Status.ACTIVE, Status.COMPLETED]
SEATED = [Status.ACTIVE, Status.COMPLETED, Status.PENDING]
# Of one person; who takes more at once than this sees the latest.
_SHELF_LIMIT = 50


def outline(lesson: Lesson) -> Tree:
    """The course around a lesson, with rows for its unit alone: one query, whatever the course's size."""
    return build_tree(
        courses.syllabus(lesson.course, with_drafts=lesson.teaches),
        done=lesson.done,
        item_url=lesson_prefix(lesson.university.slug, lesson.offering.pk),
        current_item=lesson.item.pk,
        opens_closed=lesson.teaches,
    )


def content(lesson: Lesson) -> Content:
    """What the lesson's template shows; no query when it has been rendered before."""
    return courses.content_of(lesson.item, lesson.university, lesson.course)


def course_outline(
    course: Course, offering_id: int | None, *, done: frozenset[int] = frozenset(), teaches: bool = False
) -> Tree:
    """The whole course, with links into an offering where there is one; one query."""
    return build_tree(
        courses.syllabus(course, with_drafts=teaches),
        done=done,
        item_url=lesson_prefix(course.university.slug, offering_id) if offering_id else "",
        # What cannot be opened anyhow is not called locked.
        opens_closed=teaches or offering_id is None,
    )


def done_items(enrollment: Enrollment) -> frozenset[int]:
    rows = ItemProgress.objects.filter(enrollment=enrollment).values_list("content_item_id", flat=True)
    return frozenset(rows)


def latest_answers(user: User, *, offering_id: int, item_id: int) -> Answers:
    """The person's own in their latest check of a quiz; empty where there is none. One query."""
    mine = Enrollment.objects.visible_to(user).filter(offering=offering_id)
    checks = SelfCheck.objects.filter(enrollment__in=mine, content_item=item_id)
    return checks.values_list("answers", flat=True).first() or {}


@dataclass(frozen=True)
class Study:
    """An enrollment with how far it has come. `place` is where to go on: the item last opened, else the first one.

    None where lessons may not be opened yet, or where there are none.
    """

    enrollment: Enrollment
    done: int
    total: int
    place: tuple[int, str] | None


def studies_of(user: User) -> QuerySet[Enrollment]:
    """The person's own enrollments, dropped ones too, the latest first. See `study`."""
    return _counted(Enrollment.objects.visible_to(user)).order_by("-created_at", "-pk")


def all_studies_of(user: User, status: str = "") -> Iterable[Enrollment]:
    """`studies_of` at all their universities; `status` alone where one is named."""
    named = Q(status=status) if status else Q()
    return at_each(user, lambda: studies_of(user).filter(named), key=lambda row: (row.created_at, row.pk), reverse=True)


def study_of(user: User, enrollment_id: int) -> Enrollment:
    """One row of `studies_of`, which the caller knows to be there."""
    return studies_of(user).get(pk=enrollment_id)


def shelf(user: User, university: University) -> list[Study]:
    """What the person studies or waits for at one university; where they were last comes first. One query."""
    rows = _on_the_shelf(user).filter(university=university)
    latest = rows.order_by(F("last_seen_at").desc(nulls_last=True), "-created_at", "-pk")
    return [study(row) for row in latest[:_SHELF_LIMIT]]


def resume(user: User) -> Study | None:
    """Where the person was last; None before the first lesson."""
    seen = _on_the_shelf(user).filter(status__in=OPEN_STATUSES, last_seen_at__isnull=False)
    latest = next(iter(at_each(user, lambda: seen.order_by("-last_seen_at")[:1], key=_seen_at, reverse=True)), None)
    return study(latest) if latest else None


def _seen_at(row: Enrollment) -> Any:
    return row.last_seen_at


def studies_in(user: User, course: Course) -> dict[int, Study]:
    """The person's own in the offerings of one course, by offering. One query."""
    rows = _counted(Enrollment.objects.visible_to(user)).filter(offering__course=course)
    return {row.offering_id: study(row) for row in rows}


def study(row: Any) -> Study:
    """For a row of `studies_of`."""
    is_open = row.status in OPEN_STATUSES and row.place_id is not None
    place = (row.place_id, row.place_title) if is_open else None
    return Study(enrollment=row, done=row.done, total=row.total, place=place)


def _on_the_shelf(user: User) -> QuerySet[Enrollment]:
    mine = Enrollment.objects.visible_to(user).exclude(status=Status.DROPPED)
    return _counted(mine.filter(offering__course__in=Course.objects.visible_to(user)))


def _counted(rows: QuerySet[Enrollment]) -> QuerySet[Enrollment]:
    items = ContentItem.objects.filter(
        module__course=OuterRef("offering__course"), status=ContentItem.Status.PUBLISHED
    ).order_by()
    first = items.order_by("module__lft", "sequence_index", "pk")
    done = ItemProgress.objects.filter(enrollment=OuterRef("pk"), content_item__status=ContentItem.Status.PUBLISHED)
    last = Q(last_item__status=ContentItem.Status.PUBLISHED)
    counted: QuerySet[Enrollment] = rows.select_related("offering__course", "university").annotate(
        total=_count(items, "module__course"),
        done=_count(done.order_by(), "enrollment"),
        place_id=Case(When(last, then="last_item"), default=Subquery(first.values("pk")[:1])),
        place_title=Case(When(last, then="last_item__title"), default=Subquery(first.values("title")[:1])),
    )
    return counted


def _count(rows: QuerySet[Any], by: str) -> Coalesce:
    return Coalesce(Subquery(rows.values(by).annotate(count=Count("pk")).values("count")), 0)


@dataclass(frozen=True)
class ModuleProgress:
    """Of a module with all that is below it."""

    module_id: int
    title: str
    level: int
    done: int
    total: int


def roll_up(enrollment: Enrollment) -> list[ModuleProgress]:
    """Every module of the course in the tree's order; the first is the root, so the whole course. Two queries."""
    done = done_items(enrollment)
    entries = courses.syllabus(enrollment.offering.course)
    items = [(entry.lft, entry.item_id in done) for entry in entries if entry.item_id is not None]
    lefts = [lft for lft, _is_done in items]
    done_before = [0, *accumulate(is_done for _lft, is_done in items)]
    progress: dict[int, ModuleProgress] = {}
    for entry in entries:
        if entry.module_id not in progress:
            first, end = bisect_left(lefts, entry.lft), bisect_right(lefts, entry.rght)
            count = done_before[end] - done_before[first]
            progress[entry.module_id] = ModuleProgress(
                entry.module_id, entry.title, entry.level, done=count, total=end - first
            )
    return list(progress.values())


def seats_left(offering: CourseOffering) -> int | None:
    """None without a limit; never below zero. Staff take no seats."""
    if offering.capacity is None:
        return None
    taken = Enrollment.objects.filter(offering=offering, status__in=SEATED, role=Enrollment.Role.STUDENT)
    return max(0, offering.capacity - taken.count())


def offerings_with_seats(course: Course) -> list[tuple[CourseOffering, int | None]]:
    """The newest term first, each with its seats left; None without a limit. One query."""
    taken = Count("enrollments", filter=Q(enrollments__status__in=SEATED, enrollments__role=Enrollment.Role.STUDENT))
    rows = courses.offerings_of(course).select_related("course").annotate(taken=taken)
    return [(row, None if row.capacity is None else max(0, row.capacity - row.taken)) for row in rows]


def closed_because(offering: CourseOffering) -> str:
    """Why nobody can enrol now, as a sentence; empty when it is open."""
    now = timezone.now()
    opens_at, closes_at = offering.enrollment_opens_at, offering.enrollment_closes_at
    if offering.course.status != Course.Status.PUBLISHED:
        return _("The course is not published.")
    if opens_at and now < opens_at:
        return _("Enrolment opens on %(day)s.") % {"day": date_format(opens_at)}
    if closes_at and now >= closes_at:
        return _("Enrolment closed on %(day)s.") % {"day": date_format(closes_at)}
    if offering.ends_at and now >= offering.ends_at:
        return _("This term is over.")
    return ""


def prerequisites_for(user: User, course: Course) -> list[tuple[Prerequisite, bool]]:
    """What comes before the course, each with whether the person meets it. One query."""
    mine = Enrollment.objects.filter(user=user, offering__course=OuterRef("required_course"))
    rows = courses.prerequisites_of(course).annotate(
        is_completed=Exists(mine.filter(status=Status.COMPLETED)),
        is_taken=Exists(mine.filter(status__in=OPEN_STATUSES)),
    )
    at_once = Prerequisite.Kind.CO_REQUISITE
    return [(row, row.is_taken if row.kind == at_once else row.is_completed) for row in rows]


def missing_of(prerequisites: list[tuple[Prerequisite, bool]]) -> list[Course]:
    """Those without which the person may not enrol."""
    needed = [row for row, is_met in prerequisites if not is_met and row.kind != Prerequisite.Kind.RECOMMENDED]
    return [row.required_course for row in needed]


def missing_sentence(missing: list[Course]) -> str:
    """Empty when nothing is missing."""
    if not missing:
        return ""
    return _("First comes: %(courses)s.") % {"courses": ", ".join(course.title for course in missing)}
