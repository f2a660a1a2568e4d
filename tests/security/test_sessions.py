"""A session begins with the sign-in and ends with it: no key from before works after it, and none comes back."""

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from tenants import actions, tokens
from tenants.models import User
from tests.tenants.conftest import BAD_TOKEN, Call
from tests.world import PASSWORD, World

pytestmark = pytest.mark.django_db

SAM = "sam@north.example"


def sign_in(client: Client, email: str = SAM, password: str = PASSWORD) -> Any:
    return client.post("/accounts/login/", {"login": email, "password": password})


def with_key(key: str) -> Client:
    """Another browser that has got hold of the key."""
    client = Client()
    client.cookies["sessionid"] = key
    return client


def is_in(client: Client) -> bool:
    return client.get("/accounts/profile/").status_code == 200


def key_of(client: Client) -> str:
    return str(client.cookies["sessionid"].value)


def test_a_key_from_before_the_sign_in_opens_nothing(world: World) -> None:
    """An attacker's own, laid under a victim's browser, with something in it."""
    attacker = Client()
    attacker.post("/accounts/signup/", {"full_name": "E", "email": "e@evil.example", "password1": PASSWORD})
    planted = key_of(attacker)
    victim = with_key(planted)
    sign_in(victim)
    assert (is_in(victim), key_of(victim) == planted, is_in(with_key(planted))) == (True, False, False)
    assert not Session.objects.filter(session_key=planted).exists()


def test_a_made_up_key_is_not_taken_over(world: World) -> None:
    made_up = "a" * 32
    victim = with_key(made_up)
    sign_in(victim)
    assert (key_of(victim) == made_up, is_in(with_key(made_up))) == (False, False)


def test_signing_in_as_somebody_else_takes_nothing_along(world: World) -> None:
    client = Client()
    sign_in(client)
    session, before = client.session, key_of(client)
    session["left"] = "by Sam"
    session.save()
    client.post("/accounts/logout/")
    sign_in(client, "tess@north.example")
    assert (key_of(client) == before, client.session.get("left")) == (False, None)
    assert not Session.objects.filter(session_key=before).exists()


def test_signing_out_destroys_the_row(world: World) -> None:
    client = Client()
    sign_in(client)
    key = key_of(client)
    assert Session.objects.filter(session_key=key).exists()
    answer = client.post("/accounts/logout/")
    assert not Session.objects.filter(session_key=key).exists()
    assert (answer.cookies["sessionid"].value, answer.cookies["sessionid"]["max-age"]) == ("", 0)
    assert not is_in(with_key(key))


def test_signing_out_of_the_admin_does_too(world: World) -> None:
    client = Client()
    sign_in(client, "tess@north.example")
    key = key_of(client)
    client.post("/admin/logout/")
    assert (Session.objects.filter(session_key=key).exists(), is_in(with_key(key))) == (False, False)


def test_opening_the_address_of_signing_out_does_not(world: World) -> None:
    """A picture on another site could ask for it."""
    client = Client()
    sign_in(client)
    assert (client.get("/accounts/logout/").status_code, is_in(client)) == (200, True)


def test_a_closed_account_that_is_opened_again_has_no_sign_in_from_before(world: World, call: Call) -> None:
    old = Client()
    sign_in(old)
    pair = call("POST", "/auth/login", {"email": SAM, "password": PASSWORD}).json()
    actions.set_active(by=world.platform, user=world.sam, is_active=False)
    assert (is_in(with_key(key_of(old))), _by_token(call, pair)) == (False, [BAD_TOKEN, BAD_TOKEN])
    actions.set_active(by=world.platform, user=world.sam, is_active=True)
    assert (is_in(with_key(key_of(old))), _by_token(call, pair)) == (False, [BAD_TOKEN, BAD_TOKEN])
    new = Client()
    sign_in(new)
    assert is_in(new)
    assert call("POST", "/auth/login", {"email": SAM, "password": PASSWORD}).status_code == 200


def _by_token(call: Call, pair: dict[str, str]) -> list[Any]:
    asked = call("GET", "/users/me", token=pair["access_token"])
    return [asked.json(), call("POST", "/auth/refresh", {"refresh_token": pair["refresh_token"]}).json()]


def test_through_the_admin_as_well(world: World) -> None:
    """With a session that nobody used while the account was closed, so that nothing else could have ended it."""
    old, platform = Client(), Client()
    sign_in(old)
    sign_in(platform, "root@platform.example")
    page = f"/admin/tenants/user/{world.sam.pk}/change/"
    form = {"full_name": "Sam Sorensen", "locale": "en", "time_zone": "UTC"}
    for is_active in ("", "on"):
        assert platform.post(page, form | ({"is_active": is_active} if is_active else {})).status_code == 302
    assert User.objects.values_list("is_active", "times_closed").get(pk=world.sam.pk) == (True, 1)
    assert not is_in(old)


def test_a_sign_in_that_was_under_way_while_the_account_was_closed_is_dead(world: World, call: Call) -> None:
    """Its password was checked before; what it makes afterwards rests on what no longer holds."""
    checked = User.objects.get(pk=world.sam.pk)
    actions.set_active(by=world.platform, user=world.sam, is_active=False)
    pair = actions.sign_in_with_tokens(user=checked)
    client = Client()
    client.force_login(checked)
    actions.set_active(by=world.platform, user=world.sam, is_active=True)
    assert (is_in(client), call("GET", "/users/me", token=pair.access_token).json()) == (False, BAD_TOKEN)


def test_closing_one_account_ends_nobody_elses(world: World) -> None:
    tess = Client()
    sign_in(tess, "tess@north.example")
    pair = tokens.start_family(world.tess)
    actions.set_active(by=world.platform, user=world.sam, is_active=False)
    assert (is_in(tess), tokens.user_for_access_token(pair.access_token)) == (True, world.tess)


def test_a_sign_in_outlives_a_new_secret_key(world: World, settings: Any) -> None:
    """When the old one is kept as a fallback, and only then."""
    client = Client()
    sign_in(client)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another"
    assert is_in(client)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [], "a third"
    assert not is_in(client)
