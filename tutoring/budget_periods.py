"""The limits on the tutor's use, the periods they count in, and when those begin anew."""

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from tenants.models import University
from tutoring.models import Budget, ChatSession, TutorPolicy


@dataclass(frozen=True)
class Limit:
    """What one person, course or university may use in one period. None is no limit."""

    university_id: int
    scope: Budget.Scope
    subject_id: int
    period_start: date
    tokens: int | None = None
    usd: Decimal | None = None

    @property
    def key(self) -> Mapping[str, Any]:
        """The columns that name its counter within the university."""
        return {"scope": self.scope, "subject_id": self.subject_id, "period_start": self.period_start}

    def is_open(self) -> Q:
        """Of its counter: that neither tokens nor money are used up, with what is reserved taken for used."""
        is_open = Q()
        if self.tokens is not None:
            is_open &= Q(used_tokens__lt=self.tokens - F("reserved_tokens"))
        if self.usd is not None:
            is_open &= Q(used_usd__lt=self.usd - F("reserved_usd"))
        return is_open

    def used_share(self, counter: Budget) -> Decimal:
        """From 0 to 1 and beyond, of whichever of tokens and money is nearer to its limit; 0 without limits."""
        shares = [Decimal(0)]
        if self.tokens is not None:
            shares.append(_share(counter.used_tokens + counter.reserved_tokens, self.tokens))
        if self.usd is not None:
            shares.append(_share(counter.used_usd + counter.reserved_usd, self.usd))
        return max(shares)


@dataclass(frozen=True)
class Account:
    """On whose allowances a reply draws: a person's, a course's and a university's."""

    university_id: int
    user_id: int
    course_id: int

    @classmethod
    def of(cls, session: ChatSession) -> Self:
        """`session` comes with its offering."""
        return cls(session.university_id, session.user_id, session.offering.course_id)


def limits_for(account: Account, policy: TutorPolicy | None, day: date) -> list[Limit]:
    """Person, course, university, in the order in which their counters are locked. Without a policy no limits."""
    month = day.replace(day=1)
    policy = policy or _UNLIMITED
    place, scope = account.university_id, Budget.Scope
    return [
        Limit(place, scope.USER, account.user_id, day, policy.user_daily_tokens, policy.user_daily_usd),
        Limit(place, scope.COURSE, account.course_id, month, policy.course_monthly_tokens, policy.course_monthly_usd),
        Limit(place, scope.UNIVERSITY, place, month, policy.university_monthly_tokens, policy.university_monthly_usd),
    ]


def counters_of(limits: Iterable[Limit]) -> QuerySet[Budget]:
    """Their counters, as far as there are any yet; at least one limit must be given."""
    wanted = Q()
    for limit in limits:
        wanted |= Q(**limit.key, university=limit.university_id)
    return Budget.objects.filter(wanted)


_UNLIMITED = TutorPolicy(user_daily_tokens=None)


def today_at(university: University) -> date:
    return timezone.now().astimezone(zone_of(university)).date()


def renewal_of(limit: Limit, university: University) -> datetime:
    """The first moment of the next day or month there."""
    start = limit.period_start
    days = 1 if limit.scope == Budget.Scope.USER else calendar.monthrange(start.year, start.month)[1]
    return datetime.combine(start + timedelta(days=days), time.min, zone_of(university))


def zone_of(university: University) -> ZoneInfo:
    """UTC where the university's zone is none that this machine knows."""
    try:
        return ZoneInfo(university.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _share(used: int | Decimal, limit: int | Decimal) -> Decimal:
    return Decimal(used) / Decimal(limit) if limit else Decimal(1)
