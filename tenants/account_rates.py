"""The rates of sign-ins, sign-ups, resets and confirmations, counted by `tenants.throttles`.

allauth counts in the cache, which processes share only through Redis, and lets a counter expire when memory is short.
Its `_consume_single_rate` and `clear` are the only two of its functions that touch a counter (a test holds that), so
these stand in their place; what is limited, when and how often stays with allauth and `ACCOUNT_RATE_LIMITS`.
"""

from dataclasses import dataclass
from typing import Any

from allauth.core.exceptions import RateLimited
from allauth.core.internal import ratelimit
from django.http import HttpRequest

from tenants import throttles
from tenants.requests import client_address


@dataclass(frozen=True)
class Use:
    """One use of one rate. allauth takes it back when a password was right."""

    taken: throttles.Taken | None

    def rollback(self) -> None:
        if self.taken:
            throttles.give_back(self.taken)


def install() -> None:
    ratelimit._consume_single_rate = _consume_single_rate
    ratelimit.clear = _clear


def _consume_single_rate(
    request: HttpRequest,
    *,
    app: str,
    action: str,
    rate: Any,
    key: str | None = None,
    user: Any = None,
    dry_run: bool = False,
    raise_exception: bool = False,
) -> Use | None:
    """None means refused. The count is committed before anything else is done, a password's hash above all."""
    counted = _purpose(action, rate), _subject(request, rate, key, user), _limit(rate)
    if dry_run:
        use = Use(None) if throttles.has_room(*counted) else None
    else:
        taken = throttles.take(*counted)
        use = Use(taken) if taken else None
    if use is None and raise_exception:
        raise RateLimited
    return use


def _clear(
    request: HttpRequest, *, app: str, action: str, config: Any = None, key: Any = None, user: Any = None
) -> None:
    """What an account has used up; its network address keeps its count, since it may be trying others'."""
    for rate in ratelimit.get_rates(app=app, action=action, config=config):
        if rate.per != "ip":
            throttles.forget(_purpose(action, rate), _subject(request, rate, key, user))


def _purpose(action: str, rate: Any) -> str:
    """With the span, since one action may have rates for a minute and for a day."""
    return f"{action}_{int(rate.duration)}s"


def _subject(request: HttpRequest, rate: Any, key: str | None, user: Any) -> str:
    if rate.per == "ip":
        return f"address:{client_address(request)}"
    if rate.per == "user":
        return f"user:{(user or request.user).pk}"
    return f"name:{key or ''}"


def _limit(rate: Any) -> throttles.Rate:
    return throttles.Rate(rate.amount, per_s=int(rate.duration), noun="tries")
