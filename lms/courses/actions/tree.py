"""Every structural write of a course's tree, under one lock.

django-mptt's numbers break under concurrent writes. A tree is known by its course's number: the next free one could not
be told by who sees the trees of one university alone.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Literal

from django.db import connection, transaction
from django.db.models import QuerySet

from lms.courses.access import require_author
from lms.courses.actions.validation import check_fields
from lms.courses.errors import InvalidMove, RootStays
from lms.courses.models import Course, Module
from lms.courses.tree_numbers import Place, TreeProblem, tree_problems
from tenants import audit
from tenants.errors import InvalidInput, NotVisible
from tenants.models import User

# Any fixed number that no other lock of this database uses.
_LOCK = 0x6D707474
_WRITTEN = ["type", "title", "available_from", "available_until", "source_key"]

_RENUMBER = """
UPDATE courses_module AS module SET sequence_index = counted.index
FROM (
    SELECT id, row_number() OVER (ORDER BY lft) - 1 AS index FROM courses_module WHERE parent_id = %(parent)s
) AS counted
WHERE module.id = counted.id AND module.sequence_index <> counted.index
"""

Position = Literal["first-child", "last-child", "left", "right"]


@contextmanager
def tree_lock() -> Iterator[None]:
    """A transaction that holds the lock of all trees until it ends. May be nested."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        yield


def create_module(
    *,
    by: User | None,
    course: Course,
    parent: Module | None,
    type: str,
    title: str,
    position: int | None = None,
    available_from: datetime | None = None,
    available_until: datetime | None = None,
    source_key: str = "",
) -> Module:
    """A new module as the `position`-th child of `parent`, zero-based; None is the last.

    Without a parent it is the course's topmost module, of which there is one. Modules in the caller's memory have old
    tree numbers afterwards, `parent` included.
    """
    require_author(by, course)
    module = Module(
        university_id=course.university_id,
        course=course,
        type=type,
        title=title,
        available_from=available_from,
        available_until=available_until,
        source_key=source_key,
    )
    check_fields(module, _WRITTEN)
    _check_availability(module)
    with tree_lock():
        if parent is None:
            _insert_root(module)
        else:
            _insert_child(module, _fetch(course.pk, parent.pk), position)
    return module


def _insert_root(module: Module) -> None:
    if Module.objects.filter(course=module.course_id, parent=None).exists():
        raise RootStays
    module.begin_tree()
    module.save()


def _insert_child(module: Module, parent: Module, position: int | None) -> None:
    siblings = list(Module.objects.filter(parent=parent).order_by("lft"))
    if position is None or position >= len(siblings):
        module.sequence_index = len(siblings)
        module.insert_at(parent, "last-child", save=True)
    else:
        module.insert_at(siblings[max(position, 0)], "left", save=True)
        renumber_siblings(parent)
        module.refresh_from_db(fields=["sequence_index"])


def update_module(
    *,
    by: User | None,
    module: Module,
    type: str,
    title: str,
    available_from: datetime | None = None,
    available_until: datetime | None = None,
) -> Module:
    """What is not structure. The topmost module keeps its type."""
    require_author(by, module.course)
    fresh = _fetch(module.course_id, module.pk)
    if fresh.parent_id is None and type != fresh.type:
        raise RootStays
    fresh.type, fresh.title = type, title
    fresh.available_from, fresh.available_until = available_from, available_until
    check_fields(fresh, _WRITTEN)
    _check_availability(fresh)
    Module.objects.filter(pk=fresh.pk).update(
        type=type, title=title, available_from=available_from, available_until=available_until
    )
    return fresh


def move_module(*, by: User | None, module: Module, target: Module, position: Position) -> Module:
    """Move a module with all below it, within its course. Returns it with its new numbers."""
    require_author(by, module.course)
    with tree_lock():
        fresh = _fetch(module.course_id, module.pk)
        goal = Module.objects.filter(pk=target.pk, course=module.course_id).first()
        if goal is None:
            raise InvalidMove("A module stays in its course.")
        if fresh.parent_id is None:
            raise RootStays
        if goal.parent_id is None and position in ("left", "right"):
            raise InvalidMove("Nothing stands beside the topmost module; move it under that one.")
        if goal.is_descendant_of(fresh, include_self=True):
            raise InvalidMove("A module cannot be moved under or beside itself.")
        old_parent_id = fresh.parent_id
        fresh.move_to(goal, position)
        for parent_id in {old_parent_id, fresh.parent_id}:
            renumber_siblings(parent_id)
        return _fetch(module.course_id, module.pk)


def delete_module(*, by: User | None, module: Module) -> None:
    """Delete a module with all below it, its items too."""
    require_author(by, module.course)
    with tree_lock():
        fresh = _fetch(module.course_id, module.pk)
        if fresh.parent_id is None:
            raise RootStays
        audit.record(
            by=by,
            action="module.deleted",
            subject=fresh,
            university=fresh.university,
            detail={"course": fresh.course_id, "title": fresh.title},
        )
        parent_id = fresh.parent_id
        fresh.delete()
        renumber_siblings(parent_id)


def renumber_siblings(parent: Module | int) -> None:
    """Let `sequence_index` follow the tree's order below one parent. The caller holds `tree_lock`."""
    parent_id = parent if isinstance(parent, int) else parent.pk
    with connection.cursor() as cursor:
        cursor.execute(_RENUMBER, {"parent": parent_id})


def check_trees(course: Course | None = None, fix: bool = False) -> list[TreeProblem]:
    """Compare the numbers of all trees, or one course's, with the parents; with `fix`, write what they should be.

    The list is of what was found, repaired or not, by course and in the tree's order.
    """
    with tree_lock():
        places = _places(Module.objects.all() if course is None else Module.objects.filter(course=course))
        problems = [problem for course_id, rows in places.items() for problem in tree_problems(rows, course_id)]
        if fix:
            for problem in problems:
                values = problem.expected._asdict()
                Module.objects.filter(pk=values.pop("id")).update(**values)
        return problems


def _places(modules: QuerySet[Module]) -> dict[int, list[Place]]:
    """By course; parents of another course count as none."""
    places: dict[int, list[Place]] = defaultdict(list)
    rows = modules.order_by("course", "lft", "pk").values_list("course", *Place._fields)
    for course_id, *fields in rows:
        places[course_id].append(Place(*fields))
    return places


def _fetch(course_id: int, module_id: int) -> Module:
    """The row as it is now: numbers read before the lock are worth nothing."""
    found = Module.objects.select_related("course", "university").filter(pk=module_id, course=course_id)
    module: Module | None = found.first()
    if module is None:
        raise NotVisible
    return module


def _check_availability(module: Module) -> None:
    if module.available_from and module.available_until and module.available_until <= module.available_from:
        raise InvalidInput("A module becomes unavailable after it became available, not before.")
