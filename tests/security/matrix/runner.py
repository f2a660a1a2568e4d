"""Asks every cell of one person, and says what was answered and what is wrong with it."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import unquote

from asgiref.sync import async_to_sync, iscoroutinefunction
from channels.db import database_sync_to_async
from django.core.cache import cache
from django.db import connection, transaction
from django.test import AsyncClient, Client
from django.urls import Resolver404, resolve

from tenants.register import has_university, walled_models
from tenants.tokens import start_family
from tests.security.matrix.cast import Cast
from tests.security.matrix.cells import Cell, cells_of
from tests.security.matrix.sockets import ask_socket
from tests.security.matrix.ways import Way, all_ways
from tutoring.models import Generation
from tutoring.runner import runner

SAFE = {"GET", "HEAD"}
# Whoever has the link may read what it leads to.
_BY_LINK = re.compile(r"^(GET|POST) /(share/|api/v1/chat/share/)")
_VARYING = re.compile(r'name="csrfmiddlewaretoken" value="[^"]+"|"request_id": "[^"]+"')


@dataclass
class Outcome:
    """Statuses by way, in the order of its objects; and sentences about what must not be."""

    statuses: dict[str, list[str]] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    cells: int = 0


@dataclass(frozen=True)
class Answer:
    status: str
    text: str


class Asker:
    """One person with their sign-ins: a session for pages, a token for the API."""

    def __init__(self, cast: Cast, person: str) -> None:
        self.cast, self.person, self.user = cast, person, cast.people[person]
        self.bearer = f"Bearer {start_family(self.user).access_token}" if self.user else ""
        self.cookies = self._cookies()

    def _cookies(self) -> str:
        if self.user is None:
            return ""
        client = Client()
        client.force_login(self.user)
        return str(client.cookies["sessionid"].value)

    def run(self, *, only_foreign: bool = False) -> Outcome:
        """`only_foreign` asks for what names others' rows, or none: enough where a wall is taken away."""
        outcome = Outcome()
        for way in sorted(all_ways(), key=_is_last):
            answers: dict[str, tuple[Cell, Answer]] = {}
            for cell in cells_of(way, self.cast):
                if only_foreign and not (cell.whose == "-" or self._is_foreign(cell.whose)):
                    continue
                answer = self._answer(cell, outcome)
                answers[cell.whose] = cell, answer
                outcome.violations += self._leaks(cell, answer)
                outcome.cells += 1
            outcome.statuses[way.name] = [answer.status for _cell, answer in answers.values()]
            outcome.violations += self._tells_foreign_from_missing(way, answers)
        return outcome

    def _answer(self, cell: Cell, outcome: Outcome) -> Answer:
        """What it does is undone; what is done in threads of its own can only be looked at."""
        cache.clear()
        is_checked = cell.way.method not in SAFE and self._foreign_home is not None
        before = self._digest() if is_checked else ""
        if cell.way.method.startswith("socket:"):
            answer = Answer(*async_to_sync(ask_socket)(cell, self.cookies))
            _wait_for_replies()
        elif is_async(cell.path):
            answer = async_to_sync(self._ask_async)(cell)
            _wait_for_replies()
        else:
            with undone():
                answer = self._ask(cell)
                after = self._digest() if is_checked else ""
            self._compare(cell, before, after, outcome)
            return answer
        self._compare(cell, before, self._digest() if is_checked else "", outcome)
        return answer

    def _compare(self, cell: Cell, before: str, after: str, outcome: Outcome) -> None:
        if before != after:
            outcome.violations.append(
                f"{self.person}: {cell.way.name} ({cell.whose}) changed rows of another university"
            )

    def _ask(self, cell: Cell) -> Answer:
        client = Client(raise_request_exception=False)
        client.cookies = SimpleCookie({"sessionid": self.cookies} if self.cookies else {})
        return _read(client.generic(cell.way.method, cell.path, **self._request(cell)))

    async def _ask_async(self, cell: Cell) -> Answer:
        client = AsyncClient(raise_request_exception=False)
        client.cookies = SimpleCookie({"sessionid": self.cookies} if self.cookies else {})
        response = await client.generic(cell.way.method, cell.path, **self._request(cell))
        if not getattr(response, "streaming", False):
            return _read(response)
        async with asyncio.timeout(30):
            text = b"".join([part async for part in response.streaming_content])
        return Answer(str(response.status_code), text.decode())

    def _request(self, cell: Cell) -> dict[str, Any]:
        if not cell.path.startswith("/api/"):
            form = "&".join(f"{name}={value}" for name, value in cell.body.items())
            return {"data": form, "content_type": "application/x-www-form-urlencoded"}
        headers = cell.headers | ({"Authorization": self.bearer} if self.bearer else {})
        return {"data": cell.json, "content_type": "application/json", "headers": headers}

    def _leaks(self, cell: Cell, answer: Answer) -> Iterator[str]:
        if answer.status.startswith("5") and cell.path != "/readyz":
            yield f"{self.person}: {cell.way.name} ({cell.whose}) answered {answer.status}"
        if _BY_LINK.match(cell.way.name):
            return
        for whose, word in self._forbidden():
            if word in answer.text:
                yield f"{self.person}: {cell.way.name} ({cell.whose}) shows what is {whose}'s"

    def _forbidden(self) -> Iterator[tuple[str, str]]:
        """Words that are not for this person. Platform administrators may see all but what students say."""
        for home in (self.cast.north, self.cast.south):
            if self.person != "pia" and home is not self.cast.home_of(self.person):
                yield home.university.slug, home.word
        for name, mine in self.cast.students.items():
            if name != self.person:
                yield name, mine.word

    @property
    def _foreign_home(self) -> Any:
        home = self.cast.home_of(self.person)
        if home is None:
            return None
        return self.cast.north if home is self.cast.south else self.cast.south

    def _is_foreign(self, whose: str) -> bool:
        foreign, student = self._foreign_home, self.cast.students.get(whose)
        return bool(student and student.home is foreign)

    def _tells_foreign_from_missing(self, way: Way, answers: dict[str, tuple[Cell, Answer]]) -> Iterator[str]:
        if _BY_LINK.match(way.name) or "missing" not in answers:
            return
        missing = _plain(*answers["missing"])
        for whose, (cell, answer) in answers.items():
            if self._is_foreign(whose) and _plain(cell, answer) != missing:
                yield f"{self.person}: {way.name} tells {whose}'s rows ({answer.status}) from missing ones"

    def _digest(self) -> str:
        """Of all rows of the other university."""
        tables = [model._meta.db_table for model, _wall in walled_models() if has_university(model)]
        each = " UNION ALL ".join(
            f"SELECT '{table}', md5(string_agg(row::text, '|' ORDER BY row::text)) FROM {table} AS row"
            " WHERE university_id = %(university)s"
            for table in tables
        )
        with connection.cursor() as cursor:
            cursor.execute(each, {"university": self._foreign_home.university.pk})
            return repr(cursor.fetchall())


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        # As Django's own TestCase does it, for what insists on a transaction of its own.
        connection.atomic_blocks[-1]._from_testcase = True
        yield
        transaction.set_rollback(True)


