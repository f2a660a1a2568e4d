"""What may be filtered and ordered by is listed in the code; everything else is refused or goes unheard."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.db import models
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from lms.api import api
from tenants.models import User
from tenants.tokens import start_family
from tests.security.matrix.cast import Cast, make_cast
from tests.security.matrix.cells import cells_of
from tests.security.matrix.ways import all_ways

pytestmark = pytest.mark.django_db

# Names that would be look-ups or an order, were they to reach the ORM.
UNHEARD = {
    "ordering": "user__password",
    "order_by": "-user__password",
    "sort": "password",
    "user__password__startswith": "x",
    "university__slug": "south",
    "memberships__user__email__contains": "@",
    "status__in": "active,draft",
    "pk__in": "1,2",
    "id": "1",
    "fields": "password",
    "__class__": "x",
    "_filter": "x",
    "limit__gt": "1",
}
ODD = ["\x00", "'\";--", "%_\\", "é" * 300, "9" * 40, "-1", "1e999", "[]", "{}", "null", "🙂", " "]
# Every parameter that some page or list of the admin knows.
PARAMETERS = [
    "q", "search", "page", "branch", "edit", "edits", "parent", "reply", "after", "university", "level", "subject",
    "type", "module", "course", "next", "last", "o", "p", "e", "all", "term", "_popup", "_changelist_filters",
]  # fmt: skip
# Not lists: what is done by opening it, and a stream that waits.
NOT_READ = ("accounts/logout", "admin/logout", "readyz", "api/v1/chat/generations/")
CHANGING = re.compile(r'name="csrfmiddlewaretoken" value="\w+"|"csrf": "\w+"|value="[0-9a-f-]{36}"')


@pytest.fixture
def cast() -> Cast:
    return make_cast()


class Caller:
    """One person, in a browser and with a token."""

    def __init__(self, cast: Cast, name: str) -> None:
        user: Any = cast.people[name]
        bearer = start_family(user).access_token
        self.client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {bearer}"})
        self.client.force_login(user)

    def ask(self, address: str, **more: str) -> HttpResponse:
        return self.client.get(f"{address}{'&' if '?' in address else '?'}{urlencode(more)}" if more else address)


def addresses(cast: Cast, *, under: str = "", outside: tuple[str, ...] = ()) -> Iterator[str]:
    """All that is read there, of what is Sam's or his university's, each with the query that it needs."""
    for way in all_ways():
        if way.method == "GET" and way.route.startswith(under) and not way.route.startswith((*outside, *NOT_READ)):
            yield next(iter(cells_of(way, cast))).path


def shown(answer: HttpResponse) -> tuple[int, str]:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return answer.status_code, CHANGING.sub("", content.decode(errors="replace"))


@pytest.mark.parametrize("person", ["sam", "ada"])
def test_what_no_page_and_no_operation_knows_goes_unheard(cast: Cast, person: str) -> None:
    caller, seen = Caller(cast, person), 0
    for address in addresses(cast, outside=("admin/",)):
        plain = shown(caller.ask(address))
        assert (address, shown(caller.ask(address, **UNHEARD))) == (address, plain)
        seen += plain[0] == 200
    assert seen > 25


def secrets_of(model: type[models.Model], depth: int = 2) -> Iterator[str]:
    """Paths from a row to the hash of somebody's password, through at most so many relations."""
    if model is User:
        yield "password"
    for field in model._meta.get_fields() if depth else ():
        if field.is_relation and field.related_model:
            yield from (f"{field.name}__{rest}" for rest in secrets_of(field.related_model, depth - 1))


def lists_of_the_admin() -> Iterator[tuple[type[models.Model], str]]:
    for model in sorted(admin.site._registry, key=lambda model: model._meta.label):
        yield model, reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


