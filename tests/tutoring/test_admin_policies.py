"""What a university allows its tutor, set by those who run it."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from tenants.models import AuditEntry
from tests.factories import make_university
from tests.world import World
from tutoring.models import TutorPolicy

URL = "/admin/tutoring/tutorpolicy/"
VALUES: dict[str, Any] = {
    "user_daily_tokens": 100_000,
    "user_daily_usd": "0.5",
    "course_monthly_tokens": "",
    "course_monthly_usd": "",
    "university_monthly_tokens": 0,
    "university_monthly_usd": "1000",
    "notice_percent": 70,
    "cheaper_percent": 90,
    "when_used_up": "stop",
    "sharing": "off",
    "share_days": 30,
}


@pytest.fixture
def ada(client: Client, world: World) -> Client:
    client.force_login(world.ada)
    return client


def values_of(policy: TutorPolicy) -> dict[str, Any]:
    return {name: getattr(policy, name) for name in VALUES}


def test_a_university_without_a_row_has_the_defaults(world: World, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        policy = TutorPolicy.objects.of(world.north.pk)
    assert (policy.pk, policy.university_id, values_of(policy)) == (
        None,
        world.north.pk,
        {
            "user_daily_tokens": 500_000,
            "user_daily_usd": None,
            "course_monthly_tokens": None,
            "course_monthly_usd": None,
            "university_monthly_tokens": None,
            "university_monthly_usd": None,
            "notice_percent": 80,
            "cheaper_percent": None,
            "when_used_up": "practice",
            "sharing": "link",
            "share_days": 90,
        },
    )
    own = TutorPolicy.objects.create(university=world.north)
    TutorPolicy.objects.create(university=world.south)
    assert TutorPolicy.objects.of(world.north.pk) == own


def test_sets_and_changes_it_and_leaves_a_record(ada: Client, world: World) -> None:
    assert ada.post(f"{URL}add/", VALUES | {"university": world.north.pk}).status_code == 302
    policy = TutorPolicy.objects.get()
    assert (policy.university, values_of(policy)) == (
        world.north,
        VALUES
        | {
            "user_daily_usd": Decimal("0.5"),
            "course_monthly_tokens": None,
            "course_monthly_usd": None,
            "university_monthly_usd": Decimal(1000),
        },
    )
    ada.post(f"{URL}{policy.pk}/change/", VALUES | {"share_days": 31})
    policy.refresh_from_db()
    assert policy.share_days == 31
    entries = AuditEntry.objects.filter(subject_type="tutoring.tutorpolicy")
    assert list(entries.order_by("id").values_list("action", "actor", "university", "subject_id")) == [
        (action, world.ada.pk, world.north.pk, str(policy.pk)) for action in ("admin.added", "admin.changed")
    ]


def test_deleting_it_brings_the_defaults_back(ada: Client, world: World) -> None:
    policy = TutorPolicy.objects.create(university=world.north, share_days=1)
    assert ada.post(f"{URL}{policy.pk}/delete/", {"post": "yes"}).status_code == 302
    assert TutorPolicy.objects.of(world.north.pk).share_days == 90


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("cheaper_percent", 69, "The notice comes first: give the cheaper model at least 70 percent."),
        ("cheaper_percent", 101, "Ensure this value is less than or equal to 100."),
        ("notice_percent", 0, "Ensure this value is greater than or equal to 1."),
        ("user_daily_tokens", -1, "Ensure this value is greater than or equal to 0."),
        ("university_monthly_tokens", 10**19, "Ensure this value is less than or equal to 9223372036854775807."),
        ("course_monthly_usd", "-0.01", "Ensure this value is greater than or equal to 0."),
        ("university_monthly_usd", "0.00001", "Ensure that there are no more than 4 decimal places."),
        ("when_used_up", "explode", "Select a valid choice. explode is not one of the available choices."),
        ("share_days", 366, "Ensure this value is less than or equal to 365."),
        ("share_days", "", "This field is required."),
    ],
)
def test_values_that_make_no_sense(ada: Client, world: World, field: str, value: Any, error: str) -> None:
    page = ada.post(f"{URL}add/", VALUES | {"university": world.north.pk, field: value})
    assert page.context["adminform"].form.errors == {field: [error]}
    assert TutorPolicy.objects.count() == 0


@pytest.mark.parametrize("shares", [{"notice_percent": "", "cheaper_percent": 1}, {"cheaper_percent": 70}])
def test_the_cheaper_model_may_come_with_the_notice_or_without_one(
    ada: Client, world: World, shares: dict[str, Any]
) -> None:
    assert ada.post(f"{URL}add/", VALUES | shares | {"university": world.north.pk}).status_code == 302


def test_one_for_each_university(ada: Client, world: World) -> None:
    assert ada.get(URL).context["has_add_permission"]
    TutorPolicy.objects.create(university=world.north)
    assert not ada.get(URL).context["has_add_permission"]
    again = [ada.get(f"{URL}add/"), ada.post(f"{URL}add/", VALUES | {"university": world.north.pk})]
    assert [(answer.status_code, answer["Location"]) for answer in again] == [(302, URL), (302, URL)]


def test_the_platform_chooses_among_universities_without_one(client: Client, world: World) -> None:
    client.force_login(world.platform)
    TutorPolicy.objects.create(university=world.north)
    assert [str(row) for row in client.get(f"{URL}add/").context["adminform"].form.fields["university"].queryset] == [
        "Southern University"
    ]
    page = client.post(f"{URL}add/", VALUES | {"university": world.north.pk})
    assert page.context["adminform"].form.errors == {
        "university": ["Select a valid choice. That choice is not one of the available choices."]
    }


def test_another_universitys_policy_is_as_absent(ada: Client, world: World) -> None:
    foreign = TutorPolicy.objects.create(university=world.south, share_days=7)
    assert ada.get(URL).context["cl"].result_count == 0
    for action in ("change", "delete", "history"):
        answers = [ada.get(f"{URL}{pk}/{action}/") for pk in (foreign.pk, 999_999, "abc")]
        assert [answer.status_code for answer in answers] == [404, 404, 404]
        assert len({answer.content for answer in answers}) == 1
    assert ada.post(f"{URL}{foreign.pk}/change/", VALUES).status_code == 404
    page = ada.post(f"{URL}add/", VALUES | {"university": world.south.pk})
    assert (page.status_code, "Southern" in page.text) == (200, False)
    foreign.refresh_from_db()
    assert (foreign.share_days, TutorPolicy.objects.count()) == (7, 1)


def test_who_teaches_may_neither_see_nor_set_it(client: Client, world: World) -> None:
    client.force_login(world.tess)
    policy = TutorPolicy.objects.create(university=world.north)
    row = f"{URL}{policy.pk}/"
    assert [
        client.get(URL).status_code,
        client.get(f"{URL}add/").status_code,
        client.post(f"{URL}add/", VALUES).status_code,
        client.get(f"{row}change/").status_code,
        client.post(f"{row}delete/", {"post": "yes"}).status_code,
    ] == [403, 403, 403, 403, 403]
    assert TutorPolicy.objects.count() == 1


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_the_same_for_any_number(
    client: Client, world: World, count: int, django_assert_num_queries: Any
) -> None:
    client.force_login(world.platform)
    for number in range(count):
        TutorPolicy.objects.create(university=make_university(f"u{number}", f"University {number}"))
    client.get(URL)
    # Session, person, the audit of the platform's connection, whether one lacks a policy, the list with its two counts.
    with django_assert_num_queries(7):
        client.get(URL)
