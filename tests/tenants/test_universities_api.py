import pytest

from tenants.models import AuditEntry, Department, Membership, Role, University
from tests import factories
from tests.tenants.conftest import Call
from tests.world import World

NOT_FOUND = {"detail": "There is nothing here.", "code": "not_found"}
NORTH = {
    "slug": "north",
    "name": "University of the North",
    "short_code": "NORTH",
    "country": "NO",
    "time_zone": "UTC",
    "locale": "en",
    "website": "",
    "accent": "indigo",
    "is_open_to_join": False,
    "role": "student",
}
OPEN = {"is_open_to_join": True}


class TestMine:
    def test_those_where_i_hold_a_role(self, call: Call, world: World) -> None:
        Membership.objects.create(user=world.tess, university=world.north, role=Role.TA)
        Membership.objects.create(user=world.tess, university=world.south, role=Role.STUDENT)
        south = NORTH | {"slug": "south", "name": "Southern University", "short_code": "SOUTH"}
        assert call("GET", "/universities", by=world.tess).json() == {
            "items": [south, NORTH | {"role": "instructor"}],
            "count": 2,
        }
        assert call("GET", "/universities", by=world.sam).json() == {"items": [NORTH], "count": 1}

    def test_not_those_that_are_closed(self, call: Call, world: World) -> None:
        University.objects.filter(slug="north").update(is_active=False)
        assert call("GET", "/universities", by=world.sam).json() == {"items": [], "count": 0}

    def test_all_for_the_platform(self, call: Call, world: World) -> None:
        answer = call("GET", "/universities", by=world.platform).json()
        assert [(each["slug"], each["role"]) for each in answer["items"]] == [
            ("south", "platform_admin"),
            ("north", "platform_admin"),
        ]

    def test_pages(self, call: Call, world: World) -> None:
        Membership.objects.create(user=world.sam, university=world.south, role=Role.STUDENT)
        answer = call("GET", "/universities?limit=1&offset=1", by=world.sam).json()
        assert ([each["slug"] for each in answer["items"]], answer["count"]) == (["north"], 2)
        assert call("GET", "/universities?offset=1000000", by=world.sam).json() == {"items": [], "count": 2}

    @pytest.mark.parametrize(
        "query", ["limit=0", "limit=101", "limit=x", "offset=-1", "offset=1000001", f"offset={10**30}"]
    )
    def test_malformed_pages(self, call: Call, world: World, query: str) -> None:
        answer = call("GET", f"/universities?{query}", by=world.sam)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")

    @pytest.mark.parametrize("count", [1, 3])
    def test_four_queries_for_any_number(
        self, call: Call, world: World, count: int, django_assert_num_queries: object
    ) -> None:
        for n in range(count - 1):
            more = factories.make_university(f"more-{n}", f"More {n}")
            Membership.objects.create(user=world.sam, university=more, role=Role.STUDENT)
        # The token's family is made by the call: one insert; then the caller, the page of rows and their number.
        with django_assert_num_queries(4):
            assert call("GET", "/universities", by=world.sam).json()["count"] == count


class TestOpen:
    def test_needs_no_account_and_shows_those_that_anybody_may_join(self, call: Call, world: World) -> None:
        University.objects.filter(slug="north").update(is_open_to_join=True)
        factories.make_university("closed", "Closed", is_active=False, **OPEN)
        assert call("GET", "/universities/open").json() == {"items": [NORTH | OPEN | {"role": None}], "count": 1}


class TestOne:
    def test_for_a_member(self, call: Call, world: World) -> None:
        assert call("GET", "/universities/north", by=world.sam).json() == NORTH
        assert call("GET", "/universities/north", by=world.ada).json() == NORTH | {"role": "university_admin"}

    def test_absent_foreign_and_malformed_are_the_same(self, call: Call, world: World) -> None:
        answers = [
            call("GET", f"/universities/{slug}", by=world.sam) for slug in ("south", "nowhere", "a%00b", "é", "..")
        ]
        assert {(answer.status_code, answer.content) for answer in answers} == {(404, answers[0].content)}
        assert answers[0].json() == NOT_FOUND


class TestJoin:
    def test_makes_me_a_student_once(self, call: Call, world: World) -> None:
        University.objects.filter(slug="south").update(is_open_to_join=True)
        answers = [call("POST", "/universities/south/join", by=world.sam) for _ in range(2)]
        south = NORTH | OPEN | {"slug": "south", "name": "Southern University", "short_code": "SOUTH"}
        assert [(answer.status_code, answer.json()) for answer in answers] == [(200, south)] * 2
        membership = Membership.objects.get(user=world.sam, university=world.south)
        assert membership.role == "student"
        entry = AuditEntry.objects.get(action="membership.granted")
        assert (entry.actor_id, entry.university_id, entry.subject_id, entry.detail) == (
            world.sam.pk,
            world.south.pk,
            str(membership.pk),
            {"user": world.sam.pk, "role": "student"},
        )

    def test_adds_nothing_to_a_higher_role(self, call: Call, world: World) -> None:
        University.objects.filter(slug="north").update(is_open_to_join=True)
        assert call("POST", "/universities/north/join", by=world.tess).json()["role"] == "instructor"
        assert list(world.tess.memberships.values_list("role", flat=True)) == ["instructor"]

    def test_one_that_is_not_open_looks_absent(self, call: Call, world: World) -> None:
        answers = [call("POST", f"/universities/{slug}/join", by=world.sam) for slug in ("south", "nowhere")]
        assert [(answer.status_code, answer.json()) for answer in answers] == [(404, NOT_FOUND)] * 2
        assert not Membership.objects.filter(user=world.sam, university=world.south).exists()

    def test_needs_a_verified_address(self, call: Call, world: World) -> None:
        University.objects.filter(slug="south").update(is_open_to_join=True)
        world.sam.emailaddress_set.update(verified=False)
        answer = call("POST", "/universities/south/join", by=world.sam)
        assert (answer.status_code, answer.json()["code"]) == (403, "email_not_verified")
        assert not Membership.objects.filter(user=world.sam, university=world.south).exists()

    def test_wrong_method(self, call: Call, world: World) -> None:
        assert call("GET", "/universities/north/join", by=world.sam).status_code == 405


def test_departments(call: Call, world: World) -> None:
    Department.objects.create(university=world.north, code="STAT", name="Statistics")
    Department.objects.create(university=world.south, code="BIO", name="Biology")
    assert call("GET", "/universities/north/departments", by=world.sam).json() == {
        "items": [{"code": "STAT", "name": "Statistics"}],
        "count": 1,
    }
    assert call("GET", "/universities/south/departments", by=world.sam).json() == NOT_FOUND


def test_countries(call: Call, world: World) -> None:
    assert call("GET", "/countries").json() == {
        "items": [{"iso_code": "NO", "name": "Norway", "region": "Europe"}],
        "count": 1,
    }
