"""Counting against a limit: by account and address, for all processes together, by the database's clock."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.test import TransactionTestCase

from lms.api import answer_error
from tenants.errors import DomainError, NotVisible, TooManyRequests
from tenants.models import RateWindow
from tenants.throttles import Rate, count_against, forget_old_windows

SOURCE = "address:192.0.2.7"
THREADS = 50


def refusal(purpose: str, **subjects: Rate) -> TooManyRequests:
    with pytest.raises(TooManyRequests) as caught:
        count_against(purpose, {name.replace("_", ":", 1): rate for name, rate in subjects.items()})
    return caught.value


def counts() -> list[int]:
    return sorted(RateWindow.objects.values_list("count", flat=True))


def end_windows() -> None:
    """As if their time had passed."""
    RateWindow.objects.update(ends_at=Now() - timedelta(seconds=1))


class Parallel(TransactionTestCase):
    def test_of_fifty_at_once_as_many_pass_as_may(self) -> None:
        together = Barrier(THREADS)

        def try_once(number: int) -> bool:
            together.wait(20)
            try:
                count_against("sends_per_minute", {"user:1": Rate(20, 60), SOURCE: Rate(1000, 60)})
                return True
            except TooManyRequests:
                return False
            finally:
                connection.close()

        with ThreadPoolExecutor(THREADS) as threads:
            passed = list(threads.map(try_once, range(THREADS)))
        assert (sum(passed), counts()) == (20, [20, THREADS])

    def test_a_refusal_does_not_undo_the_count(self) -> None:
        for _ in range(3):
            with contextlib.suppress(TooManyRequests):
                count_against("sends_per_minute", {"user:1": Rate(1, 60)})
        assert counts() == [3]

    def test_a_caller_in_a_transaction_is_told_so(self) -> None:
        with pytest.raises(RuntimeError), transaction.atomic():
            count_against("sends_per_minute", {"user:1": Rate(2, 60)})


@pytest.mark.django_db
class TestLimits:
    def test_says_in_words_and_for_programs_what_is_used_up_and_until_when(self) -> None:
        rate = Rate(2, 60, noun="messages")
        for _ in range(2):
            count_against("sends_per_minute", {"user:42": rate})
        error = refusal("sends_per_minute", user_42=rate)
        ends_at = RateWindow.objects.get().ends_at
        assert (error.code, error.status, error.retry_after_s in (59, 60), error.context) == (
            "too_many_requests",
            429,
            True,
            {"limit": "sends_per_minute_user", "renews_at": ends_at.isoformat()},
        )
        wait = f"Please try again in {error.retry_after_s} seconds."
        assert error.detail == f"Only 2 messages per minute are taken from one account. {wait}"

    @pytest.mark.parametrize(
        ("per_s", "detail"),
        [
            (1, "in 1 second are taken from one network address. Please try again in 1 sec"),
            (
                90,
                "in 90 seconds are taken from one network address. Please try again in 90",
            ),
            (
                3600,
                "per hour are taken from one network address. Please try again in 60 min",
            ),
            (
                86_400,
                "per day are taken from one network address. Please try again in 24 hour",
            ),
        ],
    )
    def test_other_spans(self, per_s: int, detail: str) -> None:
        error = refusal("uploads", address_unknown=Rate(0, per_s))
        assert error.context["limit"] == "uploads_address"
        assert error.detail.startswith(f"Only 0 requests {detail}")

    def test_purposes_and_subjects_count_apart(self) -> None:
        one = Rate(1, 60)
        for purpose, subject in (
            ("sends_per_minute", "user:1"),
            ("sends_per_minute", "user:2"),
            ("titles", "user:1"),
            ("sends_per_minute", SOURCE),
        ):
            count_against(purpose, {subject: one})
        assert counts() == [1, 1, 1, 1]

    def test_who_is_over_their_own_limit_takes_nothing_from_their_neighbours(self) -> None:
        both = {"user:1": Rate(2, 60), SOURCE: Rate(4, 60)}
        for _ in range(2):
            count_against("sends_per_minute", both)
        for _ in range(5):
            with pytest.raises(TooManyRequests):
                count_against("sends_per_minute", both)
        count_against("sends_per_minute", {"user:2": Rate(2, 60), SOURCE: Rate(4, 60)})
        assert counts() == [1, 3, 7]

    def test_many_accounts_of_one_address_share_its_limit(self) -> None:
        for number in range(3):
            count_against("sends_per_minute", {f"user:{number}": Rate(2, 60), SOURCE: Rate(3, 60)})
        with pytest.raises(TooManyRequests) as caught:
            count_against("sends_per_minute", {"user:9": Rate(2, 60), SOURCE: Rate(3, 60)})
        assert caught.value.context["limit"] == "sends_per_minute_address"

    def test_a_window_that_has_ended_begins_anew(self) -> None:
        one = Rate(1, 60)
        count_against("sends_per_minute", {"user:1": one})
        refusal("sends_per_minute", user_1=one)
        end_windows()
        count_against("sends_per_minute", {"user:1": one})
        left = RateWindow.objects.annotate(left=F("ends_at") - Now()).get().left
        assert (counts(), left > timedelta(seconds=50)) == ([1], True)
        refusal("sends_per_minute", user_1=one)

    def test_the_wait_is_what_is_left_of_the_window(self) -> None:
        one = Rate(1, 3600)
        count_against("sends_per_minute", {"user:1": one})
        RateWindow.objects.update(ends_at=Now() + timedelta(seconds=150))
        error = refusal("sends_per_minute", user_1=one)
        assert (140 < error.retry_after_s <= 150, "try again in 3 minutes." in error.detail) == (True, True)

    def test_no_address_is_kept(self) -> None:
        count_against("sends_per_minute", {SOURCE: Rate(9, 60), "user:42": Rate(9, 60)})
        keys = sorted(RateWindow.objects.values_list("key", flat=True))
        assert (keys[0].startswith("platform.sends_per_minute.address."), len(keys[0]), keys[1]) == (
            True,
            98,
            "platform.sends_per_minute.user.42",
        )
        assert [key for key in keys if "192.0.2" in key] == []

    def test_the_hash_needs_the_secret(self, settings: object) -> None:
        for secret in ("one", "two"):
            settings.SECRET_KEY = secret
            count_against("sends_per_minute", {SOURCE: Rate(9, 60)})
        assert counts() == [1, 1]

    @pytest.mark.parametrize(
        ("first", "second", "expected"),
        [
            ("2001:db8::1", "2001:db8:0:0:ffff::9", [2]),
            ("2001:db8::1", "2001:db8:0:1::1", [1, 1]),
            ("192.0.2.1", "192.0.2.2", [1, 1]),
            ("unknown", "unknown", [2]),
        ],
    )
    def test_a_network_of_ipv6_is_one_source(self, first: str, second: str, expected: list[int]) -> None:
        for address in (first, second):
            count_against("sends_per_minute", {f"address:{address}": Rate(9, 60)})
        assert counts() == expected


class GoingAway(DomainError):
    status = 503
    retry_after_s = 5


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (TooManyRequests(), "60"),
        (TooManyRequests(limit="sends_per_minute_user", retry_after_s=7), "7"),
        (GoingAway(), "5"),
        (NotVisible(), None),
    ],
)
def test_the_api_says_when_to_come_back(error: DomainError, wait: str | None) -> None:
    assert answer_error(error).headers.get("Retry-After") == wait


@pytest.mark.django_db
class TestForgetting:
    def test_ended_windows_go_the_oldest_first_and_live_ones_stay(self, settings: object) -> None:
        for number in range(5):
            count_against("sends_per_minute", {f"user:{number}": Rate(9, 60)})
        for number in range(3):
            RateWindow.objects.filter(key=f"platform.sends_per_minute.user.{number}").update(
                ends_at=Now() - timedelta(hours=3 - number)
            )
        assert [forget_old_windows(2), forget_old_windows(2), forget_old_windows()] == [2, 1, 0]
        assert sorted(RateWindow.objects.values_list("key", flat=True)) == [
            "platform.sends_per_minute.user.3",
            "platform.sends_per_minute.user.4",
        ]

    def test_finds_them_by_their_index(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(
                "EXPLAIN SELECT key FROM tenants_ratewindow WHERE ends_at <= statement_timestamp()"
                " ORDER BY ends_at LIMIT 9"
            )
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "rate_window_end" in plan
