from tenants import queries
from tenants.models import Membership, Role, University
from tenants.queries import UniversityCard
from tests import factories
from tests.world import World

NORTH = UniversityCard("University of the North", "north", "Norway", "", "indigo", "Student")


def names(cards: list[UniversityCard]) -> list[str]:
    return [card.name for card in cards]


def test_the_front_door_shows_where_i_belong_with_my_roles(world: World) -> None:
    assert queries.universities_for_front(world.sam) == [NORTH]
    Membership.objects.create(user=world.sam, university=world.north, role=Role.INSTRUCTOR)
    (card,) = queries.universities_for_front(world.sam)
    assert card.roles == "Instructor, Student"


def test_strangers_see_the_active_ones_in_order(world: World) -> None:
    factories.make_university("closed", "Closed", is_active=False)
    assert names(queries.listed_universities()) == ["Southern University", "University of the North"]
    assert {card.roles for card in queries.listed_universities()} == {""}


def test_open_ones_without_my_own(world: World) -> None:
    University.objects.update(is_open_to_join=True)
    factories.make_university("closed", "Closed", is_active=False, is_open_to_join=True)
    assert names(queries.open_universities()) == ["Southern University", "University of the North"]
    assert names(queries.open_universities(world.sam)) == ["Southern University"]


def test_each_costs_one_query(world: World, django_assert_num_queries: object) -> None:
    for n in range(3):
        more = factories.make_university(f"more-{n}", f"More {n}", is_open_to_join=True)
        Membership.objects.create(user=world.sam, university=more, role=Role.STUDENT)
    with django_assert_num_queries(3):
        queries.universities_for_front(world.sam)
        queries.open_universities(world.oona)
        queries.listed_universities()


def test_where_a_person_belongs(world: World) -> None:
    Membership.objects.create(user=world.tess, university=world.south, role=Role.STUDENT)
    assert queries.memberships_of(world.tess) == [
        {"university": "Southern University", "role": "Student"},
        {"university": "University of the North", "role": "Instructor"},
    ]
