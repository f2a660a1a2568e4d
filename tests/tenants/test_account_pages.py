import re
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client

from tenants import tokens
from tenants.models import AuditEntry, Membership, University, User
from tests.tenants.conftest import BAD_TOKEN, Call, CountingHasher
from tests.world import PASSWORD, World

SIGNUP = {
    "full_name": "Nora Nordin",
    "email": "nora@north.example",
    "password1": "correct horse battery",
    "university": "north",
}


@pytest.fixture
def open_north(world: World) -> World:
    University.objects.filter(slug="north").update(is_open_to_join=True)
    return world


def link_in_mail() -> str:
    found = re.search(r"http://testserver(/accounts/\S+)", mail.outbox[-1].body)
    assert found
    return found[1]


class TestSignUp:
    def test_from_the_form_to_the_first_page(self, client: Client, open_north: World) -> None:
        assert client.post("/accounts/signup/", SIGNUP).headers["Location"] == "/accounts/confirm-email/"
        user = User.objects.get(email="nora@north.example")
        assert user.full_name == "Nora Nordin"
        memberships = Membership.objects.filter(user=user).values_list("university__slug", "role")
        assert list(memberships) == [("north", "student")]
        refused = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
        assert refused.headers["Location"] == "/accounts/confirm-email/"
        assert client.get("/accounts/profile/").status_code == 302

        confirm = link_in_mail()
        assert client.get(confirm).status_code == 200
        client.post(confirm)
        entered = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
        assert entered.headers["Location"] == "/"
        assert client.get("/accounts/profile/").status_code == 200
        assert list(AuditEntry.objects.order_by("id").values_list("action", "actor")) == [
            ("membership.granted", user.pk),
            ("user.email_verified", user.pk),
            ("user.signed_in", user.pk),
        ]

    def test_offers_the_open_universities_and_chooses_the_invited_one(self, client: Client, open_north: World) -> None:
        offered = re.findall(r'<option value="(\w*)"( selected)?>', client.get("/accounts/signup/").text)
        assert offered == [("", " selected"), ("north", "")]
        invited = client.get("/accounts/signup/?university=north").text
        assert re.findall(r'<option value="(\w*)"( selected)?>', invited) == [("", ""), ("north", " selected")]

    @pytest.mark.parametrize("slug", ["south", "nowhere", "x' OR 1=1"])
    def test_an_invitation_to_one_that_is_not_open_chooses_none(
        self, client: Client, open_north: World, slug: str
    ) -> None:
        page = client.get("/accounts/signup/", {"university": slug}).text
        assert "south" not in page.lower()
        assert 'value="north" selected' not in page

    def test_without_a_university(self, client: Client, open_north: World) -> None:
        client.post("/accounts/signup/", SIGNUP | {"university": ""})
        assert not Membership.objects.filter(user__email="nora@north.example").exists()
        assert User.objects.filter(email="nora@north.example").exists()

    @pytest.mark.parametrize(
        "change",
        [
            {"university": "south"},
            {"university": "nowhere"},
            {"full_name": " "},
            {"full_name": "N" * 201},
            {"email": "nobody"},
            {"password1": "short"},
            {"password1": "nora@north.example"},
        ],
    )
    def test_malformed(self, client: Client, open_north: World, change: dict[str, str]) -> None:
        answer = client.post("/accounts/signup/", SIGNUP | change)
        assert answer.status_code == 200
        assert 'class="errorlist' in answer.text
        assert not User.objects.filter(full_name__startswith="N").exists()
        assert mail.outbox == []

    def test_a_known_address_is_answered_as_an_unknown_one(
        self,
        open_north: World,
        hashes: type[CountingHasher],
    ) -> None:
        answers, work = [], []
        for email in ("sam@north.example", "nora@north.example"):
            before = hashes.count
            browser = Client()
            answer = browser.post("/accounts/signup/", SIGNUP | {"email": email})
            shown = browser.get(answer.headers["Location"]).text
            answers.append((answer.status_code, answer.headers["Location"], answer.content, shown.replace(email, "")))
            work.append(hashes.count - before)
        assert answers[0] == answers[1]
        assert work == [1, 1]
        assert [message.to for message in mail.outbox] == [["sam@north.example"], ["nora@north.example"]]
        assert "/accounts/confirm-email/" not in mail.outbox[0].body
        assert Membership.objects.filter(user=open_north.sam).count() == 1


