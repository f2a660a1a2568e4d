"""What is set aside for a reply, what it is settled with, and what happens at a limit."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from decimal import ROUND_UP, Decimal
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.db.models import F, Sum
from django.test import TransactionTestCase

from lms.learning.access import access_lesson
from prompts.actions.library import load_library
from tests.tutoring.scenes import ask, end, sams_session, save
from tests.world import make_world
from tutoring import queries
from tutoring.actions.budgets import Spent, book_title
from tutoring.actions.recovery import recover_lapsed
from tutoring.actions.sessions import start_session
from tutoring.errors import BudgetUsedUp
from tutoring.models import Budget, ChatSession, Generation, Message, TutorPolicy, UsageEntry
from tutoring.providers.protocol import Usage

USAGE = Usage(input_tokens=100, output_tokens=50, cache_creation_input_tokens=10, cache_read_input_tokens=40)
# 100 at 3, 50 at 15, 10 at 3.75 and 40 at 0.3 USD per million tokens, and a part of a millionth.
SPENT = Spent("anthropic", "claude-sonnet-5-5", USAGE, Decimal("0.0010995"))
TODAY = date(2026, 3, 31)
# Half past eleven in the evening in Oslo, which is two hours ahead of UTC then.
NOW = datetime(2026, 3, 31, 21, 30, tzinfo=ZoneInfo("UTC"))


@pytest.fixture(autouse=True)
def a_model(settings):
    settings.TUTOR_PROVIDER, settings.ANTHROPIC_API_KEY = "anthropic", "key"


@pytest.fixture
def session(world):
    world.north.time_zone = "Europe/Oslo"
    world.north.save()
    with patch("django.utils.timezone.now", lambda: NOW):
        yield sams_session(world)


def counters(world):
    """Scope, whose, period, used and reserved, of each counter."""
    names = {
        ("user", world.sam.pk): "sam",
        ("course", world.course.pk): "course",
        ("university", world.north.pk): "north",
    }
    rows = Budget.objects.order_by("pk")
    return [
        (names[row.scope, row.subject_id], row.period_start, row.used_tokens, row.used_usd, row.reserved_tokens)
        for row in rows
    ]


def policy(world, **fields):
    return TutorPolicy.objects.update_or_create(university=world.north, defaults=fields)[0]


def test_what_a_reply_may_use_is_set_aside_and_settled_with_what_it_used(world, session, settings):
    sent = ask(world, session)
    generation = Generation.objects.get(pk=sent.generation)
    assert generation.reserved_tokens > settings.TUTOR_MAX_OUTPUT_TOKENS
    # All the output at 15 USD per million tokens, and the input as if all of it were written to the cache, rounded up.
    input_tokens = generation.reserved_tokens - settings.TUTOR_MAX_OUTPUT_TOKENS
    most = settings.TUTOR_MAX_OUTPUT_TOKENS * 15 + input_tokens * Decimal("3.75")
    assert generation.reserved_usd == most.to_integral(ROUND_UP) / 10**6
    month, reserved = TODAY.replace(day=1), generation.reserved_tokens
    assert counters(world) == [
        ("sam", TODAY, 0, 0, reserved),
        ("course", month, 0, 0, reserved),
        ("north", month, 0, 0, reserved),
    ]

    assert end(sent, spent=SPENT)
    used = (200, Decimal("0.001100"), 0)
    assert counters(world) == [("sam", TODAY, *used), ("course", month, *used), ("north", month, *used)]
    assert not Budget.objects.exclude(reserved_usd=0).exists()
    entry = UsageEntry.objects.get()
    assert (entry.generation, entry.purpose, entry.user, entry.course, entry.day) == (
        sent.generation,
        "reply",
        world.sam,
        world.course,
        TODAY,
    )
    assert (entry.input_tokens, entry.output_tokens, entry.cache_write_tokens, entry.cache_read_tokens) == (
        100,
        50,
        10,
        40,
    )
    assert (entry.cost_usd, entry.is_estimated) == (Decimal("0.001100"), False)


def test_an_end_that_comes_too_late_settles_nothing(world, session):
    sent = ask(world, session)
    assert end(sent, spent=SPENT)
    before = counters(world)
    assert not end(sent, spent=SPENT)
    assert (counters(world), UsageEntry.objects.count()) == (before, 1)


def test_a_reply_past_midnight_is_settled_with_its_own_day(world, session):
    sent = ask(world, session)
    with patch("django.utils.timezone.now", lambda: NOW + timedelta(hours=1)):
        end(sent, spent=SPENT)
        assert [row[:3] for row in counters(world)] == [
            ("sam", TODAY, 200),
            ("course", TODAY.replace(day=1), 200),
            ("north", TODAY.replace(day=1), 200),
        ]
        assert UsageEntry.objects.get().day == TODAY
        # The next one is of the first of April.
        ask(world, session)
    assert [row[1] for row in counters(world)][3:] == [date(2026, 4, 1)] * 3


def test_what_a_dead_process_had_set_aside_is_given_back(world, session):
    sent = ask(world, session)
    save(sent, "x" * 400)
    counted = {"provider": "anthropic", "model": "claude-sonnet-5-5", "input_tokens": 30, "output_tokens": 1}
    Generation.objects.filter(pk=sent.generation).update(lease_until="2020-01-01T00:00:00Z", **counted)
    recovered = recover_lapsed()
    assert [(each.generation, each.university, each.length) for each in recovered] == [(sent.generation, "north", 400)]
    # What nobody counted is estimated from the text: 400 characters are about 100 tokens.
    assert [row[2:] for row in counters(world)] == [(130, Decimal("0.001590"), 0)] * 3
    entry = UsageEntry.objects.get()
    assert (entry.output_tokens, entry.is_estimated) == (100, True)
    assert Message.objects.get(pk=sent.reply).error_code == "interrupted"


def test_a_title_is_booked_beside_its_reply(world, session):
    sent = ask(world, session)
    end(sent, spent=SPENT)
    book_title(sent.generation, Spent("anthropic", "claude-haiku-5-5", Usage(10, 5), Decimal("0.000035")))
    assert [row[2:] for row in counters(world)] == [(215, Decimal("0.001135"), 0)] * 3
    purposes = UsageEntry.objects.order_by("pk").values_list("purpose", "model", "cost_usd")
    assert list(purposes) == [
        ("reply", "claude-sonnet-5-5", Decimal("0.001100")),
        ("title", "claude-haiku-5-5", Decimal("0.000035")),
    ]


@pytest.mark.parametrize(
    ("limit", "whose", "renews_at"),
    [
        ({"user_daily_tokens": 200}, "user_day", "2026-04-01T00:00:00+02:00"),
        ({"user_daily_usd": Decimal("0.0011")}, "user_day", "2026-04-01T00:00:00+02:00"),
        ({"course_monthly_tokens": 200}, "course_month", "2026-04-01T00:00:00+02:00"),
        ({"university_monthly_usd": Decimal("0.0011")}, "university_month", "2026-04-01T00:00:00+02:00"),
    ],
)
def test_at_a_limit_the_tutor_stops_and_says_which_and_until_when(world, session, limit, whose, renews_at):
    end(ask(world, session), spent=SPENT)
    policy(world, when_used_up="stop", **limit)
    before = counters(world)
    with pytest.raises(BudgetUsedUp) as refusal:
        ask(world, session, "One more?")
    assert refusal.value.context == {"limit": whose, "renews_at": renews_at}
    assert refusal.value.retry_after_s == 1800
    assert refusal.value.detail.endswith("It renews on 2026-04-01 00:00 (Europe/Oslo).")
    assert (counters(world), Message.objects.count()) == (before, 2)


def test_just_below_a_limit_the_last_reply_is_whole(world, session):
    end(ask(world, session), spent=SPENT)
    policy(world, when_used_up="stop", user_daily_tokens=201)
    sent = ask(world, session, "One more?")
    # It is the one reservation by which a limit may be passed; the next question waits for it, or for tomorrow.
    end(sent, spent=SPENT)
    with pytest.raises(BudgetUsedUp):
        ask(world, session, "And another?")


def test_at_a_limit_the_practice_tutor_answers_where_the_policy_says_so(world, session):
    end(ask(world, session), spent=SPENT)
    policy(world, when_used_up="practice", user_daily_tokens=200)
    before = counters(world)
    sent = ask(world, session, "One more?")
    generation = Generation.objects.get(pk=sent.generation)
    assert (sent.provider, generation.provider, generation.budget_step, generation.reserved_tokens) == (
        "practice",
        "practice",
        "practice",
        0,
    )
    end(sent, spent=Spent("practice", "", Usage(20, 30), None))
    assert counters(world) == before
    assert UsageEntry.objects.of_models().count() == 1


@pytest.mark.parametrize(
    ("used_tokens", "step", "model"),
    [(79, "", "claude-sonnet-5-5"), (80, "notice", "claude-sonnet-5-5"), (90, "cheaper", "claude-haiku-5-5")],
)
def test_each_step_of_the_policy(world, session, used_tokens, step, model):
    policy(world, user_daily_tokens=100, notice_percent=80, cheaper_percent=90)
    end(ask(world, session), spent=SPENT)
    Budget.objects.update(used_tokens=used_tokens)
    assert queries.meter(world.north, user_id=world.sam.pk, course_id=world.course.pk) == queries.Meter(
        "user", used_tokens, datetime(2026, 4, 1, tzinfo=ZoneInfo("Europe/Oslo")), step
    )
    sent = ask(world, session, "One more?")
    generation = Generation.objects.get(pk=sent.generation)
    assert (generation.budget_step, generation.model, sent.request.model) == (step, model, model)


def test_the_meter_shows_the_nearest_limit_and_none_where_nothing_is_limited(world, session):
    def meter():
        return queries.meter(world.north, user_id=world.sam.pk, course_id=world.course.pk)

    assert meter() is None
    end(ask(world, session), spent=SPENT)
    policy(world, user_daily_tokens=2000, university_monthly_tokens=400, when_used_up="stop")
    assert (meter().scope, meter().used_percent, meter().step) == ("university", 50, "")
    Budget.objects.update(used_tokens=500)
    assert (meter().scope, meter().used_percent, meter().step) == ("university", 100, "stop")
    policy(world, user_daily_tokens=None, university_monthly_tokens=None)
    assert meter() is None


def test_another_university_has_its_own_counters(world, session):
    end(ask(world, session), spent=SPENT)
    policy(world, when_used_up="stop", university_monthly_tokens=1)
    load_library()
    place = access_lesson(world.oona, university="south", offering=world.south_offering.pk, item=world.south_item.pk)
    theirs = start_session(by=world.oona, lesson=place)
    assert ask(world, theirs, by=world.oona).provider == "anthropic"


def test_a_site_without_a_model_counts_nothing(world, settings):
    settings.TUTOR_PROVIDER = "practice"
    sent = ask(world, sams_session(world))
    end(sent, spent=Spent("practice", "", Usage(20, 30), None))
    assert (Budget.objects.count(), UsageEntry.objects.get().provider) == (0, "practice")


class ManyAtOnce(TransactionTestCase):
    def test_a_tiny_budget_is_passed_by_one_reservation_at_most(self):
        world = make_world()
        first = sams_session(world)
        like = {
            name: getattr(first, name) for name in ("university", "user", "offering", "content_item", "content_context")
        }
        sessions = [first, *(ChatSession.objects.create(**like) for _ in range(39))]
        limit = 20_000
        TutorPolicy.objects.create(university=world.north, user_daily_tokens=limit, when_used_up="stop")
        chosen = {"TUTOR_PROVIDER": "anthropic", "TUTOR_SENDS_PER_MINUTE_PER_USER": 1000}
        with self.settings(**chosen), ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda session: _attempt(world, session), sessions))
        taken = [answer for answer in answers if not isinstance(answer, Exception)]
        assert {type(answer) for answer in answers} - {BudgetUsedUp} == {type(taken[0])}
        counter = Budget.objects.get(scope="user")
        one = Generation.objects.first().reserved_tokens
        assert (
            counter.reserved_tokens == one * len(taken) == Generation.objects.aggregate(n=Sum("reserved_tokens"))["n"]
        )
        assert limit <= counter.reserved_tokens < limit + one
        for sent in taken:
            end(sent, spent=SPENT)
        assert set(Budget.objects.values_list("used_tokens", "reserved_tokens")) == {(200 * len(taken), 0)}
        ledger = UsageEntry.objects.aggregate(
            tokens=Sum(F("input_tokens") + F("output_tokens") + F("cache_write_tokens") + F("cache_read_tokens")),
            usd=Sum("cost_usd"),
        )
        assert (ledger["tokens"], ledger["usd"]) == (200 * len(taken), Budget.objects.first().used_usd)


def _attempt(world, session):
    try:
        return ask(world, session)
    except Exception as error:
        return error
    finally:
        connection.close()
