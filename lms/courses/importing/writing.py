"""Writing a course that was read: one transaction, in which a second import of a source updates what the first made."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction

from lms.courses.access import require_author, require_author_at
from lms.courses.actions.courses import create_course, update_course
from lms.courses.actions.tree import tree_lock
from lms.courses.importing.ledger import Ledger
from lms.courses.importing.source import SourceCourse
from lms.courses.importing.writing_items import write_items
from lms.courses.importing.writing_media import undone_on_failure, write_media
from lms.courses.importing.writing_tree import write_tree
from lms.courses.models import Course, Subject
from tenants import audit
from tenants.models import University, User

# (how much is done, of how much): modules, items and files count one each.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class ImportResult:
    """What happened to content items. `kept` are those left alone although the source says otherwise."""

    course: Course
    is_new: bool
    created: int
    updated: int
    unchanged: int
    kept: int
    ledger: Ledger


def import_course(
    *,
    by: User | None,
    university: University,
    source: SourceCourse,
    ledger: Ledger,
    overwrite: bool = False,
    dry_run: bool = False,
    progress: Progress = lambda done, total: None,
) -> ImportResult:
    """Make the source's course, or bring the one made from it before up to date; `by` None is the system.

    An item that was edited here and has changed in the source too is kept unless `overwrite`; what the source no longer
    has is kept as well. A new course is a draft. With `dry_run` all is done and undone, files excepted.
    """
    count = _counter(source, progress)
    with undone_on_failure() as stored, tree_lock():
        course = Course.objects.filter(university=university, source_key=source.key).first()
        is_new = course is None
        if course is None:
            require_author_at(by, university)
            course = _create(by, university, source, ledger)
        else:
            require_author(by, course)
            course = _update(by, course, source, ledger)
        modules = write_tree(by=by, course=course, root=source.root, ledger=ledger, count=count)
        items = write_items(source=source, modules=modules, ledger=ledger, overwrite=overwrite, count=count)
        files = write_media(course, source.files, None if dry_run else stored, count=count)
        if is_new or modules.changes or items.changes or files:
            audit.record(
                by=by,
                action="course.imported",
                subject=course,
                university=university,
                detail={"source": source.key, "created": items.created, "updated": items.updated, "files": files},
            )
        if dry_run:
            transaction.set_rollback(True)
    return ImportResult(course, is_new, items.created, items.updated, items.unchanged, items.kept, ledger)


def _create(by: User | None, university: University, source: SourceCourse, ledger: Ledger) -> Course:
    return create_course(
        by=by,
        university=university,
        code=source.code,
        title=source.title,
        slug=source.slug,
        subject=_subject(source, ledger),
        level=source.level or Course.Level.INTRODUCTORY,
        language=source.language,
        description=source.description,
        objectives=source.objectives,
        source_key=source.key,
    )


def _update(by: User | None, course: Course, source: SourceCourse, ledger: Ledger) -> Course:
    """The slug stays: it is the address that people have. So do a level and a subject that the source does not name."""
    wanted = {
        "code": source.code,
        "title": source.title,
        "subject": _subject(source, ledger) or course.subject,
        "level": source.level or course.level,
        "language": source.language,
        "description": source.description,
        "objectives": source.objectives,
    }
    if all(getattr(course, name) == value for name, value in wanted.items()):
        return course
    return update_course(
        by=by,
        course=course,
        code=source.code,
        title=source.title,
        slug=course.slug,
        department=course.department,
        subject=_subject(source, ledger) or course.subject,
        level=source.level or course.level,
        language=source.language,
        description=source.description,
        objectives=source.objectives,
    )


def _subject(source: SourceCourse, ledger: Ledger) -> Subject | None:
    if not source.subject:
        return None
    subject = Subject.objects.filter(slug=source.subject).first()
    if subject is None:
        ledger.lose(source.root.origin, "course", f"the subject {source.subject!r} is not known here")
    return subject


def _counter(source: SourceCourse, progress: Progress) -> Callable[[], None]:
    total = sum(1 for _ in source.root.walk()) + sum(1 for _ in source.items()) + len(source.files)
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        progress(done, total)

    return count