def _is_last(way: Way) -> bool:
    """What cannot be undone and leaves nothing to ask for."""
    return way.name == "POST /<slug:university>/tutor/<uuid:session>/delete/"


def is_async(path: str) -> bool:
    try:
        return bool(iscoroutinefunction(resolve(path.partition("?")[0]).func))
    except Resolver404:
        return False


def _read(response: Any) -> Answer:
    content = b"".join(response.streaming_content) if getattr(response, "streaming", False) else response.content
    # Not those that tell the time, or how long what an answer repeats is.
    told = [(name, value) for name, value in response.items() if name not in ("Content-Length", "Expires")]
    headers = "\n".join(f"{name}: {value}" for name, value in told)
    return Answer(str(response.status_code), content.decode(errors="replace") + headers)


def _plain(cell: Cell, answer: Answer) -> str:
    """Without what the asker said, which an answer may repeat."""
    text = unquote(_VARYING.sub("", answer.text)).replace(cell.path.partition("?")[0], "…")
    for value in sorted(map(str, cell.values.values()), key=len, reverse=True):
        # Short ones only where they are a part of an address: they may be any other word's, too.
        whole = re.escape(value) if len(value) > 5 else rf"(?<=[/=\"]){re.escape(value)}(?=[/&?#\"'\s]|$)"
        text = re.sub(whole, "…", text)
    return f"{answer.status} {text}"


def _wait_for_replies() -> None:
    live = Generation.objects.live().values_list("pk", "university_id")

    async def wait() -> None:
        async with asyncio.timeout(30):
            for generation, university in await database_sync_to_async(list)(live):
                await runner.wait_ended(generation, university)

    async_to_sync(wait)()
