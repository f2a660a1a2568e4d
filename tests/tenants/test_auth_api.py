from datetime import date
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from tenants import actions, tokens
from tenants.models import AuditEntry, TokenFamily, User
from tests.tenants.conftest import BAD_TOKEN, TOO_MANY, Call, CountingHasher
from tests.world import PASSWORD, World

BAD_CREDENTIALS = {"detail": "The e-mail address or the password is not right.", "code": "bad_credentials"}
NEW = {"email": "Nora@North.example", "password": "correct horse battery", "full_name": "Nora Nordin"}


class TestCheckEmail:
    def test_tells_whether_an_account_may_be_made(self, call: Call, world: World) -> None:
        EmailAddress.objects.create(user=world.sam, email="second@north.example", verified=True)
        asked = ["new@north.example", "SAM@north.example", "second@north.example"]
        answers = [call("POST", "/auth/check-email", {"email": email}).json() for email in asked]
        assert answers == [{"available": True}, {"available": False}, {"available": False}]

    def test_few_tries_for_each_caller(self, call: Call, world: World) -> None:
        answers = [call("POST", "/auth/check-email", {"email": f"p{n}@north.example"}) for n in range(11)]
        assert [answer.status_code for answer in answers] == [200] * 10 + [429]
        assert answers[-1].json() == TOO_MANY
        assert answers[-1]["Retry-After"] == "60"

    def test_a_forwarded_header_does_not_buy_more_tries(self, client: Client, world: World) -> None:
        answers = [
            client.post(
                "/api/v1/auth/check-email",
                {"email": "new@north.example"},
                content_type="application/json",
                headers={"X-Forwarded-For": f"198.51.100.{n}"},
            ).status_code
            for n in range(11)
        ]
        assert answers == [200] * 10 + [429]

    @pytest.mark.parametrize("email", ["", "north.example", "a@b", "a\x00@north.example", "é" * 300, None, 7])
    def test_malformed(self, call: Call, db: None, email: Any) -> None:
        answer = call("POST", "/auth/check-email", {"email": email})
        assert answer.status_code == 422
        assert answer.json()["code"] == "invalid_input"


