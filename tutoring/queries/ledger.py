"""Sums of the ledger of what replies and titles used."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, Sum

from tenants.models import University
from tutoring.models import UsageEntry

# What the ledger is summed by, and the columns that each becomes, with where they come from.
DIMENSIONS: dict[str, dict[str, str]] = {
    "university": {"university": "university__slug"},
    "course": {"course": "course__code", "course_title": "course__title"},
    "day": {"day": "day"},
    "model": {"provider": "provider", "model": "model"},
}

_SUMS: dict[str, Any] = {
    "replies": Count("pk", filter=Q(purpose=UsageEntry.Purpose.REPLY)),
    "titles": Count("pk", filter=Q(purpose=UsageEntry.Purpose.TITLE)),
    "input_tokens": Sum("input_tokens"),
    "output_tokens": Sum("output_tokens"),
    "cache_write_tokens": Sum("cache_write_tokens"),
    "cache_read_tokens": Sum("cache_read_tokens"),
    "usd": Sum("cost_usd", default=Decimal("0.000000")),
    # Of models whose price the settings do not know.
    "unpriced": Count("pk", filter=Q(cost_usd=None) & ~Q(provider="practice")),
    "estimated": Count("pk", filter=Q(is_estimated=True)),
}


def usage_columns(by: Sequence[str]) -> list[str]:
    """The names of the columns of `usage_sums`, in their order."""
    return [*_groups(by), *_SUMS]


def usage_sums(
    by: Sequence[str], *, university: University | None = None, since: date | None = None, until: date | None = None
) -> list[dict[str, Any]]:
    """One row for each group, in the groups' order, with the columns of `usage_columns`. One query.

    `since` and `until` are both included, and days are those of each university's time zone. A course that was deleted
    is None.
    """
    entries = UsageEntry.objects.all()
    if university:
        entries = entries.filter(university=university)
    if since:
        entries = entries.filter(day__gte=since)
    if until:
        entries = entries.filter(day__lte=until)
    groups = list(_groups(by).values())
    rows = entries.order_by(*groups).values_list(*groups).annotate(**{f"sum_{name}": _SUMS[name] for name in _SUMS})
    columns = usage_columns(by)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _groups(by: Sequence[str]) -> dict[str, str]:
    """Codes of courses repeat between universities, so that courses always come with theirs."""
    wanted = list(by)
    if "course" in wanted and "university" not in wanted:
        wanted.insert(wanted.index("course"), "university")
    return {column: path for dimension in wanted for column, path in DIMENSIONS[dimension].items()}