@pytest.mark.parametrize(("person", "least"), [("tess", 8), ("ada", 40), ("pia", 40)])
def test_the_admin_filters_by_nobodys_password(cast: Cast, person: str, least: int) -> None:
    caller, asked = Caller(cast, person), 0
    answered = {}
    for model, address in lists_of_the_admin():
        place = {"course": str(cast.north.course.pk)} if model.__name__ == "Module" else {}
        if caller.ask(address, **place).status_code != 200:
            continue
        for path in secrets_of(model):
            for lookup in (f"{path}__startswith", f"{path}__regex", f"{path}__isnull", path):
                answer, asked = caller.ask(address, **place, **{lookup: "x"}), asked + 1
                is_refused = answer.status_code == 400 or answer.headers.get("Location", "").endswith("?e=1")
                if not is_refused:
                    answered[f"{address}?{lookup}"] = answer.status_code
    assert answered == {}
    assert asked >= least


@pytest.mark.parametrize("lookup", ["full_name__startswith", "times_closed", "memberships__role", "pk__in", "id__gt"])
def test_nor_by_a_column_that_the_list_does_not_offer(cast: Cast, lookup: str) -> None:
    assert Caller(cast, "ada").ask("/admin/tenants/user/", **{lookup: "1"}).status_code == 400


def test_the_admin_filters_by_what_the_list_offers(cast: Cast) -> None:
    caller, place = Caller(cast, "ada"), str(cast.north.university.pk)
    offered = [
        ("tenants/user", "is_active__exact", "1"),
        ("tenants/membership", "university__id__exact", place),
        ("tenants/auditentry", "created_at__year", "2020"),
        ("courses/module", "course", str(cast.north.course.pk)),
        ("courses/contentitem", "module__id__exact", str(cast.north.module.pk)),
        ("courses/contentitem", "module__course__id__exact", str(cast.north.course.pk)),
        ("tutoring/usageentry", "day__month", "1"),
    ]
    assert [caller.ask(f"/admin/{at}/", **{name: value}).status_code for at, name, value in offered] == [200] * 7


@pytest.mark.parametrize("person", ["sam", "ada"])
def test_no_odd_value_breaks_a_page_or_shows_what_is_anothers(cast: Cast, person: str) -> None:
    caller, broken = Caller(cast, person), []
    strangers = [cast.south.word, cast.students["oona"].word, cast.students["zoe"].word]
    for address in addresses(cast, outside=("api/",)):
        if caller.ask(address).status_code != 200:
            continue
        for odd in ODD:
            status, text = shown(caller.ask(address, **dict.fromkeys(PARAMETERS, odd)))
            if status >= 500 or any(word in text for word in strangers):
                broken.append((address, odd, status))
    assert broken == []


@pytest.mark.parametrize("order", ["1", "-1.2", "99", "-99", "0", "x", "1;2", "user__password", "1.1.1", "-", "9" * 30])
def test_the_admin_orders_by_columns_of_the_list(cast: Cast, order: str) -> None:
    caller = Caller(cast, "ada")
    found = {address: caller.ask(address, o=order).status_code for _model, address in lists_of_the_admin()}
    assert set(found.values()) <= {200, 302, 403}


@pytest.mark.parametrize("field", ["password", "times_closed", "memberships", "nowhere", "\x00"])
def test_a_pop_up_hands_over_no_other_column(cast: Cast, field: str) -> None:
    assert Caller(cast, "ada").ask("/admin/tenants/user/", _popup="1", _to_field=field).status_code == 400


def parameters_of_the_api() -> Iterator[tuple[str, str]]:
    """Each operation that reads, and each parameter of its query."""
    for path, methods in api.get_openapi_schema()["paths"].items():
        for parameter in methods.get("get", {}).get("parameters", []):
            if parameter["in"] == "query":
                yield path, parameter["name"]


def test_no_odd_value_breaks_an_operation(cast: Cast) -> None:
    caller, statuses = Caller(cast, "sam"), {}
    listed = list(addresses(cast, under="api/v1/"))
    known = list(parameters_of_the_api())
    assert len(known) > 25
    for path, name in known:
        pattern = re.compile(re.sub(r"\{\w+\}", r"[^/]+", path) + r"(\?.*)?")
        for address in filter(pattern.fullmatch, listed):
            bare = re.sub(rf"(?<=[?&]){name}=[^&]*&?", "", address).rstrip("?&")
            for odd in ODD:
                statuses[path, name, odd] = caller.ask(bare, **{name: odd}).status_code
    assert {where: status for where, status in statuses.items() if status not in (200, 400, 403, 404, 422)} == {}
    assert len(statuses) > 250
