"""What operators see of the tutor's use. A student's words are on none of these pages."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from lms.courses.models import CourseOffering
from tenants.models import University, User
from tests.world import World
from tutoring.models import ChatSession, Generation, Message

URL = "/admin/tutoring/generation/"
WORDS = "My secret worry is zugzwang."


def make_generation(user: User, offering: CourseOffering, item: Any, **fields: Any) -> Generation:
    university: University = offering.university
    session = ChatSession.objects.create(
        university=university,
        user=user,
        offering=offering,
        content_item=item,
        title=WORDS,
        content_context={"text": WORDS},
    )
    message = Message.objects.create(university=university, session=session, seq=1, role="assistant", body=WORDS)
    fields = {"state": "complete", "provider": "anthropic", "model": "claude-sonnet-5-5"} | fields
    return Generation.objects.create(
        university=university, session=session, message=message, owner="x", lease_until=timezone.now(), **fields
    )


@pytest.fixture
def generation(world: World) -> Generation:
    make_generation(world.oona, world.south_offering, world.south_item, input_tokens=777_777)
    make_generation(world.sam, world.offering, world.item, state="failed", input_tokens=5, model="unpriced")
    return make_generation(
        world.sam,
        world.offering,
        world.item,
        input_tokens=1200,
        output_tokens=340,
        cache_read_tokens=800,
        cost_usd=Decimal("0.0123"),
        ttft_ms=410,
    )


@pytest.fixture
def ada(client: Client, world: World) -> Client:
    client.force_login(world.ada)
    return client


def test_lists_the_use_of_the_university_with_its_sums(ada: Client, generation: Generation) -> None:
    page = ada.get(URL)
    assert page.context["cl"].result_count == 2
    assert page.context["totals"] == {
        "replies": 2,
        "failed": 1,
        "tokens_in": 2005,
        "tokens_out": 340,
        "usd": Decimal("0.012300"),
        "unpriced": 1,
    }
    assert "2 replies · 1 failed · 2005 tokens in · 340 tokens out · 0.0123 USD · 1 without a known price" in page.text
    assert ("777" in page.text, "STAT101 Thinking with samples" in page.text) == (False, True)


def test_the_sums_follow_the_filters(ada: Client, generation: Generation) -> None:
    page = ada.get(f"{URL}?state__exact=complete")
    assert (page.context["totals"]["replies"], page.context["totals"]["tokens_in"]) == (1, 2000)


def test_one_reply_shows_facts_and_no_words(ada: Client, generation: Generation) -> None:
    page = ada.get(f"{URL}{generation.pk}/change/")
    assert page.status_code == 200
    for fact in ("claude-sonnet-5-5", "1200", "340", "0.012300", "410"):
        assert fact in page.text


@pytest.mark.parametrize("page", ["", "{pk}/change/", "{pk}/history/"])
def test_a_students_words_and_name_are_nowhere(ada: Client, generation: Generation, page: str) -> None:
    text = ada.get(URL + page.format(pk=generation.pk)).text
    assert [word for word in ("zugzwang", "secret", "Sam Sorensen", "sam@north") if word in text] == []


@pytest.mark.parametrize(
    "query",
    ["message__body__icontains=zugzwang", "session__title__icontains=secret", "session__user__email=sam@north.example"],
)
def test_no_query_asks_for_words_or_people(ada: Client, generation: Generation, query: str) -> None:
    assert ada.get(f"{URL}?{query}").status_code == 400


def test_nothing_is_written_here(ada: Client, generation: Generation) -> None:
    row = f"{URL}{generation.pk}/"
    assert [
        ada.post(f"{URL}add/", {}).status_code,
        ada.post(f"{row}change/", {"state": "failed"}).status_code,
        ada.post(f"{row}delete/", {"post": "yes"}).status_code,
    ] == [403, 403, 403]
    assert Generation.objects.count() == 3


def test_foreign_rows_are_as_absent(ada: Client, generation: Generation, world: World) -> None:
    foreign = Generation.objects.get(university=world.south)
    missing = "00000000-0000-4000-8000-000000000000"
    answers = [ada.get(f"{URL}{pk}/change/") for pk in (foreign.pk, missing, "abc")]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert len({answer.content for answer in answers}) == 1


def test_is_for_those_who_run_a_university(client: Client, generation: Generation, world: World) -> None:
    client.force_login(world.tess)
    assert client.get(URL).status_code == 403
    client.force_login(world.platform)
    assert client.get(URL).context["totals"]["replies"] == 3


def test_a_lesson_is_deleted_with_its_conversations_unread(
    client: Client, generation: Generation, world: World
) -> None:
    client.force_login(world.tess)
    url = f"/admin/courses/contentitem/{world.item.pk}/delete/"
    page = client.get(url)
    assert page.context["deleted_objects"] == ["Content item: Reading: why samples vary"]
    assert dict(page.context["model_count"]) == {
        "content items": 1,
        "chat sessions": 2,
        "messages": 2,
        "generations": 2,
    }
    assert "zugzwang" not in page.text
    client.post(url, {"post": "yes"})
    assert Generation.objects.filter(university=world.north).count() == 0


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_the_same_for_any_number(
    ada: Client, world: World, count: int, django_assert_num_queries: Any
) -> None:
    for number in range(count):
        row = make_generation(world.sam, world.offering, world.item)
        Generation.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(hours=number))
    ada.get(URL)
    # Session, person, roles; the filters' models, providers, universities and courses; the dates twice; the sums; the
    # list with its two counts.
    with django_assert_num_queries(13):
        ada.get(URL)