class TestRegister:
    def test_makes_an_account_that_reaches_its_own_data_only(self, call: Call, world: World) -> None:
        answer = call("POST", "/auth/register", NEW | {"locale": "nb-NO", "time_zone": "Europe/Oslo"})
        assert answer.status_code == 201
        pair = answer.json()
        assert pair == {
            "access_token": pair["access_token"],
            "refresh_token": pair["refresh_token"],
            "token_type": "bearer",
        }
        me = call("GET", "/users/me", token=pair["access_token"]).json()
        user = User.objects.get(email="nora@north.example")
        assert me == {
            "id": user.pk,
            "email": "nora@north.example",
            "is_email_verified": False,
            "full_name": "Nora Nordin",
            "locale": "nb-NO",
            "time_zone": "Europe/Oslo",
            "current_streak_days": 0,
            "last_activity_date": None,
            "created_at": me["created_at"],
            "profile": {"date_of_birth": None, "learning_goal": "", "study_level": "", "grade": ""},
            "subject_preferences": [],
        }
        refused = call("GET", "/universities", token=pair["access_token"])
        assert (refused.status_code, refused.json()["code"]) == (403, "email_not_verified")
        assert user.check_password(PASSWORD)
        assert [entry.action for entry in AuditEntry.objects.order_by("id")] == ["user.registered", "user.signed_in"]

    def test_the_mailed_link_opens_the_rest(self, call: Call, client: Client, world: World) -> None:
        token = call("POST", "/auth/register", NEW).json()["access_token"]
        assert [message.to for message in mail.outbox] == [["nora@north.example"]]
        link = next(word for word in mail.outbox[0].body.split() if "/accounts/confirm-email/" in word)
        client.post(link)
        assert call("GET", "/universities", token=token).json() == {"items": [], "count": 0}
        assert call("GET", "/users/me", token=token).json()["is_email_verified"] is True

    def test_with_onboarding(self, call: Call, world: World) -> None:
        profile = {
            "date_of_birth": "2004-02-29",
            "learning_goal": "To read papers",
            "study_level": "Bachelor",
            "grade": "2",
        }
        body = NEW | {"profile": profile, "subject_preferences": ["Statistics", "Biology", "Statistics"]}
        token = call("POST", "/auth/register-with-onboarding", body).json()["access_token"]
        me = call("GET", "/users/me", token=token).json()
        assert me["profile"] == profile
        assert me["subject_preferences"] == ["Statistics", "Biology"]

    @pytest.mark.parametrize("email", ["sam@north.example", "SAM@NORTH.EXAMPLE"])
    def test_a_taken_address(self, call: Call, world: World, email: str) -> None:
        people = User.objects.count()
        answer = call("POST", "/auth/register", NEW | {"email": email})
        assert answer.status_code == 409
        assert answer.json() == {
            "detail": "There is an account with this e-mail address already.",
            "code": "email_taken",
        }
        assert User.objects.count() == people
        assert mail.outbox == []

    def test_twice_makes_one_account(self, call: Call, world: World) -> None:
        assert [call("POST", "/auth/register", NEW).status_code for _ in range(2)] == [201, 409]

    @pytest.mark.parametrize("password", ["short", "password1234", "noranordin"])
    def test_a_weak_password(self, call: Call, world: World, password: str) -> None:
        answer = call("POST", "/auth/register", NEW | {"password": password})
        assert (answer.status_code, answer.json()["code"]) == (422, "weak_password")
        assert not User.objects.filter(email="nora@north.example").exists()

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"email": "nobody"}, "email"),
            ({"full_name": " "}, "full_name"),
            ({"full_name": "No\x00ra"}, "full_name"),
            ({"full_name": "N" * 201}, "full_name"),
            ({"locale": "<script>"}, "locale"),
            ({"time_zone": "Europe/Atlantis"}, "time_zone"),
            ({"time_zone": "../../etc/passwd"}, "time_zone"),
            ({"password": "p" * 1001}, "password"),
            ({"is_platform_admin": True}, "is_platform_admin"),
            ({"role": "university_admin"}, "role"),
        ],
    )
    def test_malformed(self, call: Call, world: World, change: dict[str, Any], field: str) -> None:
        answer = call("POST", "/auth/register", NEW | change)
        assert answer.status_code == 422
        assert [error["loc"] for error in answer.json()["detail"]] == [["body", "payload", field]]
        assert {key for error in answer.json()["detail"] for key in error} == {"loc", "msg", "type"}

    @pytest.mark.parametrize("born", ["1899-12-31", "2999-01-01", "yesterday"])
    def test_an_impossible_birthday(self, call: Call, world: World, born: str) -> None:
        body = NEW | {"profile": {"date_of_birth": born}}
        assert call("POST", "/auth/register-with-onboarding", body).status_code == 422

    def test_passwords_count_beyond_72_bytes(self, call: Call, world: World, settings: Any) -> None:
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.BCryptSHA256PasswordHasher"]
        long = "correct horse battery staple " * 4
        call("POST", "/auth/register", NEW | {"password": long})
        tries = [long, long[:-1] + "x"]
        assert [
            call("POST", "/auth/login", {"email": NEW["email"], "password": password}).status_code for password in tries
        ] == [200, 401]

    def test_few_tries_for_each_caller(self, call: Call, world: World) -> None:
        bodies = [NEW | {"email": f"p{n}@north.example", "password": "short"} for n in range(11)]
        statuses = [call("POST", "/auth/register", body).status_code for body in bodies]
        assert statuses == [422] * 10 + [429]


class TestLogin:
    def test_gives_a_pair_and_is_recorded(self, call: Call, world: World) -> None:
        answer = call("POST", "/auth/login", {"email": "Sam@north.example ", "password": PASSWORD})
        assert answer.status_code == 200
        assert tokens.user_for_access_token(answer.json()["access_token"]) == world.sam
        entry = AuditEntry.objects.get()
        assert (entry.actor_id, entry.action, entry.detail) == (world.sam.pk, "user.signed_in", {"through": "api"})

    def test_known_and_unknown_addresses_are_answered_alike(
        self, call: Call, world: World, hashes: type[CountingHasher]
    ) -> None:
        world.sam.set_password(PASSWORD)
        world.sam.save()
        work, answers = [], []
        for email in ("sam@north.example", "nobody@north.example"):
            before = hashes.count
            answers.append(call("POST", "/auth/login", {"email": email, "password": "wrong"}))
            work.append(hashes.count - before)
        assert [(answer.status_code, answer.json()) for answer in answers] == [(401, BAD_CREDENTIALS)] * 2
        assert answers[0].content == answers[1].content
        assert work == [1, 1]

    def test_a_closed_account_is_answered_alike_too(self, call: Call, world: World) -> None:
        actions.set_active(by=world.platform, user=world.sam, is_active=False)
        answer = call("POST", "/auth/login", {"email": "sam@north.example", "password": PASSWORD})
        assert (answer.status_code, answer.json()) == (401, BAD_CREDENTIALS)

    def test_wrong_passwords_are_counted_for_the_account_from_every_address(self, client: Client, world: World) -> None:
        def login(n: int, password: str) -> int:
            return client.post(
                "/api/v1/auth/login",
                {"email": "sam@north.example", "password": password},
                content_type="application/json",
                REMOTE_ADDR=f"198.51.100.{n}",
            ).status_code

        assert [login(n, "wrong") for n in range(6)] == [401] * 5 + [429]
        assert login(7, PASSWORD) == 429

    def test_the_page_counts_with_the_api(self, client: Client, call: Call, world: World) -> None:
        for _ in range(5):
            client.post("/accounts/login/", {"login": "sam@north.example", "password": "wrong"})
        assert call("POST", "/auth/login", {"email": "sam@north.example", "password": PASSWORD}).json() == TOO_MANY

    def test_wrong_method(self, call: Call, db: None) -> None:
        answer = call("GET", "/auth/login")
        assert answer.status_code == 405
        assert answer["Allow"] == "POST"
        assert answer.json() == {"detail": "This address does not know this method.", "code": "method_not_allowed"}


