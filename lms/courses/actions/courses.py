"""Courses and their offerings, from draft to archive."""

from collections.abc import Iterable
from datetime import datetime

from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from lms.courses.access import require_author, require_author_at
from lms.courses.actions.items import checked_objectives
from lms.courses.actions.tree import create_module, tree_lock
from lms.courses.actions.validation import check_fields
from lms.courses.errors import CourseExists, OfferingExists
from lms.courses.models import Course, CourseOffering, MediaAsset, Module, Prerequisite, Subject
from tenants import audit
from tenants.errors import InvalidInput, NotVisible
from tenants.models import Department, Role, University, User

_WRITTEN = ["code", "title", "slug", "level", "language", "description", "source_key"]


@transaction.atomic
def create_course(
    *,
    by: User | None,
    university: University,
    code: str,
    title: str,
    slug: str | None = None,
    department: Department | None = None,
    subject: Subject | None = None,
    level: str = Course.Level.INTRODUCTORY,
    language: str = "en",
    description: str = "",
    objectives: Iterable[str] = (),
    source_key: str = "",
) -> Course:
    """A draft with its topmost module. Without a `slug`, one is made of the title."""
    require_author_at(by, university)
    course = Course(
        university=university,
        department=department,
        subject=subject,
        code=code,
        title=title,
        slug=slug or slugify(title)[:80].strip("-") or slugify(code),
        level=level,
        language=language,
        description=description,
        objectives=checked_objectives(objectives),
        source_key=source_key,
    )
    _save(course)
    create_module(by=by, course=course, parent=None, type=Module.Type.COURSE_ROOT, title=title)
    audit.record(by=by, action="course.created", subject=course, university=university)
    return course


@transaction.atomic
def update_course(
    *,
    by: User | None,
    course: Course,
    code: str,
    title: str,
    slug: str,
    department: Department | None,
    subject: Subject | None,
    level: str,
    language: str,
    description: str,
    objectives: Iterable[str],
) -> Course:
    """Everything but the status. The topmost module takes the course's title."""
    fresh = _course_to_write(by, course)
    fresh.code, fresh.title, fresh.slug = code, title, slug
    fresh.department, fresh.subject = department, subject
    fresh.level, fresh.language, fresh.description = level, language, description
    fresh.objectives = checked_objectives(objectives)
    _save(fresh)
    Module.objects.filter(course=fresh, parent=None).update(title=title)
    audit.record(by=by, action="course.updated", subject=fresh, university=fresh.university)
    return fresh


def publish_course(*, by: User | None, course: Course) -> Course:
    """Students see it from now on. Publishing what is published changes nothing."""
    return _set_status(by, course, Course.Status.PUBLISHED, "course.published")


def archive_course(*, by: User | None, course: Course) -> Course:
    """Only those who teach see it from now on."""
    return _set_status(by, course, Course.Status.ARCHIVED, "course.archived")


def delete_course(*, by: User | None, course: Course) -> None:
    """With its tree, its offerings and what students did in them.

    A draft may go with its author; anything that students have seen needs an administrator.
    """
    with tree_lock():
        fresh = _course_to_write(by, course)
        if fresh.status != Course.Status.DRAFT:
            require_author(by, fresh, Role.DEPARTMENT_ADMIN)
        audit.record(
            by=by,
            action="course.deleted",
            subject=fresh,
            university=fresh.university,
            detail={"code": fresh.code, "title": fresh.title},
        )
        files = [asset.file.name for asset in MediaAsset.objects.filter(course=fresh) if asset.file.name]
        transaction.on_commit(lambda: _delete_files(files))
        fresh.delete()


@transaction.atomic
def create_offering(
    *,
    by: User | None,
    course: Course,
    term: str,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    capacity: int | None = None,
    enrollment_opens_at: datetime | None = None,
    enrollment_closes_at: datetime | None = None,
    hint_policy: str = CourseOffering.HintPolicy.GUIDE,
) -> CourseOffering:
    """`capacity` None is without limit; an open end of a time window is open."""
    fresh = _course_to_write(by, course)
    offering = CourseOffering(
        university=fresh.university,
        course=fresh,
        term=term,
        starts_at=starts_at,
        ends_at=ends_at,
        capacity=capacity,
        enrollment_opens_at=enrollment_opens_at,
        enrollment_closes_at=enrollment_closes_at,
        hint_policy=hint_policy,
    )
    check_fields(offering, ["term", "capacity", "hint_policy"])
    _check_window("The term", starts_at, ends_at)
    _check_window("The time for enrolling", enrollment_opens_at, enrollment_closes_at)
    try:
        with transaction.atomic():
            offering.save(force_insert=True)
    except IntegrityError:
        raise OfferingExists from None
    audit.record(by=by, action="offering.created", subject=offering, university=fresh.university)
    return offering


@transaction.atomic
def add_prerequisite(
    *, by: User | None, course: Course, required_course: Course, kind: str = Prerequisite.Kind.STRICT
) -> Prerequisite:
    """Adding it again changes its kind."""
    fresh = _course_to_write(by, course)
    if required_course.university_id != fresh.university_id:
        raise NotVisible
    if required_course.pk == fresh.pk:
        raise InvalidInput("A course cannot be its own prerequisite.")
    row = Prerequisite(university=fresh.university, course=fresh, required_course=required_course, kind=kind)
    check_fields(row, ["kind"])
    return Prerequisite.objects.update_or_create(
        course=fresh,
        required_course=required_course,
        defaults={"kind": kind},
        create_defaults={"kind": kind, "university": fresh.university},
    )[0]


@transaction.atomic
def _set_status(by: User | None, course: Course, status: str, action: str) -> Course:
    fresh = _course_to_write(by, course)
    if fresh.status != status:
        fresh.status = status
        fresh.save(update_fields=["status", "updated_at"])
        audit.record(by=by, action=action, subject=fresh, university=fresh.university)
    return fresh


def _course_to_write(by: User | None, course: Course) -> Course:
    """The row as it is now, locked until the transaction ends."""
    require_author(by, course)
    found = Course.objects.select_related("university").select_for_update(of=("self",)).filter(pk=course.pk)
    fresh = found.first()
    if fresh is None:
        raise NotVisible
    return fresh


def _delete_files(names: list[str]) -> None:
    for name in names:
        default_storage.delete(name)


def _save(course: Course) -> None:
    check_fields(course, _WRITTEN)
    if course.department and course.department.university_id != course.university_id:
        raise NotVisible
    try:
        with transaction.atomic():
            course.save()
    except IntegrityError:
        raise CourseExists from None


def _check_window(name: str, start: datetime | None, end: datetime | None) -> None:
    if start and end and end <= start:
        raise InvalidInput(f"{name} ends after it starts, not before.")
