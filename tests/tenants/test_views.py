import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.test import Client

from tenants.models import Membership, University, UserProfile
from tests.world import World


class TestProfile:
    FORM = {
        "full_name": "Samuel Sorensen",
        "locale": "de",
        "time_zone": "Europe/Oslo",
        "date_of_birth": "2004-02-29",
        "learning_goal": "To read papers\r\nand to understand them",
        "study_level": "Bachelor",
        "grade": "2",
        "subject_preferences": "Statistics, Biology,, Statistics",
    }

    def test_saves_what_i_say_about_myself(self, client: Client, world: World) -> None:
        client.force_login(world.sam)
        answer = client.post("/accounts/profile/", self.FORM)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/profile/")
        world.sam.refresh_from_db()
        assert (world.sam.full_name, world.sam.locale, world.sam.time_zone) == ("Samuel Sorensen", "de", "Europe/Oslo")
        assert UserProfile.objects.values(
            "user", "learning_goal", "study_level", "grade", "subject_preferences"
        ).get() == {
            "user": world.sam.pk,
            "learning_goal": "To read papers\r\nand to understand them",
            "study_level": "Bachelor",
            "grade": "2",
            "subject_preferences": ["Statistics", "Biology"],
        }

    def test_shows_it_again(self, client: Client, world: World) -> None:
        client.force_login(world.sam)
        client.post("/accounts/profile/", self.FORM)
        form = client.get("/accounts/profile/").context["form"]
        assert form["subject_preferences"].value() == "Statistics, Biology"
        assert form["full_name"].value() == "Samuel Sorensen"
        assert 'value="2004-02-29"' in str(form["date_of_birth"])

    def test_shows_where_i_belong(self, client: Client, world: World) -> None:
        client.force_login(world.tess)
        page = client.get("/accounts/profile/").text
        assert ("University of the North" in page, "Instructor" in page, "Southern" in page) == (True, True, False)

    def test_keeps_a_language_that_the_page_does_not_offer(self, client: Client, world: World) -> None:
        world.sam.locale = "nb-NO"
        world.sam.save()
        client.force_login(world.sam)
        assert client.post("/accounts/profile/", self.FORM | {"locale": "nb-NO"}).status_code == 302

    def test_a_name_with_markup_is_inert(self, client: Client, world: World) -> None:
        client.force_login(world.sam)
        client.post("/accounts/profile/", self.FORM | {"full_name": "<script>alert(1)</script>"})
        page = client.get("/accounts/profile/").text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page

    @pytest.mark.parametrize(
        "change",
        [
            {"full_name": ""},
            {"full_name": "a\x00b"},
            {"locale": "xx"},
            {"time_zone": "Mars/Olympus"},
            {"date_of_birth": "1899-01-01"},
            {"date_of_birth": "2999-01-01"},
            {"date_of_birth": "soon"},
            {"learning_goal": "x" * 501},
        ],
    )
    def test_malformed(self, client: Client, world: World, change: dict[str, str]) -> None:
        client.force_login(world.sam)
        answer = client.post("/accounts/profile/", self.FORM | change)
        assert (answer.status_code, list(answer.context["form"].errors)) == (200, list(change))
        assert not UserProfile.objects.exists()

    def test_nobody_else_sees_it(self, client: Client, db: None) -> None:
        answer = client.get("/accounts/profile/")
        assert answer.headers["Location"] == "/accounts/login/?next=/accounts/profile/"

    def test_wrong_method(self, client: Client, world: World) -> None:
        client.force_login(world.sam)
        assert client.delete("/accounts/profile/").status_code == 405


class TestJoin:
    def test_makes_me_a_student(self, client: Client, world: World) -> None:
        University.objects.filter(slug="south").update(is_open_to_join=True)
        client.force_login(world.sam)
        answers = [client.post("/south/join/") for _ in range(2)]
        assert [(answer.status_code, answer.headers["Location"]) for answer in answers] == [(302, "/south/")] * 2
        assert list(
            Membership.objects.filter(user=world.sam, university=world.south).values_list("role", flat=True)
        ) == ["student"]

    def test_one_that_is_not_open_looks_absent(self, client: Client, world: World) -> None:
        client.force_login(world.sam)
        pages = [re.sub(r"csrf\w*\S+", "", client.post(f"/{slug}/join/").text) for slug in ("south", "nowhere")]
        assert pages[0] == pages[1]
        assert [client.post(f"/{slug}/join/").status_code for slug in ("south", "nowhere")] == [404, 404]
        assert not Membership.objects.filter(user=world.sam, university=world.south).exists()

    def test_signed_out(self, client: Client, world: World) -> None:
        assert client.post("/north/join/").headers["Location"] == "/accounts/login/?next=/north/join/"

    def test_wrong_method(self, client: Client, world: World) -> None:
        assert client.get("/north/join/").status_code == 405

    def test_needs_the_token_of_a_form(self, world: World) -> None:
        University.objects.filter(slug="south").update(is_open_to_join=True)
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(world.sam)
        answer = browser.post("/south/join/")
        assert answer.status_code == 403
        assert "The form was too old" in answer.text
        assert not Membership.objects.filter(user=world.sam, university=world.south).exists()


class TestHealth:
    def test_healthz_needs_no_database(self, client: Client) -> None:
        answer = client.get("/healthz")
        assert (answer.status_code, answer.content) == (200, b"ok\n")

    def test_readyz_asks_the_database(self, client: Client, db: None) -> None:
        answer = client.get("/readyz")
        assert (answer.status_code, answer.content) == (200, b"ok\n")

    def test_readyz_without_a_database(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        """In a thread, because each has a connection of its own: this one finds nobody at port 1."""

        def ask() -> tuple[int, bytes]:
            try:
                answer = Client().get("/readyz")
                return answer.status_code, answer.content
            finally:
                connections["default"].close()

        monkeypatch.setitem(connections.settings["default"], "PORT", "1")
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(ask).result() == (503, b"the database does not answer\n")