class TestRefresh:
    def test_a_new_pair_each_time(self, call: Call, world: World) -> None:
        first = tokens.start_family(world.sam)
        answer = call("POST", "/auth/refresh", {"refresh_token": first.refresh_token})
        assert answer.status_code == 200
        pair = answer.json()
        assert pair.keys() == {"access_token", "refresh_token", "token_type"}
        assert pair["refresh_token"] != first.refresh_token
        assert call("GET", "/users/me", token=pair["access_token"]).status_code == 200

    def test_a_spent_token_ends_the_sign_in(self, call: Call, world: World) -> None:
        first = tokens.start_family(world.sam)
        second = call("POST", "/auth/refresh", {"refresh_token": first.refresh_token}).json()
        again = call("POST", "/auth/refresh", {"refresh_token": first.refresh_token})
        assert (again.status_code, again.json()) == (401, BAD_TOKEN)
        assert call("GET", "/users/me", token=second["access_token"]).json() == BAD_TOKEN
        assert call("POST", "/auth/refresh", {"refresh_token": second["refresh_token"]}).json() == BAD_TOKEN

    @pytest.mark.parametrize("token", ["", "garbage", "a.b.c", "é", "x" * 3999])
    def test_garbage(self, call: Call, db: None, token: str) -> None:
        answer = call("POST", "/auth/refresh", {"refresh_token": token})
        assert (answer.status_code, answer.json()) == (401, BAD_TOKEN)
        assert answer["WWW-Authenticate"] == "Bearer"

    @pytest.mark.parametrize("body", [{}, {"refresh_token": None}, {"refresh_token": "x" * 4001}, [], None])
    def test_malformed(self, call: Call, db: None, body: Any) -> None:
        answer = call("POST", "/auth/refresh", body)
        assert answer.status_code in (400, 422)
        assert answer.json()["code"] == "invalid_input"


class TestLogout:
    def test_by_refresh_token(self, call: Call, world: World) -> None:
        pair = tokens.start_family(world.sam)
        answers = [call("POST", "/auth/logout", {"refresh_token": pair.refresh_token}) for _ in range(2)]
        assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 2
        assert call("GET", "/users/me", token=pair.access_token).json() == BAD_TOKEN
        assert call("POST", "/auth/refresh", {"refresh_token": pair.refresh_token}).json() == BAD_TOKEN

    def test_by_access_token(self, call: Call, world: World) -> None:
        pair = tokens.start_family(world.sam)
        assert call("POST", "/auth/logout", token=pair.access_token).status_code == 204
        assert call("POST", "/auth/refresh", {"refresh_token": pair.refresh_token}).json() == BAD_TOKEN

    def test_without_any(self, call: Call, db: None) -> None:
        answer = call("POST", "/auth/logout")
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")

    def test_leaves_other_sign_ins_alone(self, call: Call, world: World) -> None:
        here, there = tokens.start_family(world.sam), tokens.start_family(world.sam)
        call("POST", "/auth/logout", token=here.access_token)
        assert call("GET", "/users/me", token=there.access_token).status_code == 200


class TestVerificationMail:
    def test_sends_the_link_again_but_not_at_once(self, call: Call, world: World) -> None:
        token = call("POST", "/auth/register", NEW).json()["access_token"]
        assert call("POST", "/auth/verification-mail", token=token).status_code == 204
        assert [message.to for message in mail.outbox] == [["nora@north.example"]] * 2
        assert call("POST", "/auth/verification-mail", token=token).json() == TOO_MANY

    def test_nothing_for_a_verified_address(self, call: Call, world: World) -> None:
        assert call("POST", "/auth/verification-mail", by=world.sam).status_code == 204
        assert mail.outbox == []

    def test_a_broken_mail_server_does_not_lose_the_account(self, call: Call, world: World, settings: Any) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
        assert call("POST", "/auth/register", NEW).status_code == 201
        assert TokenFamily.objects.filter(user__email="nora@north.example").count() == 1


def test_profile_dates_are_dates(call: Call, world: World) -> None:
    body = NEW | {"profile": {"date_of_birth": "2004-02-29"}}
    call("POST", "/auth/register-with-onboarding", body)
    assert User.objects.get(email="nora@north.example").profile.date_of_birth == date(2004, 2, 29)
