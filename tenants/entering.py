"""Which university a visit enters: by the address of a page, or by the row that an address names."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.db import models

from tenants import doors
from tenants.models import University, User
from tenants.platform import platform
from tenants.visits import current, within

Row = TypeVar("Row")


def enter(slug: str) -> None:
    """The university of a page's address, for its people; for others the visit stays where it was.

    Who belongs to one university is there already, and then no query is asked.
    """
    visit = current()
    if visit is None or visit.is_settled or visit.is_everywhere:
        return
    found = visit.places.get(slug)
    if found is None and visit.is_platform_admin:
        found = University.objects.filter(slug=slug).values_list("pk", flat=True).first()
    visit.university_id = found


def enter_with(model: type[models.Model], key: Any) -> None:
    """The university of a row that an address names by itself, for its people."""
    visit = current()
    if visit is None or visit.is_settled or visit.is_everywhere:
        return
    found = doors.university_of(model, key)
    visit.university_id = found if visit.may_enter(found) else None


def enter_through(university_id: int | None) -> None:
    """By a link: for whoever has shown all that it takes to read there, wherever they belong."""
    visit = current()
    if visit is not None and not visit.is_everywhere:
        visit.university_id, visit.is_settled = university_id, True


def at_each(
    person: User, read: Callable[[], Iterable[Row]], *, key: Callable[[Row], Any], reverse: bool = False
) -> Iterable[Row]:
    """What `read` finds at all of the person's universities, in the order of `key`, which is that of `read`.

    For those who belong to one, `read`'s own answer: a queryset stays one.
    """
    visit = current()
    if visit is None or visit.is_settled or visit.is_everywhere:
        return read()
    if visit.is_platform_admin:
        with platform(by=person, why="their rows at all universities"):
            return sorted(read(), key=key, reverse=reverse)
    found: list[Row] = []
    for university_id in visit.places.values():
        with within(university_id):
            found += read()
    return sorted(found, key=key, reverse=reverse)
