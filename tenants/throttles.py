"""How often something may be done: counted in PostgreSQL, atomically and for all processes together."""

import ipaddress
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from tenants.errors import TooManyRequests
from tenants.keys import PLATFORM, key_for
from tenants.models import RateWindow


@dataclass(frozen=True)
class Rate:
    """At most `limit` times in `per_s` seconds, which begin with the first. `noun` is what is counted, for people."""

    limit: int
    per_s: int
    noun: str = "requests"


# One statement, so that no two callers can read the same count. Times are the database's alone.
_COUNT = """
INSERT INTO tenants_ratewindow AS known (key, count, ends_at)
VALUES (%(key)s, 1, statement_timestamp() + make_interval(secs => %(per_s)s))
ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN known.ends_at > statement_timestamp() THEN known.count + 1 ELSE 1 END,
    ends_at = CASE WHEN known.ends_at > statement_timestamp() THEN known.ends_at ELSE excluded.ends_at END
RETURNING count, ends_at, extract(epoch FROM ends_at - statement_timestamp())
"""

# A row that is full stays as it is, so that no row comes back; the condition is asked of the newest count.
_TAKE = """
INSERT INTO tenants_ratewindow AS known (key, count, ends_at)
VALUES (%(key)s, 1, statement_timestamp() + make_interval(secs => %(per_s)s))
ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN known.ends_at > statement_timestamp() THEN known.count + 1 ELSE 1 END,
    ends_at = CASE WHEN known.ends_at > statement_timestamp() THEN known.ends_at ELSE excluded.ends_at END
WHERE known.count < %(limit)s OR known.ends_at <= statement_timestamp()
RETURNING ends_at
"""

# Found once and for all: as a mere sub-select PostgreSQL may look for them again with each row that it deletes.
_FORGET = """
WITH ended AS MATERIALIZED (
    SELECT key FROM tenants_ratewindow WHERE ends_at <= statement_timestamp()
    ORDER BY ends_at LIMIT %s FOR UPDATE SKIP LOCKED
)
DELETE FROM tenants_ratewindow WHERE key IN (SELECT key FROM ended)
"""

_PERIODS = {60: "minute", 3600: "hour", 86_400: "day"}
_SOURCES = {"user": "one account", "address": "one network address"}
# Kinds of subjects whose names are people's own, kept as keyed hashes alone.
_PRIVATE = {"address", "name"}


@dataclass(frozen=True)
class Taken:
    """One use that was counted, in the window that ends then."""

    key: str
    ends_at: datetime


def count_against(purpose: str, subjects: Mapping[str, Rate]) -> None:
    """Count one use for each subject ("user:42", "address:192.0.2.1"); raise `TooManyRequests` when one has too many.

    Its `limit` is the purpose and the kind of subject: `sends_per_minute_user`.
    In the order given, and only up to the first that refuses: whoever is over their own limit does not use up that of
    their address, which others share. The count stays whatever becomes of the request, so the caller must not be in a
    transaction.
    """
    with transaction.atomic(durable=True):
        refusal = next((found for each in subjects.items() if (found := _count(purpose, *each))), None)
    if refusal:
        raise refusal


def take(purpose: str, subject: str, rate: Rate) -> Taken | None:
    """Count one use and commit that at once; None, and nothing counted, where the limit is reached already."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        key = _key(purpose, subject)
        cursor.execute(_TAKE, {"key": key, "per_s": rate.per_s, "limit": rate.limit})
        row = cursor.fetchone()
    return Taken(key, row[0]) if row else None


def give_back(taken: Taken) -> None:
    """Uncount a use that turned out to be none. Nothing when its window has ended."""
    window = RateWindow.objects.filter(key=taken.key, ends_at=taken.ends_at, count__gt=0)
    window.update(count=F("count") - 1)


def has_room(purpose: str, subject: str, rate: Rate) -> bool:
    """Whether one more would be taken, without counting it."""
    full = RateWindow.objects.filter(key=_key(purpose, subject), ends_at__gt=Now(), count__gte=rate.limit)
    return not full.exists()


def forget(purpose: str, subject: str) -> None:
    """Begin anew, as after a password was reset."""
    RateWindow.objects.filter(key=_key(purpose, subject)).delete()


def forget_old_windows(at_most: int = 1000) -> int:
    """Delete windows that have ended, the oldest first; how many there were. To be called now and then."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [at_most])
        deleted: int = cursor.rowcount
    return deleted


def _count(purpose: str, subject: str, rate: Rate) -> TooManyRequests | None:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"key": _key(purpose, subject), "per_s": rate.per_s})
        row: Any = cursor.fetchone()
    count, ends_at, left_s = row
    return _refusal(purpose, subject, rate, ends_at, max(1, math.ceil(left_s))) if count > rate.limit else None


def _key(purpose: str, subject: str) -> str:
    """The platform's: an account or an address is one at all universities together."""
    kind, _, name = subject.partition(":")
    if kind in _PRIVATE:
        told = _network(name) if kind == "address" else name
        name = salted_hmac("tenants.throttles", told, algorithm="sha256").hexdigest()
    return key_for(PLATFORM, purpose, kind, name)


def _network(address: str) -> str:
    """One customer gets a whole /64 of IPv6, and could count anew with each address of it."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else str(parsed)


def _refusal(purpose: str, subject: str, rate: Rate, ends_at: datetime, left_s: int) -> TooManyRequests:
    kind = subject.partition(":")[0]
    period = _PERIODS.get(rate.per_s)
    span = f"per {period}" if period else f"in {_in_words(rate.per_s)}"
    return TooManyRequests(
        f"Only {rate.limit} {rate.noun} {span} are taken from {_SOURCES.get(kind, kind)}."
        f" Please try again in {_in_words(left_s)}.",
        limit=f"{purpose}_{kind}",
        renews_at=ends_at,
        retry_after_s=left_s,
    )


def _in_words(seconds: int) -> str:
    for unit, size in (("hour", 3600), ("minute", 60)):
        if seconds >= 2 * size:
            return f"{math.ceil(seconds / size)} {unit}s"
    return "1 second" if seconds == 1 else f"{seconds} seconds"
