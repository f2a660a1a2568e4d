from typing import Any

import pytest
from django.test import Client

from tenants import actions, tokens
from tenants.models import AuditEntry
from tests.tenants.conftest import BAD_TOKEN, TOO_MANY, Call
from tests.world import PASSWORD, World

NOT_SIGNED_IN = {"detail": "Please sign in.", "code": "not_signed_in"}


class TestMe:
    def test_shows_the_caller(self, call: Call, world: World) -> None:
        me = call("GET", "/users/me", by=world.sam).json()
        assert me == {
            "id": world.sam.pk,
            "email": "sam@north.example",
            "is_email_verified": True,
            "full_name": "Sam Sorensen",
            "locale": "en",
            "time_zone": "UTC",
            "current_streak_days": 0,
            "last_activity_date": None,
            "created_at": me["created_at"],
            "profile": {"date_of_birth": None, "learning_goal": "", "study_level": "", "grade": ""},
            "subject_preferences": [],
        }

    @pytest.mark.parametrize(
        ("header", "answer"),
        [
            (None, NOT_SIGNED_IN),
            ("", NOT_SIGNED_IN),
            ("Basic c2FtOnBhc3M=", NOT_SIGNED_IN),
            ("Bearer", BAD_TOKEN),
            ("Bearer ", BAD_TOKEN),
            ("Bearer garbage", BAD_TOKEN),
            ("Bearer a b", BAD_TOKEN),
            ("bearer " + "x" * 7000, BAD_TOKEN),
        ],
    )
    def test_without_a_good_token(
        self, client: Client, world: World, header: str | None, answer: dict[str, str]
    ) -> None:
        response = client.get("/api/v1/users/me", headers={} if header is None else {"Authorization": header})
        assert (response.status_code, response.json()) == (401, answer)
        assert response["WWW-Authenticate"] == "Bearer"

    def test_a_session_of_the_pages_is_no_token(self, client: Client, world: World) -> None:
        client.force_login(world.sam)
        assert client.get("/api/v1/users/me").json() == NOT_SIGNED_IN

    def test_wrong_method(self, call: Call, world: World) -> None:
        answer = call("DELETE", "/users/me", by=world.sam)
        assert answer.status_code == 405
        assert sorted(answer["Allow"].split(", ")) == ["GET", "PATCH"]


class TestUpdate:
    def test_changes_what_is_given(self, call: Call, world: World) -> None:
        before = call("GET", "/users/me", by=world.sam).json()
        changes = {"full_name": " Samuel Sorensen ", "time_zone": "Europe/Oslo", "profile": {"grade": "2"}}
        after = call("PATCH", "/users/me", changes, by=world.sam).json()
        assert after == before | {
            "full_name": "Samuel Sorensen",
            "time_zone": "Europe/Oslo",
            "profile": before["profile"] | {"grade": "2"},
        }
        assert call("GET", "/users/me", by=world.sam).json() == after

    def test_clears_a_birthday_and_replaces_preferences(self, call: Call, world: World) -> None:
        call(
            "PATCH",
            "/users/me",
            {"profile": {"date_of_birth": "2004-02-29"}, "subject_preferences": ["Biology"]},
            by=world.sam,
        )
        me = call("PATCH", "/users/me", {"profile": {"date_of_birth": None}}, by=world.sam).json()
        assert (me["profile"]["date_of_birth"], me["subject_preferences"]) == (None, ["Biology"])

    def test_nothing_given_changes_nothing(self, call: Call, world: World) -> None:
        before = call("GET", "/users/me", by=world.sam).json()
        assert call("PATCH", "/users/me", {}, by=world.sam).json() == before

    @pytest.mark.parametrize(
        "body",
        [
            {"email": "tess@north.example"},
            {"is_active": True},
            {"is_platform_admin": True},
            {"full_name": ""},
            {"full_name": None},
            {"profile": {"user": 1}},
            {"profile": {"learning_goal": "x" * 501}},
            {"subject_preferences": ["x"] * 51},
            {"subject_preferences": ["x" * 101]},
            {"subject_preferences": [" "]},
            [],
            "text",
        ],
    )
    def test_malformed(self, call: Call, world: World, body: Any) -> None:
        answer = call("PATCH", "/users/me", body, by=world.sam)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")

    def test_not_json(self, client: Client, world: World) -> None:
        token = tokens.start_family(world.sam).access_token
        for body in (b"{", b"\xff", b"[" * 100_000):
            answer = client.patch(
                "/api/v1/users/me", body, content_type="application/json", headers={"Authorization": f"Bearer {token}"}
            )
            assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")


class TestPassword:
    CHANGE = {"current_password": PASSWORD, "new_password": "a longer horse battery"}

    def test_ends_every_sign_in(self, call: Call, client: Client, world: World) -> None:
        client.force_login(world.sam)
        elsewhere = tokens.start_family(world.sam)
        others = tokens.start_family(world.tess)
        assert call("POST", "/users/me/password", self.CHANGE, by=world.sam).status_code == 204
        assert call("GET", "/users/me", token=elsewhere.access_token).json() == BAD_TOKEN
        assert call("POST", "/auth/refresh", {"refresh_token": elsewhere.refresh_token}).json() == BAD_TOKEN
        assert client.get("/accounts/profile/").status_code == 302
        assert call("GET", "/users/me", token=others.access_token).status_code == 200
        world.sam.refresh_from_db()
        assert world.sam.check_password(self.CHANGE["new_password"])
        reasons = world.sam.token_families.values_list("revoked_reason", flat=True)
        assert set(reasons) == {"password_changed"}
        entry = AuditEntry.objects.get(action="user.password_changed")
        assert (entry.actor_id, entry.subject_id) == (world.sam.pk, str(world.sam.pk))

    def test_needs_the_current_one_and_counts_the_tries(self, call: Call, world: World) -> None:
        body = self.CHANGE | {"current_password": "wrong"}
        answers = [call("POST", "/users/me/password", body, by=world.sam) for _ in range(6)]
        refusal = {"detail": "The current password is not right.", "code": "wrong_password"}
        assert [(answer.status_code, answer.json()) for answer in answers] == [(403, refusal)] * 5 + [(429, TOO_MANY)]

    @pytest.mark.parametrize("password", ["short", "sam@north.example", "sorensen12"])
    def test_a_weak_one(self, call: Call, world: World, password: str) -> None:
        answer = call("POST", "/users/me/password", self.CHANGE | {"new_password": password}, by=world.sam)
        assert (answer.status_code, answer.json()["code"]) == (422, "weak_password")
        world.sam.refresh_from_db()
        assert world.sam.check_password(PASSWORD)


def test_a_closed_account_is_out_at_once(call: Call, client: Client, world: World) -> None:
    client.force_login(world.sam)
    pair = tokens.start_family(world.sam)
    actions.set_active(by=world.platform, user=world.sam, is_active=False)
    assert call("GET", "/users/me", token=pair.access_token).json() == BAD_TOKEN
    assert call("POST", "/auth/refresh", {"refresh_token": pair.refresh_token}).json() == BAD_TOKEN
    assert client.get("/accounts/profile/").status_code == 302
    actions.set_active(by=world.platform, user=world.sam, is_active=True)
    assert call("GET", "/users/me", token=pair.access_token).json() == BAD_TOKEN
    recorded = [(entry.action, entry.actor_id) for entry in AuditEntry.objects.order_by("id")]
    assert recorded == [("user.deactivated", world.platform.pk), ("user.activated", world.platform.pk)]
