"""Setting aside what a reply may use before it is made, and settling what it did use afterwards.

Both happen in the transaction of their caller. The counters are always locked in one order: person, course,
university. A reservation is refused only where a limit is reached already, so that the last reply of a period is
whole: together they pass a limit by one reservation at most.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_UP, Decimal
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F

from tutoring.budget_periods import Account, Limit, counters_of, limits_for, renewal_of, today_at
from tutoring.errors import BudgetUsedUp
from tutoring.models import Budget, ChatSession, Generation, TutorPolicy, UsageEntry
from tutoring.providers.costs import cost_usd
from tutoring.providers.protocol import Usage

_MICRO = Decimal("0.000001")
Step = Generation.BudgetStep


@dataclass(frozen=True)
class Plan:
    """Who makes a reply, and what is set aside for it. `step` is the policy's step that led to it, or empty."""

    provider: str
    model: str
    step: str
    day: date
    tokens: int = 0
    usd: Decimal = Decimal(0)


@dataclass(frozen=True)
class Spent:
    """What one reply or title has used. `cost` is None where the model has no price."""

    provider: str
    model: str
    usage: Usage
    cost: Decimal | None
    is_estimated: bool = False


def plan_reply(session: ChatSession, *, input_tokens: int) -> Plan:
    """Reserve for a reply to a request of about `input_tokens`. `session` comes with university and offering.

    Where a limit is used up, the practice tutor, or `BudgetUsedUp` as the university's policy says.
    """
    day = today_at(session.university)
    if settings.TUTOR_PROVIDER == "practice":
        return Plan("practice", "", "", day)
    policy = TutorPolicy.objects.of(session.university_id)
    limits = limits_for(Account.of(session), policy, day)
    step = _step(policy, limits, _counters(limits))
    plan = _priced(day, step, input_tokens)
    if reached := _reserve(limits, plan):
        return _when_used_up(session, policy, reached, day)
    return plan


def _step(policy: TutorPolicy, limits: Iterable[Limit], counters: Iterable[Budget]) -> str:
    by_scope = {counter.scope: counter for counter in counters}
    return policy.step_at(max(limit.used_share(by_scope[limit.scope]) for limit in limits))


def _priced(day: date, step: str, input_tokens: int) -> Plan:
    """With what the reply costs at most: nothing of its input in the cache, and all the output that it may have."""
    model = settings.TUTOR_SMALL_MODEL if step == Step.CHEAPER else settings.TUTOR_MODEL
    most = Usage(output_tokens=settings.TUTOR_MAX_OUTPUT_TOKENS, cache_creation_input_tokens=input_tokens)
    usd = cost_usd(most, model, settings.TUTOR_PRICES) or Decimal(0)
    return Plan(settings.TUTOR_PROVIDER, model, step, day, most.total, usd.quantize(_MICRO, ROUND_UP))


def _counters(limits: Sequence[Limit]) -> list[Budget]:
    """The counters of the three periods, made where this is the first reply in one."""
    found = list(counters_of(limits))
    if len(found) == len(limits):
        return found
    fresh = [Budget(university_id=limit.university_id, **limit.key) for limit in limits]
    Budget.objects.bulk_create(fresh, ignore_conflicts=True)
    return list(counters_of(limits))


def _reserve(limits: Iterable[Limit], plan: Plan) -> Limit | None:
    """All or nothing; the limit that stands in the way, if one does."""
    with transaction.atomic():
        for limit in limits:
            reserved = (
                counters_of([limit])
                .filter(limit.is_open())
                .update(reserved_tokens=F("reserved_tokens") + plan.tokens, reserved_usd=F("reserved_usd") + plan.usd)
            )
            if not reserved:
                transaction.set_rollback(True)
                return limit
    return None


def _when_used_up(session: ChatSession, policy: TutorPolicy, reached: Limit, day: date) -> Plan:
    if policy.when_used_up == TutorPolicy.WhenUsedUp.PRACTICE:
        return Plan("practice", "", Step.PRACTICE, day)
    raise BudgetUsedUp(reached.scope, renewal_of(reached, session.university))


def settle(generation: Generation, spent: Spent) -> None:
    """Once for each generation, in the transaction that ends it. `generation` comes with session and offering."""
    _book(generation, spent, UsageEntry.Purpose.REPLY, tokens=generation.reserved_tokens, usd=generation.reserved_usd)


def book_title(generation_id: UUID, spent: Spent) -> None:
    """A title is cheap and follows a reply that was paid for, so nothing is set aside for it before."""
    found = Generation.objects.filter(pk=generation_id).select_related("session__offering").first()
    if found:
        with transaction.atomic():
            _book(found, spent, UsageEntry.Purpose.TITLE, tokens=0, usd=Decimal(0))


def _book(generation: Generation, spent: Spent, purpose: str, *, tokens: int, usd: Decimal) -> None:
    """`tokens` and `usd` are given back from what was reserved."""
    session = generation.session
    # Replies from before there were budgets have no day of their own.
    day = generation.budget_day or today_at(session.university)
    UsageEntry.objects.create(
        university_id=session.university_id,
        user_id=session.user_id,
        course_id=session.offering.course_id,
        generation=generation.pk,
        purpose=purpose,
        provider=spent.provider,
        model=spent.model,
        cost_usd=spent.cost,
        is_estimated=spent.is_estimated,
        day=day,
        **spent.usage.as_columns(),
    )
    used = 0 if spent.provider == "practice" else spent.usage.total
    if not (used or tokens or usd):
        return
    for limit in limits_for(Account.of(session), None, day):
        counters_of([limit]).update(
            used_tokens=F("used_tokens") + used,
            used_usd=F("used_usd") + (spent.cost or 0),
            reserved_tokens=F("reserved_tokens") - tokens,
            reserved_usd=F("reserved_usd") - usd,
        )


def rounded(spent: Spent) -> Spent:
    """With the cost as its column holds it, so that counters and ledger stay equal to the last digit."""
    return spent if spent.cost is None else replace(spent, cost=spent.cost.quantize(_MICRO, ROUND_UP))
