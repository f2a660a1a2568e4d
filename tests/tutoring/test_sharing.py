"""Sharing a conversation by link: what is kept, who may read it and for how long, and the API for it."""

import io
import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session
from django.db import connection, connections
from django.test import Client, TransactionTestCase
from django.utils import timezone

from lms.logs import logging_settings
from tenants.errors import NotVisible
from tenants.models import AuditEntry
from tests.tenants.conftest import Call
from tests.tutoring.shared_talk import COURSE, LESSON, Talk, begin_talk, make_talk
from tests.tutoring.test_api import NOT_FOUND, NOT_SIGNED_IN, WRONG_METHOD, as_json, told
from tests.world import World, make_world
from tutoring.access import access_shared
from tutoring.actions.sharing import Published, publish_share, revoke_share, view_share
from tutoring.errors import BadShare, NothingToShare, SharingOff
from tutoring.models import Share, TutorPolicy
from tutoring.queries import Sharing, live_shares, sharing_of

STORED = [
    {"role": "user", "body": "Why <so>?", "state": "complete"},
    {"role": "assistant", "body": "By *chance*. ![x](https://evil.example/x.png)", "state": "complete"},
    {"role": "user", "body": "And then?", "state": "complete"},
    {"role": "assistant", "body": "Then it", "state": "stopped"},
]


@pytest.fixture
def talk(world: World) -> Talk:
    return make_talk(world)


def publish(talk: Talk, **arguments: object) -> Published:
    return publish_share(by=talk.cana, session_id=talk.session.pk, **arguments)


def words(published: Published) -> list[str]:
    return [message["body"] for message in published.share.snapshot["messages"]]


def audited() -> list[tuple]:
    entries = AuditEntry.objects.filter(action__startswith="share.").order_by("id")
    return [(e.action, e.actor_id, e.university_id, e.subject_type, e.subject_id, e.detail) for e in entries]


