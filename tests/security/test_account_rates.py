"""Tries at every door of accounts: counted once for all threads and processes, by account and by address."""

import ast
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from allauth.core.internal import ratelimit
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.db import connection
from django.test import Client

from lms.embedded_postgres import Cluster
from tenants import tokens
from tenants.models import RateWindow, User
from tests.database import superuser_of
from tests.security.simultaneous import at_once
from tests.world import PASSWORD, World

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parent.parent.parent
TRIES = 24
SAM = "sam@north.example"
Answer = Any


def here(_number: int) -> str:
    return "192.0.2.7"


def anywhere(number: int) -> str:
    return f"198.51.100.{number}"


def sams(_number: int) -> str:
    return SAM


def anybodys(number: int) -> str:
    return f"person{number}@north.example"


def page(path: str, address: str, host: str = "testserver", **form: str) -> Answer:
    return Client(REMOTE_ADDR=address, HTTP_HOST=host).post(f"/accounts/{path}/", form)


def api(path: str, address: str, token: str = "", host: str = "testserver", **body: str) -> Answer:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    caller = Client(REMOTE_ADDR=address, HTTP_HOST=host, headers=headers)
    return caller.post(f"/api/v1/{path}", body, content_type="application/json")


def sign_in_page(address: str, email: str, host: str = "testserver") -> Answer:
    return page("login", address, host, login=email, password="wrong")


def sign_in_api(address: str, email: str, host: str = "testserver") -> Answer:
    return api("auth/login", address, host=host, email=email, password="wrong")


def sign_up_page(address: str, email: str) -> Answer:
    return page("signup", address, email=email, password1=PASSWORD, full_name="Nora Nordin")


def reset_page(address: str, email: str) -> Answer:
    return page("password/reset", address, email=email)


def register_api(address: str, email: str) -> Answer:
    return api("auth/register", address, email=email, password=PASSWORD, full_name="Nora Nordin")


def check_email_api(address: str, email: str) -> Answer:
    return api("auth/check-email", address, email=email)


def verification_mail_api(address: str, email: str) -> Answer:
    return api("auth/verification-mail", address, tokens.start_family(User.objects.get(email=email)).access_token)


def new_password_api(address: str, email: str) -> Answer:
    token = tokens.start_family(User.objects.get(email=email)).access_token
    return api("users/me/password", address, token, current_password="wrong", new_password=PASSWORD)


def is_taken(answer: Answer) -> bool:
    """Whether the try was looked at, whatever came of it."""
    return answer.status_code != 429 and "Too many failed" not in answer.text


DOORS = [
    (sign_in_page, anywhere, sams, 5),
    (sign_in_page, here, anybodys, 10),
    (sign_in_api, anywhere, sams, 5),
    (sign_in_api, here, anybodys, 10),
    (sign_up_page, anywhere, sams, 10),
    (sign_up_page, here, anybodys, 20),
    (reset_page, anywhere, sams, 5),
    (reset_page, here, anybodys, 20),
    (register_api, anywhere, sams, 10),
    (register_api, here, anybodys, 10),
    (check_email_api, here, anybodys, 10),
    (verification_mail_api, anywhere, sams, 1),
    (new_password_api, anywhere, sams, 5),
]


@pytest.mark.parametrize(("door", "address", "email", "limit"), DOORS)
def test_of_many_at_once_exactly_the_limit_pass(
    world: World, door: Callable[..., Answer], address: Callable[[int], str], email: Callable[[int], str], limit: int
) -> None:
    answers = at_once(TRIES, lambda number: door(address(number), email(number)))
    assert sum(map(is_taken, answers)) == limit
    # The network address of a caller and an address of e-mail are nowhere to be read.
    told = " ".join(RateWindow.objects.values_list("key", flat=True))
    assert [word for word in ("192.0.2", "198.51", "@", "sam") if word in told] == []


def test_by_page_and_api_together(world: World) -> None:
    doors = [sign_in_page, sign_in_api]
    answers = at_once(TRIES, lambda number: doors[number % 2](anywhere(number), SAM))
    assert sum(map(is_taken, answers)) == 5


def test_processes_share_the_count(world: World) -> None:
    """Each is the site with its own connections and its own role, as it is served."""
    cluster = Cluster(Path(os.environ["EMBEDDED_POSTGRES_DIR"]), durable=False)
    environment = os.environ | cluster.urls(connection.settings_dict["NAME"])
    command = [sys.executable, "-m", "tests.security.try_to_sign_in", SAM]
    running = [subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) for _ in range(3)]
    statuses = [status for process in running for status in json.loads(process.communicate(timeout=60)[0])]
    assert (len(statuses), statuses.count(401), statuses.count(429)) == (18, 5, 13)


