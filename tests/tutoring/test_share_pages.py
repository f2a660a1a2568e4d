"""The page on which a student shares a conversation, and the page that others read."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from lms.courses.markdown import render_reply
from tests.tutoring.shared_talk import COURSE, LESSON, Talk, begin_talk, make_talk
from tests.world import World
from tutoring.actions.sharing import Published, publish_share, revoke_share
from tutoring.models import Share

REPLY = "By *chance*. ![x](https://evil.example/x.png)"
SHOWN = [
    {"role": "user", "state": "complete", "text": "Why <so>?"},
    {"role": "assistant", "state": "complete", "html": render_reply(REPLY)},
    {"role": "user", "state": "complete", "text": "And then?"},
    {"role": "assistant", "state": "stopped", "html": render_reply("Then it")},
]
NOBODY = "/share/" + "A" * 22 + "/"


@pytest.fixture
def talk(world: World) -> Talk:
    return make_talk(world)


@pytest.fixture
def cana(client: Client, talk: Talk) -> Client:
    client.force_login(talk.cana)
    return client


def publish(talk: Talk, **arguments: object) -> Published:
    return publish_share(by=talk.cana, session_id=talk.session.pk, **arguments)


def path_of(new: Published) -> str:
    return f"/share/{new.token}/"


def shown(name: str = "", messages: list = SHOWN) -> dict:
    return {"title": "Why <so>?", "lesson": LESSON, "course": COURSE, "name": name, "messages": messages}


def articles(page: str) -> list[str]:
    """The messages as they are drawn."""
    return re.findall(r"<article.*?</article>", page, re.DOTALL)


class TestPreview:
    def test_shows_what_readers_will_see(self, cana: Client, talk: Talk, django_assert_num_queries) -> None:
        with django_assert_num_queries(6):
            page = cana.get(talk.path)
        assert page.context["shared"] == shown()
        assert (page.context["branch"], page.context["links"]) == (talk.rows["Then it"].pk, [])
        assert (page.context["new_url"], page.context["is_off"]) == ("", False)
        assert page["Cache-Control"] == "no-store"
        drawn = articles(page.text)
        assert len(drawn) == 4
        assert drawn == articles(Client().get(path_of(publish(talk))).text)

    def test_a_branch_is_published_as_it_was_shown(self, cana: Client, talk: Talk) -> None:
        talk.say("user", "And <i>then</i>?", REPLY)
        newest = cana.get(talk.path)
        assert [message.get("text") for message in newest.context["shared"]["messages"][2:]] == ["And <i>then</i>?"]
        older = cana.get(talk.path, {"branch": str(talk.rows["Then it"].pk)})
        assert older.context["shared"] == shown()
        assert f'name="branch" value="{talk.rows["Then it"].pk}"' in older.text
        cana.post(talk.path, {"days": "7", "branch": str(older.context["branch"])})
        assert [message["body"] for message in Share.objects.get().snapshot["messages"]][2:] == ["And then?", "Then it"]

    def test_what_is_said_between_preview_and_publishing_is_not_shared(self, cana: Client, talk: Talk) -> None:
        """Nor is a reply that was being made: neither was seen."""
        talk.say("user", "More?", "Then it")
        half = talk.say("assistant", "Half", "More?", "streaming")
        page = cana.get(talk.path)
        assert page.context["shared"]["messages"][4:] == [{"role": "user", "state": "complete", "text": "More?"}]
        half.state = "complete"
        half.save()
        cana.post(talk.path, {"days": "7", "branch": str(page.context["branch"])})
        assert Share.objects.get().snapshot["messages"][-1]["body"] == "More?"

    def test_before_the_first_question(self, client: Client, world: World) -> None:
        talk = begin_talk(world)
        client.force_login(talk.cana)
        page = client.get(talk.path)
        assert (page.status_code, page.context["branch"]) == (200, "")
        assert ("Nothing was said yet" in page.text, "Share by link" in page.text) == (True, False)
        assert client.post(talk.path, {"days": "7"}).status_code == 409

    def test_the_days_are_the_universitys(self, cana: Client, talk: Talk) -> None:
        def offered(**policy: object) -> list:
            talk.policy(**policy)
            return cana.get(talk.path).context["form"].fields["days"].choices

        assert offered() == [(1, "1 day"), (7, "7 days"), (30, "30 days"), (90, "90 days")]
        assert offered(share_days=30) == [(1, "1 day"), (7, "7 days"), (30, "30 days")]
        assert offered(share_days=3) == [(1, "1 day"), (3, "3 days")]
        assert cana.get(talk.path).context["form"]["days"].initial == 3

    def test_where_sharing_is_off_links_can_still_be_revoked(self, cana: Client, talk: Talk) -> None:
        share = publish(talk).share
        talk.policy(sharing="off")
        page = cana.get(talk.path)
        assert (page.status_code, page.context["is_off"], len(page.context["links"])) == (200, True, 1)
        assert ("does not let conversations" in page.text, "Share by link" in page.text) == (True, False)
        assert articles(page.text) == []
        refused = cana.post(talk.path, {"days": "7"})
        assert (refused.status_code, Share.objects.count()) == (403, 1)
        assert cana.post(page.context["links"][0]["revoke_url"]).status_code == 302
        share.refresh_from_db()
        assert share.revoked_at is not None

    def test_to_others_it_is_absent(self, client: Client, talk: Talk) -> None:
        world, absent = talk.world, f"/north/tutor/{uuid4()}/share/"
        for person in (world.sam, world.tess, world.ada, world.oona, world.platform):
            client.force_login(person)
            for ask in (client.get, client.post):
                found, none = ask(talk.path), ask(absent)
                assert (found.status_code, found.content) == (404, none.content)
        client.force_login(talk.cana)
        south = talk.path.replace("/north/", "/south/")
        for path in (south, f"{talk.path}?branch={uuid4()}", f"{talk.path}?branch=none"):
            found = client.get(path)
            assert (found.status_code, found.content) == (404, client.get(absent).content)
        for branch in (str(uuid4()), "none"):
            assert client.post(talk.path, {"days": "7", "branch": branch}).status_code == 404
        assert Share.objects.count() == 0
        client.logout()
        assert client.get(talk.path)["Location"] == f"/accounts/login/?next={talk.path}"

    def test_knows_its_methods(self, cana: Client, talk: Talk) -> None:
        assert [cana.put(talk.path).status_code, cana.delete(talk.path).status_code] == [405, 405]
        revoke = f"/north/tutor/{talk.session.pk}/shares/{uuid4()}/revoke/"
        assert cana.get(revoke).status_code == 405


class TestPublish:
    def test_tells_the_link_once(self, cana: Client, talk: Talk, settings: object) -> None:
        page = cana.post(talk.path, {"days": "1", "shown_name": "C.", "branch": str(talk.rows["Then it"].pk)})
        share = Share.objects.get()
        assert (page.status_code, share.shown_name) == (200, "C.")
        assert timedelta(hours=23) < share.expires_at - timezone.now() <= timedelta(days=1)
        url = page.context["new_url"]
        assert f'value="{url}" readonly' in page.text
        assert page["Cache-Control"] == "no-store"
        path = url.removeprefix(settings.SITE_URL)
        assert Client().get(path).context["shared"] == shown("C.")
        again = cana.get(talk.path)
        assert (again.context["new_url"], path in again.text) == ("", False)

    def test_lists_the_links_that_live(self, cana: Client, talk: Talk) -> None:
        first, second = publish(talk, shown_name="C.").share, publish(talk, days=1).share
        publish(talk)
        Share.objects.exclude(pk__in=[first.pk, second.pk]).update(expires_at=timezone.now())
        Share.objects.filter(pk=first.pk).update(view_count=2)
        page = cana.get(talk.path)
        revoke = f"/north/tutor/{talk.session.pk}/shares/%s/revoke/"
        assert page.context["links"] == [
            {
                "name": share.shown_name,
                "created_at": share.created_at,
                "expires_at": share.expires_at,
                "view_count": views,
                "revoke_url": revoke % share.pk,
            }
            for share, views in ((second, 0), (first, 2))
        ]
        assert ("0 views" in page.text, "2 views" in page.text, "<bdi>C.</bdi>" in page.text) == (True, True, True)

    @pytest.mark.parametrize(
        ("form", "sentence"),
        [
            ({"days": "91"}, "Select a valid choice."),
            ({"days": ""}, "This field is required."),
            ({"days": "7", "shown_name": "n" * 81}, "at most 80 characters"),
            ({"days": "7", "shown_name": "c@north.example"}, "An e-mail address is not shown to others."),
        ],
    )
    def test_what_is_refused_stays_in_the_form(self, cana: Client, talk: Talk, form: dict, sentence: str) -> None:
        page = cana.post(talk.path, form)
        assert (page.status_code, page.context["new_url"], Share.objects.count()) == (400, "", 0)
        assert sentence in page.text
        if name := form.get("shown_name"):
            assert f'value="{name}"' in page.text
        assert page.context["shared"] == shown(form.get("shown_name", ""))

    def test_needs_the_token_of_the_form(self, talk: Talk) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(talk.cana)
        assert strict.post(talk.path, {"days": "7"}).status_code == 403
        assert Share.objects.count() == 0


class TestRevoke:
    def revoke_path(self, talk: Talk, share: Share | None = None, university: str = "north") -> str:
        return f"/{university}/tutor/{talk.session.pk}/shares/{share.pk if share else uuid4()}/revoke/"

    def test_is_at_once(self, cana: Client, talk: Talk) -> None:
        new = publish(talk)
        assert Client().get(path_of(new)).status_code == 200
        for _ in range(2):
            done = cana.post(self.revoke_path(talk, new.share))
            assert (done.status_code, done["Location"]) == (302, talk.path)
            assert Client().get(path_of(new)).status_code == 404
            assert Client().head(path_of(new)).status_code == 404
        assert cana.get(talk.path).context["links"] == []

    def test_to_others_it_is_absent(self, client: Client, talk: Talk) -> None:
        new, world = publish(talk), talk.world
        for person in (world.sam, world.tess, world.ada, world.oona, world.platform):
            client.force_login(person)
            found, none = (client.post(self.revoke_path(talk, share)) for share in (new.share, None))
            assert (found.status_code, found.content) == (404, none.content)
        client.force_login(talk.cana)
        assert client.post(self.revoke_path(talk, new.share, "south")).status_code == 404
        client.logout()
        path = self.revoke_path(talk, new.share)
        assert client.post(path)["Location"] == f"/accounts/login/?next={path}"
        assert Client().get(path_of(new)).status_code == 200


class TestShared:
    def test_shows_the_words_to_everybody(self, talk: Talk, django_assert_num_queries) -> None:
        new = publish(talk, shown_name="C. <b>")
        # The door, the share with its university, and the count of views.
        with django_assert_num_queries(3):
            page = Client().get(path_of(new))
        assert page.context["shared"] == shown("C. <b>")
        assert (page.context["created_at"], page.context["expires_at"]) == (new.share.created_at, new.share.expires_at)
        for words in ("Why &lt;so&gt;?", "C. &lt;b&gt;", "By <em>chance</em>.", "The student stopped this reply here."):
            assert words in page.text
        for words in ("University of the North", COURSE, LESSON, new.share.created_at.strftime("%-d %B %Y")):
            assert words in page.text
        assert [markup for markup in ("<img", "evil.example", "<so>", "<b>") if markup in page.text] == []

    def test_a_reply_that_broke_off_says_so(self, talk: Talk) -> None:
        talk.session.messages.filter(state="stopped").update(state="failed")
        page = Client().get(path_of(publish(talk))).text
        assert ("This reply broke off here." in page, "stopped this reply" in page) == (True, False)

    def test_without_a_name_its_author_is_a_student(self, talk: Talk) -> None:
        page = Client().get(path_of(publish(talk)))
        assert page.context["shared"]["name"] == ""
        assert page.text.count('<bdi data-part="student">A student</bdi>') == 2

    def test_tells_nobody_who_it_was(self, talk: Talk) -> None:
        new = publish(talk)
        page = Client().get(path_of(new))
        canaries = [*talk.canaries(), str(new.share.pk), new.token, new.share.token_hash]
        assert [canary for canary in canaries if canary in page.text] == []

    def test_is_the_same_for_its_author_as_for_a_stranger(self, client: Client, talk: Talk) -> None:
        new, world = publish(talk), talk.world
        stranger = Client().get(path_of(new))
        for person in (talk.cana, world.sam, world.oona, world.platform):
            client.force_login(person)
            assert client.get(path_of(new)).content == stranger.content
            assert client.get("/").context["user"] == person

    def test_leaves_a_readers_own_messages_alone(self, talk: Talk) -> None:
        reader = Client()
        reader.force_login(talk.world.sam)
        before = reader.post("/accounts/profile/", {"full_name": "Sam S.", "locale": "en", "time_zone": "UTC"})
        assert before.status_code == 302
        shared = reader.get(path_of(publish(talk))).text
        assert "notice--success" not in shared
        assert "notice--success" in reader.get("/accounts/profile/").text

    def test_keeps_away_from_engines_caches_and_other_sites(self, talk: Talk) -> None:
        new = publish(talk)
        expected = ["noindex, nofollow", "no-referrer", "no-store"]
        revoked = publish(talk)
        revoke_share(by=talk.cana, share_id=revoked.share.pk)
        for path in (path_of(new), path_of(revoked)):
            for page in (Client().get(path), Client().head(path)):
                assert [page[name] for name in ("X-Robots-Tag", "Referrer-Policy", "Cache-Control")] == expected
        assert '<meta name="robots" content="noindex, nofollow">' in Client().get(path_of(new)).text

    def test_counts_readers_and_not_those_who_only_ask(self, cana: Client, talk: Talk) -> None:
        new = publish(talk)

        def views() -> int:
            return Share.objects.get().view_count

        asked = Client().head(path_of(new))
        assert (asked.status_code, asked.content, views()) == (200, b"", 0)
        cana.get(talk.path)
        assert Client().post(path_of(new)).status_code == 405
        assert views() == 0
        for number in (1, 2):
            Client().get(path_of(new))
            assert views() == number

    def test_whatever_is_not_there_is_the_same_page(self, client: Client, talk: Talk) -> None:
        unknown = client.get(NOBODY)
        assert unknown.status_code == 404
        expired, revoked, live = publish(talk), publish(talk), publish(talk)
        Share.objects.filter(pk=expired.share.pk).update(expires_at=timezone.now())
        revoke_share(by=talk.cana, share_id=revoked.share.pk)
        malformed = [
            "/share/x/",
            "/share/%00/",
            "/share/..%2F..%2Fetc/",
            "/share/é/",
            f"/share/{live.share.token_hash}/",
        ]
        gone = [path_of(expired), path_of(revoked), f"{path_of(live)[:-2]}/", *malformed]
        assert {client.get(path).content for path in gone} == {unknown.content}
        assert {client.get(path).status_code for path in gone} == {404}

        talk.policy(sharing="off")
        assert (client.get(path_of(live)).status_code, client.get(path_of(live)).content) == (404, unknown.content)
        talk.policy(sharing="link")
        assert client.get(path_of(live)).status_code == 200
        type(talk.world.north).objects.filter(pk=talk.world.north.pk).update(is_active=False)
        assert (client.get(path_of(live)).status_code, client.get(path_of(live)).content) == (404, unknown.content)

    def test_an_author_who_has_left_is_still_read(self, talk: Talk) -> None:
        new = publish(talk)
        talk.cana.memberships.all().delete()
        assert Client().get(path_of(new)).status_code == 200


class TestConversationPage:
    def test_leads_to_the_sharing_page(self, cana: Client, talk: Talk) -> None:
        # Replies without the making of them are none that the conversation's own page could draw.
        talk.session.messages.filter(role="assistant").delete()
        path, words = self.link(cana, talk)
        assert (words, cana.get(path).context["shared"]) == ("Share", shown(messages=SHOWN[:1]))
        publish(talk)
        assert self.link(cana, talk) == (path, "Shared by 1 link")
        talk.policy(sharing="off")
        assert self.link(cana, talk) == (path, "Shared by 1 link")
        Share.objects.update(expires_at=timezone.now())
        assert self.link(cana, talk) is None

    def link(self, cana: Client, talk: Talk) -> tuple[str, str] | None:
        page = cana.get(talk.path.removesuffix("share/")).text
        found = re.search(r'href="(/north/tutor/[^"]*/share/[^"]*)"[^>]*>([^<]*)<', page)
        return found and found.groups()
