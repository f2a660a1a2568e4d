"""Ten frequent requests with and without the second wall, side by side: see benchmarks/README.md."""

import argparse
import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.lesson_page import _make_course, _site, _talk

if TYPE_CHECKING:
    from django.test import Client

    from tutoring.models import ChatSession

WARM_UP = 30
STUDENTS, CONVERSATIONS, MESSAGES = 200, 5, 10
Side = Callable[[], Any]


@dataclass
class Request:
    """One request, and how long it took on each side."""

    title: str
    send: Callable[[], None]
    ms: dict[str, list[float]] = field(default_factory=lambda: {"without": [], "with": []})

    def row(self) -> str:
        medians = [statistics.median(self.ms[side]) for side in self.ms]
        p95s = [statistics.quantiles(self.ms[side], n=20)[-1] for side in self.ms]
        numbers = [medians[0], medians[1], _more(medians), p95s[0], p95s[1], _more(p95s)]
        return f"{self.title:<34}" + "".join(f"{number:>11.2f}" for number in numbers)


def _more(pair: list[float]) -> float:
    return (pair[1] / pair[0] - 1) * 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=400, help="of each kind on each side (default: 400)")
    count = parser.parse_args().requests
    with _site():
        sessions = _fill()
        with _sides() as sides:
            requests = _requests(sessions)
            for _ in range(WARM_UP):
                _round(requests, sides)
            for request in requests:
                request.ms = {side: [] for side in request.ms}
            for _ in range(count):
                _round(requests, sides)
    columns = ("median", "with wall", "more %", "p95", "with wall", "more %")
    print(f"{'ms':<34}" + "".join(f"{column:>11}" for column in columns))
    for request in requests:
        print(request.row())
    whole = Request("all ten together", lambda: None)
    whole.ms = {side: [sum(each) for each in zip(*(r.ms[side] for r in requests), strict=True)] for side in whole.ms}
    print(whole.row())


def _round(requests: list[Request], sides: dict[str, Side]) -> None:
    """Each request once on both sides, one right after the other; chance says which comes first."""
    for request in requests:
        for side in random.sample(list(sides), 2):
            with sides[side]():
                began = time.perf_counter()
                request.send()
                request.ms[side].append((time.perf_counter() - began) * 1000)


def _fill() -> "list[ChatSession]":
    """Two universities of 200 students with five conversations of ten messages each, and Sam at the first of them."""
    from tests.factories import make_university, make_user

    sessions = []
    for slug in ("north", "south"):
        university = make_university(slug, slug.title())
        sam = make_user(f"sam@{slug}.example", "Sam Sorensen", at=university)
        enrollment, item = _make_course(sam, 100)
        if slug == "north":
            _talk(sam, enrollment, item)
            sessions = list(sam.chat_sessions.select_related("user", "offering__course", "content_item"))
        _crowd(university, enrollment, item)
    return sessions


def _crowd(university: Any, enrollment: Any, item: Any) -> None:
    from lms.learning.models import Enrollment
    from tenants.models import Membership, User
    from tutoring.models import ChatSession, Message

    people = User.objects.bulk_create(User(email=f"s{n}@{university.slug}.example") for n in range(STUDENTS))
    Membership.objects.bulk_create(Membership(user=user, university=university, role="student") for user in people)
    Enrollment.objects.bulk_create(
        Enrollment(university=university, user=user, offering=enrollment.offering) for user in people
    )
    place = {"university": university, "offering": enrollment.offering, "content_item": item, "content_context": {}}
    talks = ChatSession.objects.bulk_create(
        ChatSession(user=user, title="A talk", **place) for user in people for _ in range(CONVERSATIONS)
    )
    Message.objects.bulk_create(
        Message(university=university, session=talk, seq=seq, role="user", body="Why do samples vary?")
        for talk in talks
        for seq in range(1, MESSAGES + 1)
    )


