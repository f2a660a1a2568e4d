"""Where `next` leads: to a page of this host, or where people go without it. There is no page to choose a language."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.test import Client
from django.urls import get_resolver

from tests.security.matrix.ways import all_ways
from tests.world import PASSWORD, World

pytestmark = pytest.mark.django_db

ELSEWHERE = [
    "https://evil.example/",
    "HTTPS://EVIL.EXAMPLE",
    "//evil.example/",
    "///evil.example/",
    "////evil.example",
    "/\\evil.example/",
    "\\\\evil.example",
    "\\/\\/evil.example",
    "http:evil.example",
    "http:/evil.example",
    "http:///evil.example",
    "https:\\\\evil.example",
    " //evil.example",
    "\t//evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\x00//evil.example",
    "\x08//evil.example",
    "//evil.example\\@testserver/",
    "//testserver@evil.example/",
    "http://testserver@evil.example/",
    "http://testserver:80@evil.example/",
    "http://testserver.evil.example/",
    "http://testserver%2eevil.example@evil.example/",
    "http://[::ffff:1.2.3.4]/",
    "http://[evil",
    "javascript:alert(1)",
    "JaVaScRiPt://testserver/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "ftp://testserver/",
    # Allowed hosts, and not this one.
    "http://localhost/",
    "http://testserver:8000/",
]
HERE = ["/north/", "/north/?page=2", "http://testserver/north/", "/north/learn/"]

Door = Callable[[World, str], Any]


def sign_in(world: World, next_url: str) -> Any:
    form = {"login": "sam@north.example", "password": PASSWORD, "next": next_url}
    return Client().post("/accounts/login/", form)


def sign_in_by_address(world: World, next_url: str) -> Any:
    form = {"login": "sam@north.example", "password": PASSWORD}
    return Client().post(f"/accounts/login/?{urlencode({'next': next_url})}", form)


def sign_in_again(world: World, next_url: str) -> Any:
    return _signed_in(world).get("/accounts/login/", {"next": next_url})


def sign_up_again(world: World, next_url: str) -> Any:
    return _signed_in(world).get("/accounts/signup/", {"next": next_url})


def sign_out(world: World, next_url: str) -> Any:
    return _signed_in(world).post("/accounts/logout/", {"next": next_url})


def sign_out_twice(world: World, next_url: str) -> Any:
    return Client().get("/accounts/logout/", {"next": next_url})


def reauthenticate(world: World, next_url: str) -> Any:
    client = Client()
    client.post("/accounts/login/", {"login": "sam@north.example", "password": PASSWORD})
    return client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": next_url})


def _signed_in(world: World) -> Client:
    client = Client()
    client.force_login(world.sam)
    return client


DOORS = [sign_in, sign_in_by_address, sign_in_again, sign_up_again, sign_out, sign_out_twice, reauthenticate]


@pytest.fixture(autouse=True)
def unlimited(settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = False


@pytest.mark.parametrize("door", DOORS)
def test_it_never_leaves_the_host(world: World, door: Door) -> None:
    assert {value: door(world, value).headers["Location"] for value in ELSEWHERE} == dict.fromkeys(ELSEWHERE, "/")


@pytest.mark.parametrize("door", DOORS)
def test_it_leads_to_pages_of_this_one(world: World, door: Door) -> None:
    assert [door(world, value).headers["Location"] for value in HERE] == HERE


@pytest.mark.parametrize("value", ELSEWHERE)
def test_signing_up_takes_none_of_it_along(world: World, value: str) -> None:
    """Through the mail that confirms the address, to the first sign-in."""
    client = Client()
    form = {"full_name": "Nora", "email": "nora@north.example", "password1": PASSWORD, "next": value}
    assert client.post("/accounts/signup/", form).headers["Location"] == "/accounts/confirm-email/"
    assert "evil" not in client.get("/accounts/confirm-email/").text


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"])
def test_no_link_of_a_page_leads_there(db: None, path: str) -> None:
    """It may stand in a field or a query, as what the next page will refuse."""
    leading = re.compile(r'(?:href|action|src)="([^"]*)"')
    for value in ELSEWHERE:
        page = Client().get(path, {"next": value}).text
        away = [link for link in leading.findall(page) if not re.match(r"/(?![/\\])|#|\?|$", link)]
        assert (value, away) == (value, [])


@pytest.mark.parametrize("value", ["//evil.example/", "https://evil.example/"])
def test_the_admin_hands_it_to_the_sign_in(world: World, value: str) -> None:
    answer = Client().get("/admin/login/", {"next": value})
    assert answer.headers["Location"] == f"/accounts/login/?next={quote(value)}"


@pytest.mark.parametrize("path", ["//evil.example", "//evil.example/..", "/\\evil.example", "/%5Cevil.example", "//"])
def test_an_address_without_its_slash_stays_here(db: None, path: str) -> None:
    answer = Client().get(path)
    assert not re.match(r"[/\\]{2}|\w+:", answer.headers.get("Location", ""))


def test_these_are_all_that_there_are() -> None:
    """Pages of Django's that follow `next`, and are none of ours."""
    names = {name for name in get_resolver().reverse_dict if isinstance(name, str)}
    assert names & {"set_language", "jsi18n"} == set()
    assert [way.route for way in all_ways() if "setlang" in way.route or "i18n" in way.route] == ["admin/jsi18n/"] * 2