class TestPublish:
    def test_keeps_the_words_and_nobodys_name(self, talk: Talk) -> None:
        before = timezone.now()
        new = publish(talk, days=30, shown_name="  A \n\x00 curious  person ")
        row = Share.objects.get()
        assert (row.university, row.session, row.title) == (talk.world.north, talk.session, "Why <so>?")
        assert (row.shown_name, row.view_count, row.revoked_at) == ("A curious person", 0, None)
        assert row.snapshot == {"lesson": LESSON, "course": COURSE, "messages": STORED}
        assert before + timedelta(days=30) <= row.expires_at <= timezone.now() + timedelta(days=30)
        assert new.share == row

    def test_the_token_has_128_bits_and_is_told_once(self, talk: Talk, settings: object) -> None:
        settings.SITE_URL = "https://lms.example"
        first, second = publish(talk), publish(talk)
        assert [len(each.token) for each in (first, second)] == [22, 22]
        assert first.token != second.token
        assert first.url == f"https://lms.example/share/{first.token}/"
        assert first.token not in repr(first)

    def test_no_table_holds_the_token(self, talk: Talk, client: Client) -> None:
        client.force_login(talk.cana)
        page = client.post(talk.path, {"days": "7"})
        token = page.context["new_url"].rstrip("/").rpartition("/")[2]
        assert client.get(f"/share/{token}/").status_code == 200
        revoke_share(by=talk.cana, share_id=Share.objects.get().pk)
        assert Session.objects.exists()
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f'SELECT count(*) FROM "{table}" AS t WHERE t::text LIKE %s', [f"%{token}%"])
                assert (table, cursor.fetchone()) == (table, (0,))
        # A session's row is signed JSON in base64, where the search above would miss it.
        assert token not in json.dumps([session.get_decoded() for session in Session.objects.all()])

    def test_later_words_and_titles_do_not_reach_it(self, talk: Talk) -> None:
        new = publish(talk)
        talk.say("user", "Later?", "Then it")
        talk.session.messages.update(body="Changed")
        talk.session.title = "Another"
        talk.session.save()
        share = view_share(new.token)
        assert (share.title, share.snapshot["messages"]) == ("Why <so>?", STORED)

    def test_the_branch_of_the_newest_message_or_of_the_one_named(self, talk: Talk) -> None:
        talk.say("user", "And <i>then</i>?", "By *chance*. ![x](https://evil.example/x.png)")
        edited = talk.say("assistant", "Nothing.", "And <i>then</i>?")
        opening = [message["body"] for message in STORED[:2]]
        assert words(publish(talk)) == [*opening, "And <i>then</i>?", "Nothing."]
        assert words(publish(talk, branch=edited.pk)) == [*opening, "And <i>then</i>?", "Nothing."]
        assert words(publish(talk, branch=talk.rows["Then it"].pk)) == [message["body"] for message in STORED]
        assert words(publish(talk, branch=edited.parent.parent.pk)) == opening
        for branch in (uuid4(), self.foreign_message(talk)):
            with pytest.raises(NotVisible):
                publish(talk, branch=branch)

    def foreign_message(self, talk: Talk) -> object:
        session = type(talk.session).objects.get(pk=talk.session.pk)
        session.pk, session._state.adding = uuid4(), True
        session.save()
        return Talk(talk.world, talk.cana, session).say("user", "Elsewhere?").pk

    def test_replies_without_words_and_those_being_made_are_left_out(self, talk: Talk) -> None:
        talk.say("user", "One?", "Then it")
        talk.say("assistant", " ", "One?", "failed")
        talk.say("user", "Two?", " ")
        talk.say("assistant", "Broken", "Two?", "failed")
        talk.say("user", "Three?", "Broken")
        talk.say("assistant", "Half of", "Three?", "streaming")
        expected = [*[message["body"] for message in STORED], "One?", "Two?", "Broken", "Three?"]
        assert words(publish(talk)) == expected
        assert publish(talk).share.snapshot["messages"][-2:] == [
            {"role": "assistant", "body": "Broken", "state": "failed"},
            {"role": "user", "body": "Three?", "state": "complete"},
        ]

    def test_before_the_first_question_there_is_nothing(self, world: World) -> None:
        talk = begin_talk(world)
        with pytest.raises(NothingToShare):
            publish(talk)
        assert Share.objects.count() == 0

    def test_a_conversation_without_a_title_has_its_lessons(self, talk: Talk) -> None:
        talk.session.title = ""
        talk.session.save()
        assert publish(talk).share.title == LESSON

    def test_the_days_are_the_universitys(self, talk: Talk) -> None:
        talk.policy(share_days=5)
        for days in (None, 5):
            lasts = publish(talk, days=days).share.expires_at - timezone.now()
            assert timedelta(days=4, hours=23) < lasts <= timedelta(days=5)
        for days in (0, -1, 6, 10**30):
            with pytest.raises(BadShare, match=r"^A link can last from 1 to 5 days\.$"):
                publish(talk, days=days)
        assert Share.objects.count() == 2

    def test_without_a_policy_up_to_90_and_usually_7(self, talk: Talk) -> None:
        assert not TutorPolicy.objects.exists()
        assert publish(talk).share.expires_at - timezone.now() > timedelta(days=6, hours=23)
        publish(talk, days=90)
        with pytest.raises(BadShare, match=r"^A link can last from 1 to 90 days\.$"):
            publish(talk, days=91)

    def test_where_sharing_is_off(self, talk: Talk) -> None:
        talk.policy(sharing="off")
        with pytest.raises(SharingOff):
            publish(talk)
        assert (Share.objects.count(), audited()) == (0, [])

    @pytest.mark.parametrize("name", ["cana@north.example", "n" * 81])
    def test_names_that_cannot_be_shown(self, talk: Talk, name: str) -> None:
        with pytest.raises(BadShare):
            publish(talk, shown_name=name)
        assert Share.objects.count() == 0

    def test_half_a_character_is_left_out_of_a_name(self, talk: Talk) -> None:
        assert publish(talk, shown_name="A\ud800b").share.shown_name == "Ab"

    def test_is_for_its_student_alone(self, talk: Talk) -> None:
        world = talk.world
        for person in (world.sam, world.tess, world.ada, world.oona, world.platform):
            with pytest.raises(NotVisible):
                publish_share(by=person, session_id=talk.session.pk)
        talk.cana.memberships.all().delete()
        with pytest.raises(NotVisible):
            publish(talk)
        assert Share.objects.count() == 0

    def test_is_recorded_without_the_token(self, talk: Talk) -> None:
        new = publish(talk, days=7, shown_name="Someone")
        north, cana = talk.world.north.pk, talk.cana.pk
        subject = ("tutoring.share", str(new.share.pk))
        created = ("share.created", cana, north, *subject, {"session": str(talk.session.pk), "days": 7})
        assert audited() == [created]
        for _ in range(2):
            revoke_share(by=talk.cana, share_id=new.share.pk)
        assert audited() == [created, ("share.revoked", cana, north, *subject, {})]