@contextmanager
def _sides() -> Iterator[dict[str, Side]]:
    """The site as it is, and the same over a copy of the database without policies, by Django's own backend."""
    from django.conf import settings
    from django.db import connections
    from psycopg import sql

    from lms.embedded_postgres import APPLICATION
    from tenants.register import ties_of, walled_models
    from tests.database import superuser_of

    name = connections.settings["default"]["NAME"]
    copy = f"{name}_open"
    connections["default"].close()
    connections["owner"].close()
    with superuser_of("postgres") as superuser:
        names = {"copy": sql.Identifier(copy), "name": sql.Identifier(name)}
        superuser.execute(sql.SQL("CREATE DATABASE {copy} TEMPLATE {name}").format(**names))
        try:
            with superuser_of(copy) as open_one:
                for model, _wall in walled_models():
                    table = model._meta.db_table
                    open_one.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
                    for tie in ties_of(model):
                        open_one.execute(f"ALTER TABLE {table} DROP CONSTRAINT {tie.name}")
            for database in (name, copy):
                with superuser_of(database) as each:
                    each.execute("VACUUM ANALYZE")
            plain = {**connections.settings["default"], "USER": APPLICATION}
            del connections["default"]
            connections.settings["default"] = plain | {"ENGINE": "tenants.postgresql"}
            connections.settings["open"] = plain | {"ENGINE": "django.db.backends.postgresql", "NAME": copy}
            settings.DATABASES |= {"open": connections.settings["open"]}
            yield {"with": nullcontext, "without": _without_wall}
            for alias in ("default", "open"):
                connections[alias].close()
        finally:
            superuser.execute(sql.SQL("DROP DATABASE {copy} WITH (FORCE)").format(**names))


@contextmanager
def _without_wall() -> Iterator[None]:
    """Nor is the database asked, at each sign-in, where the person belongs."""
    from unittest.mock import patch

    from django.db import connections
    from django.db.models import JSONField, Value

    from tenants import accounts, tokens

    def at_north(rows: Any, person_id: int) -> Any:
        return rows.annotate(places=Value([{"id": 1, "slug": "north"}], output_field=JSONField()))

    walled = connections["default"]
    connections["default"] = connections["open"]
    try:
        with patch.object(accounts, "with_places", at_north), patch.object(tokens, "with_places", at_north):
            yield
    finally:
        connections["default"] = walled


def _requests(sessions: "list[ChatSession]") -> list[Request]:
    from django.test import Client

    from lms.learning.models import Enrollment

    session = sessions[0]
    sam, offering, item = session.user, session.offering, session.content_item
    page = Client(SERVER_NAME="127.0.0.1")
    bearer = _signed_in(page, sam)
    enrollment = Enrollment.objects.filter(user=sam).values_list("pk", flat=True)
    with _seen():
        mine = enrollment.get()
    api = Client(SERVER_NAME="127.0.0.1", headers={"Authorization": f"Bearer {bearer}"})
    lesson = f"/north/learn/{offering.pk}/{item.pk}/"
    return [
        Request("lesson page", _get(page, lesson)),
        Request("conversation page", _get(page, f"/north/tutor/{session.pk}/")),
        Request("list of conversations", _get(page, "/north/tutor/")),
        Request("home of the university", _get(page, "/north/")),
        Request("course page", _get(page, f"/north/courses/{offering.course.slug}/")),
        Request("API: my enrollments", _get(api, "/api/v1/enrollments")),
        Request("API: progress", _get(api, f"/api/v1/enrollments/{mine}/progress")),
        Request("API: one lesson", _get(api, f"/api/v1/content/{item.pk}?offering={offering.pk}")),
        Request("API: a course's tree", _get(api, f"/api/v1/courses/{offering.course_id}/modules")),
        Request("API: one conversation", _get(api, f"/api/v1/chat/sessions/{session.pk}")),
    ]


@contextmanager
def _seen() -> Iterator[None]:
    from tenants.models import University
    from tenants.visits import within

    with within(University.objects.get(slug="north").pk):
        yield


def _signed_in(page: "Client", person: Any) -> str:
    """Once on each side, so that both have the session and the family of tokens."""
    from django.contrib.sessions.models import Session

    from tenants.models import TokenFamily
    from tenants.tokens import start_family

    page.force_login(person, backend="tenants.accounts.AuthenticationBackend")
    token = start_family(person).access_token
    family, session = TokenFamily.objects.get(), Session.objects.get()
    with _without_wall():
        TokenFamily.objects.bulk_create([family])
        Session.objects.bulk_create([session])
    return token


def _get(client: "Client", path: str) -> Callable[[], None]:
    def send() -> None:
        answer = client.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"

    return send


if __name__ == "__main__":
    main()
