"""The ledger and the thumbs, for those who run a university: counts, and nobody's name."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from lms.courses.models import ContentItem, CourseOffering
from tenants.models import User
from tests.tutoring.test_admin import WORDS, make_generation
from tests.world import World
from tutoring.models import Feedback, UsageEntry

USAGE, FEEDBACK = "/admin/tutoring/usageentry/", "/admin/tutoring/feedback/"
# A student's words to the tutor, and who said them.
SECRETS = ("zugzwang", "secret", "Sam Sorensen", "sam@north")
DAY = date(2026, 11, 2)


def use(user: User, offering: CourseOffering, **fields: Any) -> UsageEntry:
    fields = {"provider": "anthropic", "model": "claude-sonnet-5-5", "day": DAY} | fields
    return UsageEntry.objects.create(university=offering.university, user=user, course=offering.course, **fields)


def think(user: User, offering: CourseOffering, item: ContentItem, thumb: str, comment: str = "") -> Feedback:
    message = make_generation(user, offering, item).message
    return Feedback.objects.create(university=offering.university, message=message, thumb=thumb, comment=comment)


@pytest.fixture
def ada(client: Client, world: World) -> Client:
    client.force_login(world.ada)
    return client


@pytest.fixture
def entry(world: World) -> UsageEntry:
    use(world.oona, world.south_offering, input_tokens=777_777)
    use(world.sam, world.offering, model="homemade", input_tokens=5, is_estimated=True, day=DAY.replace(day=3))
    use(world.tess, world.offering, purpose="title", model="claude-haiku-5-5", output_tokens=7, cost_usd="0.00004")
    use(world.tess, world.offering, provider="practice", model="")
    return use(
        world.sam,
        world.offering,
        input_tokens=1200,
        output_tokens=340,
        cache_write_tokens=50,
        cache_read_tokens=800,
        cost_usd=Decimal("0.0123"),
    )


@pytest.fixture
def feedback(world: World) -> Feedback:
    think(world.oona, world.south_offering, world.south_item, "up", "Zanzibarium!")
    think(world.sam, world.offering, world.second_item, "up")
    return think(world.sam, world.offering, world.item, "down", "It gave the answer away.")


class TestUsage:
    def test_lists_the_universitys_entries_with_their_sums(self, ada: Client, entry: UsageEntry) -> None:
        page = ada.get(USAGE)
        assert page.context["cl"].result_count == 4
        assert page.context["totals"] == {
            "replies": 3,
            "titles": 1,
            "students": 2,
            "tokens_in": 2055,
            "tokens_out": 347,
            "usd": Decimal("0.012340"),
            "unpriced": 1,
            "estimated": 1,
        }
        assert (
            "3 replies · 1 title · 2 students · 2055 tokens in · 347 tokens out · 0.0123 USD"
            " · 1 without a known price · 1 estimated"
        ) in page.text
        assert ("777" in page.text, "STAT101 Thinking with samples" in page.text) == (False, True)

    @pytest.mark.parametrize(
        ("query", "replies"),
        [
            ("purpose__exact=title", 0),
            ("model__exact=homemade", 1),
            ("course__id__exact={course}", 3),
            ("day__year=2026&day__month=11&day__day=3", 1),
        ],
    )
    def test_the_sums_follow_the_filters(
        self, ada: Client, entry: UsageEntry, world: World, query: str, replies: int
    ) -> None:
        page = ada.get(f"{USAGE}?{query.format(course=world.course.pk)}")
        assert page.context["totals"]["replies"] == replies

    @pytest.mark.parametrize(
        "query", ["user=1", "user__id__exact=1", "user__email=sam@north.example", "user__isnull=1"]
    )
    def test_no_query_asks_for_a_person(self, ada: Client, entry: UsageEntry, query: str) -> None:
        assert ada.get(f"{USAGE}?{query}").status_code == 400

    @pytest.mark.parametrize("page", ["", "{pk}/change/", "{pk}/history/"])
    def test_nobody_is_named(self, ada: Client, entry: UsageEntry, page: str) -> None:
        answer = ada.get(USAGE + page.format(pk=entry.pk))
        assert answer.status_code == 200
        assert [word for word in SECRETS if word in answer.text] == []

    @pytest.mark.parametrize("count", [1, 3])
    def test_the_list_costs_the_same_for_any_number(
        self, ada: Client, world: World, count: int, django_assert_num_queries: Any
    ) -> None:
        for number in range(count):
            use(world.sam, world.offering, day=DAY.replace(day=1 + number))
        ada.get(USAGE)
        # Session, person, roles; the filters' providers, models, universities and courses; the days twice; the sums;
        # the list with its two counts.
        with django_assert_num_queries(13):
            ada.get(USAGE)


class TestFeedback:
    def test_lists_thumbs_and_comments_with_their_lesson(self, ada: Client, feedback: Feedback) -> None:
        page = ada.get(FEEDBACK)
        rows = [(row.thumb, row.comment) for row in page.context["cl"].result_list]
        assert rows == [("down", "It gave the answer away."), ("up", "")]
        assert page.context["totals"] == {"up": 1, "down": 1}
        for word in ("1 helpful · 1 not helpful", "Reading: why samples vary", "STAT101 Thinking with samples"):
            assert word in page.text
        assert "Zanzibarium" not in page.text

    @pytest.mark.parametrize("page", ["", "{pk}/change/", "{pk}/history/"])
    def test_neither_who_said_it_nor_what_was_said_before(self, ada: Client, feedback: Feedback, page: str) -> None:
        answer = ada.get(FEEDBACK + page.format(pk=feedback.pk))
        assert answer.status_code == 200
        assert (WORDS in answer.text, [word for word in SECRETS if word in answer.text]) == (False, [])

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ("thumb__exact=up", 1),
            ("q=answer+away", 1),
            ("q=zugzwang", 0),
            ("message__session__offering__course__id__exact={course}", 2),
        ],
    )
    def test_filters_and_search(self, ada: Client, feedback: Feedback, world: World, query: str, count: int) -> None:
        page = ada.get(f"{FEEDBACK}?{query.format(course=world.course.pk)}")
        assert (page.context["cl"].result_count, sum(page.context["totals"].values())) == (count, count)

    @pytest.mark.parametrize(
        "query",
        ["message={message}", "message__id={message}", "message__body__icontains=zug", "message__session__user=1"],
    )
    def test_no_query_asks_for_a_reply_or_a_person(self, ada: Client, feedback: Feedback, query: str) -> None:
        assert ada.get(f"{FEEDBACK}?{query.format(message=feedback.message_id)}").status_code == 400

    def test_a_comment_with_markup_is_inert(self, ada: Client, feedback: Feedback) -> None:
        Feedback.objects.filter(pk=feedback.pk).update(comment="<img src=x onerror=alert(1)>")
        for page in (FEEDBACK, f"{FEEDBACK}{feedback.pk}/change/"):
            assert "<img src=x" not in ada.get(page).text

    @pytest.mark.parametrize("count", [1, 3])
    def test_the_list_costs_the_same_for_any_number(
        self, ada: Client, world: World, count: int, django_assert_num_queries: Any
    ) -> None:
        for _ in range(count):
            think(world.sam, world.offering, world.item, "up", "Good.")
        ada.get(FEEDBACK)
        # Session, person, roles; the filters' universities and courses; the days twice; the sums; the list with its
        # two counts.
        with django_assert_num_queries(11):
            ada.get(FEEDBACK)


@pytest.mark.parametrize("url", [USAGE, FEEDBACK])
class TestBoth:
    def test_nothing_is_written_here(self, ada: Client, entry: UsageEntry, feedback: Feedback, url: str) -> None:
        row = f"{url}{entry.pk if url == USAGE else feedback.pk}/"
        assert [
            ada.post(f"{url}add/", {}).status_code,
            ada.post(f"{row}change/", {"thumb": "up", "model": "x"}).status_code,
            ada.post(f"{row}delete/", {"post": "yes"}).status_code,
        ] == [403, 403, 403]
        assert (UsageEntry.objects.count(), Feedback.objects.count()) == (5, 3)

    def test_foreign_rows_are_as_absent(
        self, ada: Client, entry: UsageEntry, feedback: Feedback, world: World, url: str
    ) -> None:
        model = UsageEntry if url == USAGE else Feedback
        foreign = model.objects.get(university=world.south)
        answers = [ada.get(f"{url}{pk}/change/") for pk in (foreign.pk, 999_999, "abc")]
        assert [answer.status_code for answer in answers] == [404, 404, 404]
        assert len({answer.content for answer in answers}) == 1

    def test_is_for_those_who_run_a_university(
        self, client: Client, entry: UsageEntry, feedback: Feedback, world: World, url: str
    ) -> None:
        client.force_login(world.tess)
        assert client.get(url).status_code == 403
        client.force_login(world.platform)
        assert client.get(url).context["cl"].result_count == (5 if url == USAGE else 3)
