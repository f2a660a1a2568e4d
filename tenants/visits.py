"""At which university a piece of work is done, and for whom: what the database is told in front of every statement.

Outside a visit, and in one that has entered no university, PostgreSQL shows no row of any university.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # The database's backend reads this module before there are models.
    from tenants.models import User


@dataclass
class Visit:
    """One request, socket or task. All its threads and tasks share the object, so that whoever enters enters for all.

    `places` are the person's universities, id by slug. Who belongs to one alone is settled there from the start.
    """

    university_id: int | None = None
    person_id: int | None = None
    places: dict[str, int] = field(default_factory=dict)
    is_platform_admin: bool = False
    is_settled: bool = False
    # Through the connection of the platform, which sees every university.
    is_everywhere: bool = False

    def may_enter(self, university_id: int | None) -> bool:
        return self.is_platform_admin or university_id in self.places.values()


_current: ContextVar[Visit | None] = ContextVar("visit", default=None)


def current() -> Visit | None:
    return _current.get()


@contextmanager
def visit() -> Iterator[Visit]:
    """Nobody's yet, and at no university."""
    with _set(Visit()) as fresh:
        yield fresh


@contextmanager
def within(university_id: int) -> Iterator[None]:
    """At that university for as long as the block lasts, whoever asks. The caller knows that they may."""
    before = _current.get() or Visit()
    if before.is_everywhere:
        yield
        return
    with _set(replace(before, university_id=university_id, is_settled=True)):
        yield


@contextmanager
def everywhere() -> Iterator[None]:
    """For `tenants.platform` alone, which brings the connection that this is true of."""
    before = _current.get() or Visit()
    with _set(replace(before, is_everywhere=True)):
        yield


@contextmanager
def as_person(person_id: int) -> Iterator[None]:
    """To read the memberships of somebody who is about to be recognised."""
    before = _current.get()
    if before is None:
        yield
        return
    with _set(replace(before, person_id=person_id)):
        yield


def recognise(person: "User") -> None:
    """Let the visit be this person's. The row comes from `tenants.queries.with_places`; its sign-in was checked."""
    visit = _current.get()
    if visit is None:
        return
    visit.person_id, visit.is_platform_admin = person.pk, person.is_platform_admin
    visit.places = {place["slug"]: place["id"] for place in getattr(person, "places", [])}
    if len(visit.places) == 1 and not person.is_platform_admin:
        visit.university_id, visit.is_settled = next(iter(visit.places.values())), True


def local_settings() -> dict[str, str]:
    """The settings of PostgreSQL for the statement that is about to be sent.

    Nobody and nowhere is told too: in a transaction that goes on, what was told before would hold.
    """
    visit = _current.get() or Visit()
    told = {"app.university": visit.university_id, "app.person": visit.person_id}
    return {name: "" if value is None else str(value) for name, value in told.items()}


@contextmanager
def _set(visit: Visit) -> Iterator[Visit]:
    token = _current.set(visit)
    try:
        yield visit
    finally:
        _current.reset(token)
