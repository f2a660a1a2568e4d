"""What ends the right to be inside, for many connections at once."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db.models.functions import Now
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tenants import actions, tokens
from tenants.models import Membership, Role, TokenFamily, University, User
from tenants.standing import Standing, ended, standing_by_session, standing_by_token
from tests import factories
from tests.world import World

SIGNED_OUT, GONE = "not_signed_in", "not_found"


def by_page(user: User, university: University) -> Standing:
    client = Client()
    client.force_login(user)
    return standing_by_session(user, university.pk, client.session.session_key)


def by_program(user: User, university: University) -> Standing:
    return standing_by_token(user, university.pk, tokens.start_family(user).access_token)


def both(user: User, university: University) -> list[Standing]:
    return [by_page(user, university), by_program(user, university)]


def told(standings: list[Standing]) -> list[str]:
    """The refusals' codes in this order, "" for who may stay."""
    found = ended(standings)
    assert found.keys() <= set(standings)
    return [found[each].code if each in found else "" for each in standings]


def test_everybody_may_stay_while_nothing_changes(world: World):
    people = [*both(world.sam, world.north), *both(world.oona, world.south), *both(world.platform, world.north)]
    assert told(people) == [""] * 6
    assert ended([]) == {}


def test_an_account_that_is_closed_ends_both_ways_in(world: World):
    people = [*both(world.sam, world.north), *both(world.tess, world.north)]
    actions.set_active(by=world.platform, user=world.sam, is_active=False)
    assert told(people) == [SIGNED_OUT, SIGNED_OUT, "", ""]


def test_a_sign_in_from_before_the_account_was_closed_is_not_revived(world: World):
    people = both(world.sam, world.north)
    actions.set_active(by=world.platform, user=world.sam, is_active=False)
    actions.set_active(by=world.platform, user=world.sam, is_active=True)
    assert told([*people, *both(User.objects.get(pk=world.sam.pk), world.north)]) == [SIGNED_OUT, SIGNED_OUT, "", ""]


def test_a_password_ends_what_the_one_before_it_opened(world: World):
    before = both(world.sam, world.north)
    actions.change_password(by=world.sam, user=world.sam, password="another long password")
    assert told([*before, *both(world.sam, world.north)]) == [SIGNED_OUT, SIGNED_OUT, "", ""]


def test_a_password_that_changes_past_the_actions_ends_both_too(world: World):
    before = both(world.sam, world.north)
    User.objects.filter(pk=world.sam.pk).update(password="something else")
    assert told(before) == [SIGNED_OUT] * 2


def test_signing_out_ends_the_one_sign_in(world: World):
    pages, programs = [by_page(world.sam, world.north) for _ in range(2)], tokens.start_family(world.sam)
    by_token = standing_by_token(world.sam, world.north.pk, programs.access_token)
    Session.objects.filter(session_key=pages[0].session_key).delete()
    assert told([*pages, by_token]) == [SIGNED_OUT, "", ""]
    tokens.end_family(programs.refresh_token)
    assert told([*pages, by_token, by_program(world.sam, world.north)]) == [SIGNED_OUT, "", SIGNED_OUT, ""]


def test_what_has_run_out_has_ended(world: World):
    people = both(world.sam, world.north)
    Session.objects.update(expire_date=Now() - timedelta(seconds=1))
    TokenFamily.objects.update(expires_at=Now() - timedelta(seconds=1))
    assert told(people) == [SIGNED_OUT] * 2


def test_the_last_role_is_what_membership_is(world: World):
    people = [*both(world.sam, world.north), *both(world.tess, world.north)]
    actions.grant_role(by=world.ada, user=world.sam, university=world.north, role=Role.TA)
    # A role elsewhere is no role here.
    actions.grant_role(by=world.platform, user=world.sam, university=world.south, role=Role.STUDENT)
    actions.revoke_role(by=world.ada, membership=Membership.objects.get(user=world.sam, role=Role.TA))
    assert told(people) == [""] * 4
    actions.revoke_role(by=world.ada, membership=Membership.objects.get(user=world.sam, university=world.north))
    assert told([*people, by_page(world.sam, world.south)]) == [GONE, GONE, "", "", ""]


def test_a_university_that_is_closed_is_closed_for_all(world: World):
    people = [by_page(world.sam, world.north), by_page(world.platform, world.north), by_page(world.oona, world.south)]
    University.objects.filter(pk=world.north.pk).update(is_active=False)
    assert told(people) == [GONE, GONE, ""]


def test_who_is_no_platform_administrator_any_more_is_a_stranger(world: World):
    pia = by_page(world.platform, world.north)
    actions.set_platform_admin(by=world.platform, user=world.platform, is_platform_admin=False)
    assert told([pia]) == [GONE]


def test_who_was_deleted_is_not_signed_in(world: World):
    nobody = factories.make_user("nobody@north.example", "Nobody", at=world.north)
    people = both(nobody, world.north)
    User.objects.filter(pk=nobody.pk).delete()
    assert told(people) == [SIGNED_OUT] * 2


@pytest.mark.parametrize("number", [1, 3])
def test_the_queries_do_not_grow_with_the_people(
    world: World, number: int, django_assert_num_queries: DjangoAssertNumQueries
):
    people = [*both(world.tess, world.north), by_page(world.oona, world.south)]
    for index in range(number):
        user = factories.make_user(f"{index}@north.example", f"Number {index}", at=world.north)
        people += both(user, world.north)
    # People, sessions, families and universities once; members once for each of the two universities.
    with django_assert_num_queries(6):
        assert ended(people) == {}


def test_a_standing_shows_no_secret(world: World):
    standing = by_page(world.sam, world.north)
    assert [secret in repr(standing) for secret in (standing.basis, standing.session_key)] == [False, False]