class TestSignIn:
    def login(self, client: Client, next_url: str = "", **change: str) -> Any:
        body = {"login": "sam@north.example", "password": PASSWORD, "next": next_url} | change
        return client.post("/accounts/login/", body)

    def test_goes_where_the_person_was_going(self, client: Client, world: World) -> None:
        assert self.login(client, "/north/").headers["Location"] == "/north/"

    @pytest.mark.parametrize(
        "next_url",
        [
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example/",
            "\\\\evil.example",
            "javascript:alert(1)",
            "http:evil.example",
            "http:///evil.example",
            # Allowed hosts, but not this one.
            "http://localhost/",
            "http://127.0.0.1:8000/",
        ],
    )
    def test_never_leaves_the_host(self, client: Client, world: World, next_url: str) -> None:
        assert self.login(client, next_url).headers["Location"] == "/"

    @pytest.mark.parametrize("next_url", ["https://evil.example/", "//evil.example/"])
    def test_signing_out_stays_on_the_host_too(self, client: Client, world: World, next_url: str) -> None:
        client.force_login(world.sam)
        assert client.post("/accounts/logout/", {"next": next_url}).headers["Location"] == "/"

    def test_known_and_unknown_addresses_are_answered_alike(
        self,
        world: World,
        hashes: type[CountingHasher],
    ) -> None:
        world.sam.set_password(PASSWORD)
        world.sam.save()
        answers, work = [], []
        for email in ("sam@north.example", "eva@north.example"):
            before = hashes.count
            browser = Client()
            browser.cookies["csrftoken"] = "c" * 32
            answer = self.login(browser, login=email, password="wrong")
            text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.text)
            answers.append((answer.status_code, text.replace(email, "")))
            work.append(hashes.count - before)
        assert answers[0] == answers[1]
        assert work == [1, 1]

    def test_a_closed_account(self, client: Client, world: World) -> None:
        User.objects.filter(pk=world.sam.pk).update(is_active=False)
        assert self.login(client).headers["Location"] == "/accounts/inactive/"
        assert client.get("/accounts/profile/").status_code == 302

    def test_closing_an_account_ends_its_session(self, client: Client, world: World) -> None:
        self.login(client)
        assert client.get("/accounts/profile/").status_code == 200
        User.objects.filter(pk=world.sam.pk).update(is_active=False)
        assert client.get("/accounts/profile/").status_code == 302

    def test_wrong_passwords_are_counted(self, client: Client, world: World) -> None:
        for _ in range(5):
            self.login(client, password="wrong")
        assert "Too many failed" in self.login(client).text
        assert client.get("/accounts/profile/").status_code == 302


class TestPassword:
    NEW = "a longer horse battery"

    def test_changing_it_ends_everything_but_this_session(self, client: Client, call: Call, world: World) -> None:
        elsewhere = Client()
        elsewhere.force_login(world.sam)
        pair = tokens.start_family(world.sam)
        client.post("/accounts/login/", {"login": "sam@north.example", "password": PASSWORD})
        body = {"oldpassword": PASSWORD, "password1": self.NEW, "password2": self.NEW}
        assert client.post("/accounts/password/change/", body).status_code == 302
        assert client.get("/accounts/profile/").status_code == 200
        assert elsewhere.get("/accounts/profile/").status_code == 302
        assert call("GET", "/users/me", token=pair.access_token).json() == BAD_TOKEN
        assert call("POST", "/auth/refresh", {"refresh_token": pair.refresh_token}).json() == BAD_TOKEN
        assert AuditEntry.objects.filter(action="user.password_changed", actor=world.sam).count() == 1

    def test_resetting_it_ends_everything(self, client: Client, call: Call, world: World) -> None:
        elsewhere = Client()
        elsewhere.force_login(world.sam)
        pair = tokens.start_family(world.sam)
        client.post("/accounts/password/reset/", {"email": "sam@north.example"})
        form = client.get(link_in_mail()).headers["Location"]
        client.post(form, {"password1": self.NEW, "password2": self.NEW})
        assert elsewhere.get("/accounts/profile/").status_code == 302
        assert call("GET", "/users/me", token=pair.access_token).json() == BAD_TOKEN
        world.sam.refresh_from_db()
        assert world.sam.check_password(self.NEW)

    def test_asking_for_a_reset_tells_nothing(self, world: World) -> None:
        answers = []
        for email in ("sam@north.example", "eva@north.example"):
            browser = Client()
            answer = browser.post("/accounts/password/reset/", {"email": email})
            answers.append(
                (answer.status_code, answer.headers["Location"], browser.get(answer.headers["Location"]).text)
            )
        assert answers[0] == answers[1]
        assert [message.to for message in mail.outbox] == [["sam@north.example"], ["eva@north.example"]]


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/login/",
        "/accounts/signup/",
        "/accounts/password/reset/",
        "/accounts/confirm-email/",
        "/nowhere/at/all/",
    ],
)
def test_nothing_inline_on_any_page(client: Client, db: None, path: str) -> None:
    answer = client.get(path)
    assert not re.search(r"<style|<script(?![^>]*\ssrc=)|\sstyle=|\son\w+=|javascript:", answer.text)
    directives = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in directives
    assert "script-src 'self'" in directives
    assert settings.DEBUG is False
