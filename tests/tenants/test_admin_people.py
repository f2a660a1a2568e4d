"""Universities, people, roles and the audit log in the admin."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from tenants import audit, tokens
from tenants.models import AuditEntry, Department, Membership, Role, TokenFamily, University, User
from tests.world import World

ADMIN = "/admin/tenants/"
SOUTH = re.compile("south|oona|okafor", re.IGNORECASE)


@pytest.fixture
def ada(client: Client, world: World) -> Client:
    client.force_login(world.ada)
    return client


@pytest.fixture
def platform(client: Client, world: World) -> Client:
    client.force_login(world.platform)
    return client


def recorded(*fields: str) -> list[tuple[object, ...]]:
    return list(AuditEntry.objects.order_by("id").values_list(*fields))


@pytest.mark.parametrize("model", ["membership", "user", "university", "department", "auditentry"])
class TestEveryPage:
    def test_a_university_administrator_sees_their_own(self, ada: Client, world: World, model: str) -> None:
        audit.record(by=world.oona, action="south.act", university=world.south)
        page = ada.get(f"{ADMIN}{model}/")
        assert (page.status_code, SOUTH.search(page.text)) == (200, None)

    def test_a_teacher_may_not_open_it(self, client: Client, world: World, model: str) -> None:
        client.force_login(world.tess)
        assert client.get(f"{ADMIN}{model}/").status_code == 403
        assert f"{ADMIN}{model}/" not in client.get("/admin/").text

    def test_the_platform_sees_all(self, platform: Client, world: World, model: str) -> None:
        Department.objects.create(university=world.south, code="BIO", name="Biology")
        audit.record(by=world.oona, action="south.act", university=world.south)
        assert SOUTH.search(platform.get(f"{ADMIN}{model}/").text)


class TestMemberships:
    ADD = f"{ADMIN}membership/add/"

    def test_grants_a_role_by_address(self, ada: Client, world: World) -> None:
        body = {"email": "OONA@south.example", "university": world.north.pk, "role": "instructor"}
        assert ada.post(self.ADD, body).status_code == 302
        membership = Membership.objects.get(user=world.oona, university=world.north)
        assert membership.role == "instructor"
        assert ("membership.granted", world.ada.pk, world.north.pk, {"user": world.oona.pk, "role": "instructor"}) in (
            recorded("action", "actor", "university", "detail")
        )

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"email": "nobody@north.example"}, "email"),
            ({"university": "south"}, "university"),
            ({"university": ""}, "university"),
            ({"role": "platform_admin"}, "role"),
            ({"role": ""}, "role"),
            ({"email": "sam@north.example"}, "__all__"),
        ],
    )
    def test_malformed(self, ada: Client, world: World, change: dict[str, str], field: str) -> None:
        body = {"email": "oona@south.example", "university": world.north.pk, "role": "student"} | change
        if body["university"] == "south":
            body["university"] = world.south.pk
        before = Membership.objects.count()
        page = ada.post(self.ADD, body)
        assert page.status_code == 200
        assert field in page.context["adminform"].form.errors
        assert Membership.objects.count() == before

    def test_the_form_names_nobody(self, ada: Client, world: World) -> None:
        assert SOUTH.search(ada.get(self.ADD).text) is None

    def test_changes_a_role_and_records_both(self, ada: Client, world: World) -> None:
        membership = world.sam.memberships.get()
        ada.post(f"{ADMIN}membership/{membership.pk}/change/", {"role": "ta", "university": world.south.pk})
        membership.refresh_from_db()
        assert (membership.role, membership.university, membership.user) == ("ta", world.north, world.sam)
        detail = {"user": world.sam.pk, "role": "ta", "before": "student"}
        assert ("membership.changed", world.ada.pk, world.north.pk, detail) in (
            recorded("action", "actor", "university", "detail")
        )

    def test_a_role_held_already_is_refused(self, ada: Client, world: World) -> None:
        Membership.objects.create(user=world.sam, university=world.north, role=Role.TA)
        student = world.sam.memberships.get(role=Role.STUDENT)
        page = ada.post(f"{ADMIN}membership/{student.pk}/change/", {"role": "ta"})
        assert page.status_code == 200
        assert page.context["adminform"].form.errors
        student.refresh_from_db()
        assert student.role == "student"

    def test_a_department_of_another_university_is_refused(self, ada: Client, world: World) -> None:
        south = Department.objects.create(university=world.south, code="BIO", name="Biology")
        membership = world.sam.memberships.get()
        page = ada.post(f"{ADMIN}membership/{membership.pk}/change/", {"role": "ta", "department": south.pk})
        assert (page.status_code, "Biology" in page.text) == (200, False)
        membership.refresh_from_db()
        assert (membership.role, membership.department) == ("student", None)

    @pytest.mark.parametrize("how", ["page", "bulk"])
    def test_takes_a_role_away(self, ada: Client, world: World, how: str) -> None:
        membership = world.sam.memberships.get()
        if how == "page":
            ada.post(f"{ADMIN}membership/{membership.pk}/delete/", {"post": "yes"})
        else:
            body = {"action": "delete_selected", "_selected_action": [membership.pk], "post": "yes"}
            ada.post(f"{ADMIN}membership/", body)
        assert not world.sam.memberships.exists()
        detail = {"user": world.sam.pk, "role": "student"}
        assert ("membership.revoked", world.ada.pk, world.north.pk, detail) in (
            recorded("action", "actor", "university", "detail")
        )

    def test_foreign_ones_are_absent(self, ada: Client, world: World) -> None:
        foreign = world.oona.memberships.get()
        for action in ("change", "delete", "history"):
            assert ada.get(f"{ADMIN}membership/{foreign.pk}/{action}/").status_code == 404
        assert ada.post(f"{ADMIN}membership/{foreign.pk}/change/", {"role": "ta"}).status_code == 404
        foreign.refresh_from_db()
        assert foreign.role == "student"


class TestPeople:
    def page(self, user: User) -> str:
        return f"{ADMIN}user/{user.pk}/change/"

    def test_a_university_administrator_sees_members_and_changes_none(self, ada: Client, world: World) -> None:
        assert ada.get(self.page(world.sam)).status_code == 200
        assert ada.get(self.page(world.oona)).status_code == 404
        assert ada.post(self.page(world.sam), {"full_name": "Renamed", "is_platform_admin": "on"}).status_code == 403
        assert ada.get(f"{ADMIN}user/add/").status_code == 403
        world.sam.refresh_from_db()
        assert (world.sam.full_name, world.sam.is_platform_admin) == ("Sam Sorensen", False)

    def test_the_platform_closes_an_account_at_once(self, platform: Client, world: World) -> None:
        pair = tokens.start_family(world.sam)
        browser = Client()
        browser.force_login(world.sam)
        body = {"full_name": "Sam Sorensen", "locale": "en", "time_zone": "UTC"}
        assert platform.post(self.page(world.sam), body).status_code == 302
        with pytest.raises(tokens.BadToken):
            tokens.user_for_access_token(pair.access_token)
        assert browser.get("/accounts/profile/").status_code == 302
        assert TokenFamily.objects.get().revoked_reason == "deactivated"
        assert ("user.deactivated", world.platform.pk, str(world.sam.pk)) in recorded("action", "actor", "subject_id")

    def test_the_platform_makes_another_administrator(self, platform: Client, world: World) -> None:
        body = {"full_name": "Sam", "locale": "en", "time_zone": "UTC", "is_active": "on", "is_platform_admin": "on"}
        platform.post(self.page(world.sam), body)
        world.sam.refresh_from_db()
        assert (world.sam.is_platform_admin, world.sam.is_active, world.sam.full_name) == (True, True, "Sam")
        assert ("user.platform_admin_set", {"is_platform_admin": True}) in recorded("action", "detail")

    def test_a_new_account_gets_no_password_here(self, platform: Client, world: World) -> None:
        platform.post(f"{ADMIN}user/add/", {"email": "Nora@North.example", "full_name": "Nora Nordin"})
        user = User.objects.get(email="nora@north.example")
        assert (user.full_name, user.has_usable_password()) == ("Nora Nordin", False)
        assert EmailAddress.objects.filter(user=user, verified=False, primary=True).count() == 1
        page = platform.post(f"{ADMIN}user/add/", {"email": "nora@NORTH.example", "full_name": "Again"})
        assert "email" in page.context["adminform"].form.errors

    def test_accounts_are_not_deleted_here(self, platform: Client, world: World) -> None:
        assert platform.post(f"{ADMIN}user/{world.sam.pk}/delete/", {"post": "yes"}).status_code == 403

    def test_a_name_with_markup_is_inert(self, ada: Client, world: World) -> None:
        world.sam.full_name = "<img src=x onerror=alert(1)>"
        world.sam.save()
        membership = world.sam.memberships.get()
        paths = ["user/", "membership/", f"user/{world.sam.pk}/change/", f"membership/{membership.pk}/delete/"]
        for path in paths:
            page = ada.get(f"{ADMIN}{path}").text
            assert ("<img src=x" in page, "&lt;img src=x" in page) == (False, True)


class TestUniversities:
    def test_its_administrator_changes_how_it_looks(self, ada: Client, world: World) -> None:
        body = {
            "name": "North",
            "time_zone": "UTC",
            "locale": "en",
            "accent": "teal",
            "is_open_to_join": "on",
            "slug": "taken",
            "short_code": "TAKEN",
            "is_active": "",
        }
        assert ada.post(f"{ADMIN}university/{world.north.pk}/change/", body).status_code == 302
        changed = University.objects.values("name", "accent", "is_open_to_join", "slug", "short_code", "is_active")
        assert changed.get(pk=world.north.pk) == {
            "name": "North",
            "accent": "teal",
            "is_open_to_join": True,
            "slug": "north",
            "short_code": "NORTH",
            "is_active": True,
        }
        assert ("admin.changed", world.ada.pk, world.north.pk) in recorded("action", "actor", "university")

    def test_neither_adds_nor_deletes_nor_touches_another(self, ada: Client, world: World) -> None:
        assert ada.get(f"{ADMIN}university/add/").status_code == 403
        assert ada.post(f"{ADMIN}university/{world.north.pk}/delete/", {"post": "yes"}).status_code == 403
        assert ada.post(f"{ADMIN}university/{world.south.pk}/change/", {"name": "Taken"}).status_code == 404

    def test_a_reserved_name_is_refused(self, platform: Client, world: World) -> None:
        body = {
            "name": "Api",
            "slug": "API",
            "short_code": "X",
            "country": world.north.country_id,
            "time_zone": "UTC",
            "locale": "en",
            "accent": "teal",
            "policy": "{}",
        }
        page = platform.post(f"{ADMIN}university/add/", body)
        assert list(page.context["adminform"].form.errors) == ["slug"]


class TestAuditLog:
    def test_is_read_and_never_written(self, ada: Client, world: World) -> None:
        audit.record(by=world.tess, action="prompt.label_moved", university=world.north)
        entry = AuditEntry.objects.get()
        page = ada.get(f"{ADMIN}auditentry/{entry.pk}/change/")
        assert (page.status_code, "prompt.label_moved" in page.text, "Tess Tanaka" in page.text) == (200, True, True)
        assert ada.post(f"{ADMIN}auditentry/{entry.pk}/change/", {"action": "nothing"}).status_code == 403
        assert ada.post(f"{ADMIN}auditentry/{entry.pk}/delete/", {"post": "yes"}).status_code == 403
        assert ada.get(f"{ADMIN}auditentry/add/").status_code == 403

    def test_outlives_the_account(self, ada: Client, world: World) -> None:
        audit.record(by=world.tess, action="prompt.label_moved", university=world.north)
        User.objects.filter(pk=world.tess.pk).delete()
        assert f"account {world.tess.pk}, deleted" in ada.get(f"{ADMIN}auditentry/").text

    def test_foreign_entries_are_absent(self, ada: Client, world: World) -> None:
        audit.record(by=world.oona, action="south.act", university=world.south)
        audit.record(by=world.platform, action="platform.act")
        for entry in AuditEntry.objects.all():
            assert ada.get(f"{ADMIN}auditentry/{entry.pk}/change/").status_code == 404


def test_groups_are_not_offered(platform: Client) -> None:
    assert "/admin/auth/group/" not in platform.get("/admin/").text


def test_signing_out_and_changing_the_password_are_the_sites_own_pages(platform: Client) -> None:
    assert platform.get("/admin/password_change/").headers["Location"] == "/accounts/password/change/"
    assert platform.post("/admin/logout/").headers["Location"] == "/accounts/login/"
    assert platform.get("/admin/").headers["Location"] == "/admin/login/?next=/admin/"
