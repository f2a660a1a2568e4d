"""Whether the budgets' counters say what the usage rows say."""

from decimal import Decimal
from typing import Any

from tests.faults.stage import Stage

Gaps = dict[tuple[Any, ...], tuple[Decimal, ...]]

_GAPS = """
SELECT budget.scope, budget.subject_id, budget.period_start, budget.reserved_tokens, budget.reserved_usd,
       budget.used_tokens - coalesce(entries.tokens, 0) AS tokens, budget.used_usd - coalesce(entries.usd, 0) AS usd
FROM tutoring_budget budget
LEFT JOIN LATERAL (
    SELECT sum(input_tokens + output_tokens + cache_write_tokens + cache_read_tokens) AS tokens, sum(cost_usd) AS usd
    FROM tutoring_usageentry entry
    WHERE entry.university_id = budget.university_id AND entry.provider <> 'practice'
        AND CASE budget.scope
            WHEN 'user' THEN entry.user_id = budget.subject_id AND entry.day = budget.period_start
            WHEN 'course' THEN entry.course_id = budget.subject_id
                AND date_trunc('month', entry.day)::date = budget.period_start
            ELSE date_trunc('month', entry.day)::date = budget.period_start
        END
) entries ON true
"""


def budget_gaps(stage: Stage) -> Gaps:
    """Of each budget: what is reserved, and used minus recorded, in tokens and USD. Only those with a gap."""
    gaps = {}
    for row in stage.rows(_GAPS):
        figures = (row["reserved_tokens"], row["reserved_usd"], row["tokens"], row["usd"])
        if any(figures):
            gaps[row["scope"], row["subject_id"], row["period_start"].isoformat()] = figures
    return gaps
