"""How much of the allowances is used, for the student who looks at the panel."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from tenants.models import University, User
from tutoring.budget_periods import Account, counters_of, limits_for, renewal_of, today_at
from tutoring.models import ChatSession, TutorPolicy


@dataclass(frozen=True)
class Meter:
    """The limit that is nearest to its end. `scope` is user, course or university; `used_percent` is 0 to 100.

    `step` is the policy's step that the next reply takes: empty, notice, cheaper, practice or stop.
    """

    scope: str
    used_percent: int
    renews_at: datetime
    step: str


def meter(university: University, *, user_id: int, course_id: int) -> Meter | None:
    """None where nothing is limited, or nothing of it used, or the site has no model; one query."""
    if settings.TUTOR_PROVIDER == "practice":
        return None
    account = Account(university.pk, user_id, course_id)
    today = today_at(university)
    wanted = limits_for(account, None, today)
    counters = {row.scope: row for row in counters_of(wanted).select_related("university__tutor_policy")}
    if not counters:
        return None
    policy = _policy(next(iter(counters.values())).university)
    shares = [
        (limit.used_share(counters[limit.scope]), limit)
        for limit in limits_for(account, policy, today)
        if limit.scope in counters and not (limit.tokens is None and limit.usd is None)
    ]
    if not shares:
        return None
    share, limit = max(shares, key=lambda pair: pair[0])
    return Meter(
        limit.scope,
        min(100, int(share * 100)),
        renewal_of(limit, university),
        str(policy.when_used_up) if share >= 1 else policy.step_at(share),
    )


def meter_of(user: User, session_id: UUID) -> Meter | None:
    """Of a conversation of the person's own; two queries. None where there is none."""
    mine = ChatSession.objects.visible_to(user).select_related("university", "offering")
    session = mine.filter(pk=session_id).first()
    if session is None:
        return None
    return meter(session.university, user_id=user.pk, course_id=session.offering.course_id)


def _policy(university: University) -> TutorPolicy:
    """Loaded with the university; the defaults where it has none."""
    return getattr(university, "tutor_policy", None) or TutorPolicy(university=university)
