"""Whether an address has an account is not to be read from an answer, its headers or its cookies, nor from its work.

Work is counted in password hashes, next to which all else is nothing. `check-email` and `register` of the API do tell,
on purpose and to few tries: see docs/api.md.
"""

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from tenants import actions
from tenants.models import User
from tests import factories
from tests.tenants.conftest import CountingHasher
from tests.world import PASSWORD, World

UNKNOWN = "nobody@north.example"
KNOWN = ["sam@north.example", "second@north.example", "closed@north.example", "unverified@north.example"]
INVITED = "invited@north.example"


@pytest.fixture
def people(world: World, hashes: type[CountingHasher]) -> World:
    """An account of each kind, whose passwords were hashed by the hasher that counts."""
    for name in ("closed", "unverified"):
        factories.make_user(f"{name}@north.example", "Nora Nordin", at=world.north)
    for user in User.objects.all():
        user.set_password(PASSWORD)
        user.save()
    EmailAddress.objects.create(user=world.sam, email="second@north.example", verified=True)
    EmailAddress.objects.filter(email="unverified@north.example").update(verified=False)
    # Made by an administrator, and without a password until its owner chooses one.
    actions.create_account(by=world.platform, email=INVITED, full_name="Ivo Invited")
    actions.set_active(by=world.platform, user=User.objects.get(email="closed@north.example"), is_active=False)
    return world


def sign_in_page(client: Client, email: str) -> Any:
    return client.post("/accounts/login/", {"login": email, "password": "wrong"})


def sign_in_api(client: Client, email: str) -> Any:
    return client.post("/api/v1/auth/login", {"email": email, "password": "wrong"}, content_type="application/json")


def reset_page(client: Client, email: str) -> Any:
    return client.post("/accounts/password/reset/", {"email": email})


def sign_up_page(client: Client, email: str) -> Any:
    form = {"full_name": "Nora Nordin", "email": email, "password1": "another horse battery"}
    return client.post("/accounts/signup/", form)


Door = Callable[[Client, str], Any]


def seen(door: Door, email: str, number: int) -> tuple[Any, ...]:
    """All that a caller gets to see of the answer and of the page that it leads to, but for what is random."""
    client = Client(REMOTE_ADDR=f"198.51.100.{number}")
    before = CountingHasher.count
    answers = [door(client, email)]
    if location := answers[0].headers.get("Location"):
        answers.append(client.get(location))
    work = CountingHasher.count - before
    return work, [(answer.status_code, _headers(answer), _cookies(answer), _text(answer, email)) for answer in answers]


def _headers(answer: Any) -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in answer.items() if name not in ("Expires", "Content-Length"))


def _cookies(answer: Any) -> list[tuple[str, str, bool]]:
    """Names, and how long and for whom; the values of session and form are random."""
    return sorted((name, str(morsel["max-age"]), bool(morsel["httponly"])) for name, morsel in answer.cookies.items())


def _text(answer: Any, email: str) -> str:
    return re.sub(r'(name="csrfmiddlewaretoken" value=")\w+', r"\1", answer.text).replace(email, "…")


@pytest.mark.parametrize(
    ("door", "others", "work"),
    [
        (sign_in_page, [*KNOWN, INVITED], 1),
        (sign_in_api, [*KNOWN, INVITED], 1),
        (reset_page, [*KNOWN, INVITED], 0),
        (sign_up_page, [*KNOWN, INVITED], 1),
    ],
)
def test_looks_and_costs_the_same(people: World, door: Door, others: list[str], work: int) -> None:
    unknown = seen(door, UNKNOWN, 0)
    assert unknown[0] == work
    assert {email: seen(door, email, number) for number, email in enumerate(others, 1)} == dict.fromkeys(
        others, unknown
    )


@pytest.mark.parametrize("door", [reset_page, sign_up_page])
def test_each_gets_one_mail(people: World, door: Door) -> None:
    """Sending takes time, too."""
    for number, email in enumerate([UNKNOWN, *KNOWN, INVITED]):
        seen(door, email, number)
    assert [message.to for message in mail.outbox] == [[email] for email in [UNKNOWN, *KNOWN, INVITED]]


def test_a_refused_password_tells_nothing_at_sign_up(people: World) -> None:
    """A password that is too weak is so before anybody looks whether the address is taken."""

    def weak(client: Client, email: str) -> Any:
        form = {"full_name": "Nora Nordin", "email": email, "password1": "password"}
        return client.post("/accounts/signup/", form)

    first, *others = [seen(weak, email, number) for number, email in enumerate([UNKNOWN, *KNOWN, INVITED])]
    assert (first[1][0][0], others) == (200, [first] * 5)
