"""The lesson page of a small and of a large course, side by side: see benchmarks/README.md."""

import argparse
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.test import Client

    from lms.courses.models import ContentItem
    from lms.learning.models import Enrollment
    from tenants.models import User

LESSON = Path("lms/demo/course/01-seeing-variation/01-what-one-number-leaves-out/01-centre-and-spread.md")
LESSONS_IN_A_UNIT = 15
ITEMS_IN_A_LESSON = 3
MESSAGES = 10
WARM_UP = 20


@dataclass
class Page:
    """One page to open, and what opening it cost each time."""

    title: str
    client: "Client"
    url: str
    queries: int = 0
    kilobytes: float = 0
    wall_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    def open(self) -> bytes:
        answer = self.client.get(self.url)
        assert answer.status_code == 200, f"{self.url}: {answer.status_code}"
        return answer.content

    def measure(self) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        self.open()
        self.wall_ms.append((time.perf_counter() - wall) * 1000)
        self.cpu_ms.append((time.process_time() - cpu) * 1000)

    def row(self) -> str:
        median, p95 = statistics.median(self.wall_ms), statistics.quantiles(self.wall_ms, n=20)[-1]
        cpu = statistics.median(self.cpu_ms)
        return f"{self.title:<28}{self.queries:>8}{median:>12.1f}{p95:>10.1f}{cpu:>10.1f}{self.kilobytes:>10.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=300, help="for each row (default: 300)")
    requests = parser.parse_args().requests
    with _site():
        pages = _make_pages()
        for page in pages:
            _look_closely(page)
        for _ in range(requests):
            for page in pages:
                page.measure()
    print(f"{'':<28}{'queries':>8}{'median ms':>12}{'p95 ms':>10}{'CPU ms':>10}{'HTML kB':>10}")
    for page in pages:
        print(page.row())


@contextmanager
def _site() -> Iterator[None]:
    """Django with the suite's cluster, but otherwise as in production."""
    import tests.environment  # noqa: F401

    os.environ |= {"DEBUG": "false", "SECRET_KEY": "benchmark" * 6, "JWT_SIGNING_KEY": "benchmark" * 6}
    os.environ["DJANGO_SETTINGS_MODULE"] = "lms.settings"
    import django

    django.setup()
    from tests.database import migrated_database, stop_cluster_when_unused

    with migrated_database():
        yield
    stop_cluster_when_unused()


def _make_pages() -> list[Page]:
    from tests.factories import make_university, make_user

    north = make_university("north", "University of the North")
    sam = make_user("sam@north.example", "Sam Sorensen", at=north)
    small, large, talked = (_make_course(sam, count) for count in (3, 300, 300))
    _talk(sam, *talked)
    titles = ("3 modules", "300 modules", f"300 modules, {MESSAGES} messages")
    return [_page(title, sam, *place) for title, place in zip(titles, (small, large, talked), strict=True)]


def _make_course(student: "User", modules: int) -> "tuple[Enrollment, ContentItem]":
    """So many modules below the root, in units of lessons; the item is in the middle."""
    from tests import factories

    university = student.memberships.get().university
    number = university.courses.count() + 1
    course = factories.make_course(university, f"BENCH{number}", f"Course {number}")
    root = factories.make_module(course, None, course.title, type="course_root")
    text = LESSON.read_text().split("---\n", 2)[2]
    items = []
    for count in range(modules):
        if count % (LESSONS_IN_A_UNIT + 1) == 0:
            unit = factories.make_module(course, root, f"Unit {count}", type="unit")
            continue
        lesson = factories.make_module(course, unit, f"Lesson {count}", type="lesson")
        items += [factories.make_text(lesson, f"Reading {count}.{at}", text) for at in range(ITEMS_IN_A_LESSON)]
        root.refresh_from_db()
    enrollment = factories.make_enrollment(student, factories.make_offering(course))
    return enrollment, items[len(items) // 2]


def _talk(student: "User", enrollment: "Enrollment", item: "ContentItem") -> None:
    from django.utils import timezone

    from lms.learning.access import access_lesson
    from tutoring.actions.sessions import start_session
    from tutoring.models import Generation, Message

    place = {"university": "north", "offering": enrollment.offering_id, "item": item.pk}
    session = start_session(by=student, lesson=access_lesson(student, **place))
    reply = "The *mean* is $\\bar{x} = 24$:\n\n- one late tram moves it\n- the median stays\n\nWhat would you expect?"
    for seq in range(1, MESSAGES + 1):
        role = Message.Role.ASSISTANT if seq % 2 == 0 else Message.Role.USER
        said = {"role": role, "body": reply if seq % 2 == 0 else "Why is the mean not enough?"}
        message = Message.objects.create(university=session.university, session=session, seq=seq, **said)
        if role == Message.Role.ASSISTANT:
            ended = {"state": Message.State.COMPLETE, "owner": "benchmark", "lease_until": timezone.now()}
            Generation.objects.create(university=session.university, session=session, message=message, **ended)


def _page(title: str, student: "User", enrollment: "Enrollment", item: "ContentItem") -> Page:
    from django.test import Client

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(student, backend="tenants.accounts.AuthenticationBackend")
    return Page(title, client, f"/north/learn/{enrollment.offering_id}/{item.pk}/")


def _look_closely(page: Page) -> None:
    """Warms what is cached in the process, then counts one more opening."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    for _ in range(WARM_UP):
        page.open()
    with CaptureQueriesContext(connection) as queries:
        page.kilobytes = len(page.open()) / 1000
    page.queries = len(queries)


if __name__ == "__main__":
    main()