def test_only_two_functions_of_allauth_touch_a_counter() -> None:
    """Those that ours stand in for, and two that only they use."""
    tree = ast.parse(inspect.getsource(ratelimit))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    touching = {function.name for function in functions if {"cache", "cache_lock"} & _names(function)}
    assert touching == {"cache_lock", "rollback", "_consume_single_rate", "clear"}
    assert {ratelimit._consume_single_rate.__module__, ratelimit.clear.__module__} == {"tenants.account_rates"}


def _names(function: ast.FunctionDef) -> set[str]:
    return {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}


class Watching(MD5PasswordHasher):
    """Looks, while it is at work, at the windows from outside: how many there are that nobody holds."""

    free: ClassVar[list[int]] = []

    def encode(self, password: str, salt: str) -> str:
        with superuser_of(connection.settings_dict["NAME"]) as outside:
            found = outside.execute("SELECT key FROM tenants_ratewindow FOR UPDATE NOWAIT").fetchall()
        Watching.free.append(len(found))
        return super().encode(password, salt)


def test_no_lock_is_held_over_a_password_hash(world: World, settings: Any) -> None:
    world.sam.set_password(PASSWORD)
    settings.PASSWORD_HASHERS = ["tests.security.test_account_rates.Watching"]
    world.sam.set_password(PASSWORD)
    world.sam.save()
    Watching.free.clear()
    assert sign_in_page(here(1), SAM).status_code == 200
    assert sign_in_api(here(1), "nobody@north.example").status_code == 401
    # The address's for doors and for failures, and one for each account.
    assert Watching.free == [3, 4]


def test_a_right_password_is_no_try(world: World) -> None:
    def sign_in(number: int) -> int:
        return api("auth/login", anywhere(number), email=SAM, password=PASSWORD).status_code

    assert [sign_in(number) for number in range(7)] == [200] * 7
    # Some of many at once are refused while the others are looked at, and nothing of that is left.
    assert set(at_once(TRIES, sign_in)) <= {200, 429}
    assert sign_in(50) == 200
    failures = RateWindow.objects.filter(key__startswith="platform.login_failed_300s.")
    assert list(failures.values_list("count", flat=True)) == [0]


def test_right_passwords_in_between_buy_no_wrong_ones(world: World) -> None:
    def wrong_and_right(number: int) -> bool:
        api("auth/login", anywhere(number), email=SAM, password=PASSWORD)
        return is_taken(sign_in_api(anywhere(number), SAM))

    assert [wrong_and_right(number) for number in range(7)] == [True] * 5 + [False] * 2


@pytest.mark.parametrize("door", [sign_in_page, sign_in_api])
def test_another_port_of_the_site_or_spelling_of_the_account_buys_nothing(
    world: World, door: Callable[..., Answer]
) -> None:
    emails = [SAM, SAM.upper(), f" {SAM} ", SAM, SAM, SAM, SAM]
    answers = [door(anywhere(number), email, f"testserver:{number + 1}") for number, email in enumerate(emails)]
    assert [is_taken(answer) for answer in answers] == [True] * 5 + [False] * 2


@pytest.mark.parametrize(
    ("proxies", "forwarded", "taken"),
    [
        # Nobody's word is believed.
        (0, "198.51.100.{n}", 10),
        # The last is what the proxy saw; what stands before it is the caller's own invention.
        (1, "198.51.100.{n}, 203.0.113.9", 10),
        (1, "198.51.100.{n}", TRIES),
    ],
)
def test_forwarded_addresses(world: World, settings: Any, proxies: int, forwarded: str, taken: int) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies

    def ask(number: int) -> Answer:
        return Client().post(
            "/api/v1/auth/check-email",
            {"email": anybodys(number)},
            content_type="application/json",
            headers={"X-Forwarded-For": forwarded.format(n=number), "X-Real-Ip": anywhere(number)},
        )

    assert sum(map(is_taken, at_once(TRIES, ask))) == taken


def test_a_reset_password_opens_the_account_and_not_the_address(world: World) -> None:
    for _ in range(5):
        sign_in_page(here(0), SAM)
    assert not is_taken(sign_in_page(here(0), SAM))
    client = Client(REMOTE_ADDR=here(0))
    client.post("/accounts/password/reset/", {"email": SAM})
    link = next(word for word in mail.outbox[-1].body.split() if "/accounts/password/reset/key/" in word)
    form = client.get(link.partition("testserver")[2]).headers["Location"]
    client.post(form, {"password1": "a longer horse battery", "password2": "a longer horse battery"})
    # Six tries of the address are counted; four more are left to it in this minute.
    assert [is_taken(sign_in_page(here(0), anybodys(number))) for number in range(6)] == [True] * 4 + [False] * 2
    assert is_taken(sign_in_page(anywhere(1), SAM))
