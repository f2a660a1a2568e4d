"""Two authors save the same item in the same moment: both forms have been found good when the first is written."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import psycopg
from django.db import connection, connections
from django.test import Client, TransactionTestCase

from lms.courses.actions.content_types import load_content_types
from lms.courses.models import ContentItem
from lms.embedded_postgres import PLATFORM
from tests.courses.browser_forms import fields_of
from tests.world import make_world

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"


class TwoAuthors(TransactionTestCase):
    def setUp(self) -> None:
        load_content_types()
        self.world = make_world()
        self.url = f"/admin/courses/contentitem/{self.world.item.pk}/change/"

    def save(self, body: dict[str, str]) -> tuple[int, Any]:
        client = Client()
        client.force_login(self.world.tess)
        try:
            answer = client.post(self.url, body)
            return answer.status_code, answer.context and answer.context["conflict"]
        finally:
            connections.close_all()

    def test_one_is_saved_and_the_other_sees_both_texts(self) -> None:
        client = Client()
        client.force_login(self.world.tess)
        fields = fields_of(client.get(self.url).text, "contentitem_form")
        with ThreadPoolExecutor(2) as pool, self.held_row() as release:
            saves = [pool.submit(self.save, fields | {"title": title}) for title in ("One title", "Other title")]
            self.wait_until_two_wait()
            release()
            answers = sorted((save.result() for save in saves), key=lambda answer: answer[0])
        assert [status for status, _conflict in answers] == [302, 409]
        item = ContentItem.objects.get(pk=self.world.item.pk)
        (difference,) = answers[1][1]
        (row,) = difference.rows
        theirs, mine = ("".join(span.text for span in side) for side in (row.left, row.right))
        assert (difference.label, item.revision, item.title, theirs) == ("Title", 2, theirs, item.title)
        assert {theirs, mine} == {"One title", "Other title"}

    def held_row(self) -> Any:
        return _HeldRow(self.world.item.pk)

    def wait_until_two_wait(self) -> None:
        pause = Event()
        with _outside() as session:
            for _attempt in range(600):
                (count,) = session.execute(WAITING, [connection.settings_dict["NAME"]]).fetchone()
                if count >= 2:
                    return
                pause.wait(0.02)
        raise AssertionError("nobody waits for the row")


class _HeldRow:
    """A third session that has the item's row locked until it is told to let go."""

    def __init__(self, pk: int) -> None:
        self.pk = pk

    def __enter__(self) -> Any:
        self.session = _outside()
        self.session.execute(f"SET ROLE {PLATFORM}")
        self.session.autocommit = False
        self.session.execute("SELECT 1 FROM courses_contentitem WHERE id = %s FOR UPDATE", [self.pk])
        return self.session.rollback

    def __exit__(self, *_exception: object) -> None:
        self.session.close()


def _outside() -> psycopg.Connection:
    database = connection.settings_dict
    return psycopg.connect(
        host=database["HOST"],
        port=database["PORT"],
        user=database["USER"],
        password=database["PASSWORD"],
        dbname=database["NAME"],
        autocommit=True,
    )