class TestReading:
    def test_counts_a_view(self, talk: Talk) -> None:
        new = publish(talk)
        assert [view_share(new.token).pk for _ in range(3)] == [new.share.pk] * 3
        access_shared(new.token)
        assert Share.objects.get().view_count == 3

    def ends(self, talk: Talk) -> Published:
        new = publish(talk)
        view_share(new.token)
        return new

    def is_gone(self, new: Published) -> bool:
        for read in (access_shared, view_share):
            with pytest.raises(NotVisible):
                read(new.token)
        return Share.objects.get(pk=new.share.pk).view_count == 1

    def test_ends_with_its_time(self, talk: Talk) -> None:
        new = self.ends(talk)
        Share.objects.update(expires_at=timezone.now())
        assert self.is_gone(new)

    def test_ends_when_it_is_revoked(self, talk: Talk) -> None:
        new, other = self.ends(talk), publish(talk)
        revoke_share(by=talk.cana, share_id=new.share.pk)
        assert self.is_gone(new)
        assert view_share(other.token) == other.share

    def test_ends_with_the_university_and_comes_back_with_it(self, talk: Talk) -> None:
        new = self.ends(talk)
        north = type(talk.world.north).objects.filter(pk=talk.world.north.pk)
        north.update(is_active=False)
        assert self.is_gone(new)
        north.update(is_active=True)
        assert view_share(new.token) == new.share

    def test_ends_while_the_university_does_not_allow_it(self, talk: Talk) -> None:
        new = self.ends(talk)
        talk.policy(sharing="off")
        assert self.is_gone(new)
        talk.policy(sharing="link")
        assert view_share(new.token) == new.share

    def test_ends_with_the_account(self, talk: Talk) -> None:
        new = self.ends(talk)
        type(talk.cana).objects.filter(pk=talk.cana.pk).update(is_active=False)
        assert self.is_gone(new)

    def test_goes_with_the_conversation(self, talk: Talk) -> None:
        new = self.ends(talk)
        talk.session.delete()
        assert not Share.objects.exists()
        with pytest.raises(NotVisible):
            view_share(new.token)

    def test_nothing_else_opens_it(self, talk: Talk) -> None:
        new = self.ends(talk)
        for token in (
            "",
            new.token[:-1],
            new.token.swapcase(),
            f"{new.token} ",
            new.share.token_hash,
            "\x00",
            "é" * 22,
        ):
            with pytest.raises(NotVisible):
                view_share(token)


class TestRevoke:
    def test_is_for_its_student_alone(self, talk: Talk) -> None:
        new, world = publish(talk), talk.world
        for person in (world.sam, world.tess, world.ada, world.oona, world.platform):
            with pytest.raises(NotVisible):
                revoke_share(by=person, share_id=new.share.pk)
        with pytest.raises(NotVisible):
            revoke_share(by=talk.cana, share_id=new.share.pk, session_id=uuid4())
        with pytest.raises(NotVisible):
            revoke_share(by=talk.cana, share_id=uuid4())
        assert view_share(new.token) == new.share
        talk.cana.memberships.all().delete()
        with pytest.raises(NotVisible):
            revoke_share(by=talk.cana, share_id=new.share.pk)

    def test_keeps_the_first_time(self, talk: Talk) -> None:
        new = publish(talk)
        times = [revoke_share(by=talk.cana, share_id=new.share.pk) and Share.objects.get().revoked_at for _ in "ab"]
        assert times[0] is not None
        assert times[0] == times[1]

    def test_where_sharing_is_off(self, talk: Talk) -> None:
        new = publish(talk)
        talk.policy(sharing="off")
        revoke_share(by=talk.cana, share_id=new.share.pk)
        talk.policy(sharing="link")
        with pytest.raises(NotVisible):
            view_share(new.token)


