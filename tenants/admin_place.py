"""At which university somebody works in the admin: one at a time, as the second wall has it."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.utils import unquote
from django.db import models
from django.http import HttpRequest

from tenants import doors
from tenants.models import University, User
from tenants.platform import platform
from tenants.register import has_university
from tenants.visits import current

_SESSION_KEY = "admin_university"


@dataclass(frozen=True)
class Place:
    """One of several universities that somebody may work at."""

    university: University
    is_current: bool


@contextmanager
def at_work(request: HttpRequest, places: Collection[int]) -> Iterator[None]:
    """For the block the visit is at one of `places`, ids of those where the person has a role in the admin.

    Platform administrators are at all of them, through the platform's own connection.
    """
    person, visit = request.user, current()
    if isinstance(person, User) and person.is_platform_admin:
        with platform(by=person, why=f"admin: {request.method} {request.path}"):
            yield
        return
    if visit and places and not visit.is_settled:
        visit.university_id = _chosen(request, places)
    yield


def choose(request: HttpRequest, university_id: int) -> None:
    request.session[_SESSION_KEY] = university_id


def places_of(university_ids: Collection[int]) -> list[Place]:
    """To choose from; empty for those who have no choice."""
    visit = current()
    if visit is None or visit.is_settled or visit.is_everywhere or len(university_ids) < 2:
        return []
    rows = University.objects.filter(pk__in=university_ids).order_by("name", "pk")
    return [Place(row, row.pk == visit.university_id) for row in rows]


def _chosen(request: HttpRequest, places: Collection[int]) -> int:
    """Where the row of the address is, so that links lead where they point; else the last choice; else the first."""
    named, before = _named_in(request), request.session.get(_SESSION_KEY)
    if named in places and named != before:
        choose(request, named)
    found: int = next(found for found in (named, before, *places) if found in places)
    return found


def _named_in(request: HttpRequest) -> Any:
    match = request.resolver_match
    model_admin = getattr(match.func, "model_admin", None) if match else None
    if match is None or model_admin is None:
        return None
    if "object_id" in match.kwargs:
        return _university_of(model_admin.model, unquote(match.kwargs["object_id"]))
    for name, value in request.GET.items():
        related = _related(model_admin.model, name.partition("__")[0])
        if related is not None:
            return _university_of(related, str(value))
    return None


def _related(model: type[models.Model], name: str) -> type[models.Model] | None:
    fields = {field.name: field for field in model._meta.concrete_fields if isinstance(field, models.ForeignKey)}
    return fields[name].related_model if name in fields else None


def _university_of(model: type[models.Model], key: str) -> int | None:
    if model is University:
        return int(key) if key.isascii() and key.isdigit() and len(key) < 19 else None
    return doors.university_of(model, key) if has_university(model) else None