def test_what_a_conversations_page_says_of_its_links(talk: Talk, django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        assert sharing_of(talk.session) == Sharing(is_off=False, live_count=0)
    kept, revoked, expired = (publish(talk).share for _ in range(3))
    revoke_share(by=talk.cana, share_id=revoked.pk)
    Share.objects.filter(pk=expired.pk).update(expires_at=timezone.now())
    talk.policy(sharing="link")
    assert sharing_of(talk.session) == Sharing(is_off=False, live_count=1)
    assert list(live_shares(talk.session)) == [kept]
    talk.policy(sharing="off")
    assert sharing_of(talk.session) == Sharing(is_off=True, live_count=1)


class ParallelViews(TransactionTestCase):
    readers = 20

    def setUp(self) -> None:
        self.talk = make_talk(make_world())
        self.start = Barrier(self.readers)

    def read(self, path: str) -> int:
        client = Client()
        self.start.wait()
        try:
            return client.get(path).status_code
        finally:
            connections.close_all()

    def test_each_is_counted(self) -> None:
        new = publish(self.talk)
        with ThreadPoolExecutor(self.readers) as pool:
            statuses = list(pool.map(self.read, [f"/share/{new.token}/"] * self.readers))
        assert statuses == [200] * self.readers
        assert Share.objects.get().view_count == self.readers


class TestApi:
    def row(self, share: Share, **changes: object) -> dict:
        return {
            "id": str(share.pk),
            "title": "Why <so>?",
            "name": share.shown_name,
            "created_at": as_json(share.created_at),
            "expires_at": as_json(share.expires_at),
            "view_count": share.view_count,
        } | changes

    def test_shares_lists_reads_and_revokes(self, call: Call, talk: Talk, settings: object) -> None:
        made = call("POST", talk.api, {"days": 3, "name": "C."}, by=talk.cana)
        share = Share.objects.get()
        url = made.json()["url"]
        assert told(made) == (201, self.row(share, url=url))
        assert url.startswith(f"{settings.SITE_URL}/share/")
        token = url.rstrip("/").rpartition("/")[2]

        read = call("GET", f"/chat/share/{token}")
        assert told(read) == (
            200,
            {
                "title": "Why <so>?",
                "name": "C.",
                "university": "University of the North",
                "course": COURSE,
                "lesson": LESSON,
                "created_at": as_json(share.created_at),
                "expires_at": as_json(share.expires_at),
                "messages": STORED,
            },
        )
        assert (read["Cache-Control"], read["X-Robots-Tag"]) == ("no-store", "noindex, nofollow")
        assert [canary for canary in talk.canaries() if canary in read.text] == []
        share.refresh_from_db()
        assert share.view_count == 1
        listed = call("GET", talk.api, by=talk.cana)
        assert told(listed) == (200, {"items": [self.row(share)], "count": 1})

        for _ in range(2):
            gone = call("DELETE", f"/chat/shares/{share.pk}", by=talk.cana)
            assert (gone.status_code, gone.content) == (204, b"")
        assert told(call("GET", f"/chat/share/{token}")) == NOT_FOUND
        assert told(call("GET", talk.api, by=talk.cana)) == (200, {"items": [], "count": 0})

    def test_without_a_word_the_newest_branch_for_a_week(self, call: Call, talk: Talk) -> None:
        made = call("POST", talk.api, {}, by=talk.cana)
        share = Share.objects.get()
        assert made.status_code == 201
        assert (share.shown_name, share.snapshot["messages"]) == ("", STORED)
        assert timedelta(days=6, hours=23) < share.expires_at - timezone.now() <= timedelta(days=7)

    def test_a_branch(self, call: Call, talk: Talk) -> None:
        first = talk.rows["Why <so>?"]
        assert call("POST", talk.api, {"branch": str(first.pk)}, by=talk.cana).status_code == 201
        assert Share.objects.get().snapshot["messages"] == STORED[:1]
        assert told(call("POST", talk.api, {"branch": str(uuid4())}, by=talk.cana)) == NOT_FOUND

    def test_what_is_refused(self, call: Call, talk: Talk) -> None:
        def refused(**body: object) -> tuple[int, object]:
            status, answer = told(call("POST", talk.api, body, by=talk.cana))
            return status, answer["code"]

        said = told(call("POST", talk.api, {"days": 91}, by=talk.cana))
        assert said == (400, {"detail": "A link can last from 1 to 90 days.", "code": "bad_share"})
        assert refused(name="cana@north.example") == (400, "bad_share")
        assert refused(name="n" * 81) == (400, "bad_share")
        for body in ({"days": "many"}, {"branch": "none"}, {"name": 1}, {"token": "mine"}):
            assert refused(**body) == (422, "invalid_input")
        talk.policy(sharing="off")
        assert refused() == (403, "sharing_off")
        talk.policy(sharing="link")
        talk.session.messages.all().delete()
        assert refused() == (409, "nothing_to_share")
        assert Share.objects.count() == 0

    def test_to_others_it_is_absent(self, call: Call, talk: Talk) -> None:
        share, world = publish(talk).share, talk.world
        absent = f"/chat/sessions/{uuid4()}/shares"
        for person in (world.sam, world.tess, world.ada, world.oona, world.platform):
            for method, body in (("GET", None), ("POST", {})):
                foreign = call(method, talk.api, body, by=person)
                assert told(foreign) == NOT_FOUND
                assert foreign.content == call(method, absent, body, by=person).content
            assert told(call("DELETE", f"/chat/shares/{share.pk}", by=person)) == NOT_FOUND
        assert told(call("DELETE", f"/chat/shares/{uuid4()}", by=talk.cana)) == NOT_FOUND
        share.refresh_from_db()
        assert (share.revoked_at, Share.objects.count()) == (None, 1)

    def test_needs_a_token_and_knows_its_methods(self, call: Call, talk: Talk) -> None:
        share = publish(talk).share
        for method, path in (("GET", talk.api), ("POST", talk.api), ("DELETE", f"/chat/shares/{share.pk}")):
            assert told(call(method, path)) == NOT_SIGNED_IN
        assert told(call("PUT", talk.api, {}, by=talk.cana)) == WRONG_METHOD
        assert told(call("GET", f"/chat/shares/{share.pk}", by=talk.cana)) == WRONG_METHOD
        assert told(call("POST", "/chat/share/nothing", {})) == WRONG_METHOD
        assert told(call("GET", "/chat/share/nothing")) == NOT_FOUND

    def test_costs_the_same_with_one_and_with_three(self, call: Call, talk: Talk, django_assert_num_queries) -> None:
        publish(talk)
        with django_assert_num_queries(5):
            assert call("GET", talk.api, by=talk.cana).json()["count"] == 1
        publish(talk), publish(talk)
        with django_assert_num_queries(5):
            assert call("GET", talk.api, by=talk.cana).json()["count"] == 3


@pytest.fixture(params=["json", "console"])
def log(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """What the site's own log configuration writes, from the level of requests up."""
    config = logging_settings("INFO", request.param)["formatters"]["structured"]
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(config.pop("()")(**config))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel("INFO")
    yield handler.stream
    root.setLevel(level)
    root.removeHandler(handler)


class TestLog:
    def test_no_line_holds_a_token(self, client: Client, talk: Talk, log: io.StringIO) -> None:
        token = publish(talk).token
        client.get(f"/share/{token}/")
        client.get(f"/share/{token}x/?again={token}")
        client.get(f"/api/v1/chat/share/{token}")
        client.get(f"/accounts/login/?next=%2Fshare%2F{token}%2F")
        logging.getLogger("anything").error("Referer checking failed - %s", f"https://lms.example/share/{token}/")
        lines = log.getvalue()
        assert lines.replace(f"?again={token}", "").count(token) == 0
        for masked in (
            "GET /share/[token]/",
            "Not Found: /share/[token]/",
            "GET /api/v1/chat/share/[token]",
            "/accounts/login/?next=%2Fshare%2F[token]",
            "https://lms.example/share/[token]/",
        ):
            assert masked in lines

    def test_nor_does_a_traceback(self, log: io.StringIO) -> None:
        try:
            raise ValueError("GET /share/Zm9vYmFyYmF6cXV4cXV1dA/ broke")
        except ValueError:
            logging.getLogger("anything").exception("broken")
        assert ("GET /share/[token]/ broke" in log.getvalue(), "Zm9v" in log.getvalue()) == (True, False)

    def test_other_addresses_stay_whole(self, client: Client, talk: Talk, log: io.StringIO) -> None:
        client.get(talk.path)
        client.get(f"/north/tutor/{talk.session.pk}/shares/{uuid4()}/revoke/")
        assert (f"GET {talk.path}" in log.getvalue(), "[token]" in log.getvalue()) == (True, False)
