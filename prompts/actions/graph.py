"""The frame of every change to prompts: one at a time, and none that leaves a live label broken."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from prompts import queries
from prompts.errors import WouldBreak
from tenants.models import University

# Any fixed number will do; it only has to be this app's own.
_LOCK = 0x70726F6D707473
_MENTIONED = 5


@contextmanager
def changing(university: University | None) -> Iterator[None]:
    """Apply a change to the prompts of one university, or of the platform, in one transaction.

    What compiled before must compile afterwards, for everybody who sees the change; otherwise `WouldBreak` and nothing
    has happened. What was broken before does not stand in the way, so that damage can be mended step by step.
    """
    with transaction.atomic():
        # One lock for all prompts: of two changes that are sound alone, both together may close a circle.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        before = queries.broken_labels(university)
        yield
        after = queries.broken_labels(university)
        broken = [key for key in after if key not in before]
        if broken:
            reasons = [
                f"{reference}{f' at {slug}' if slug else ''}: {after[slug, reference]}" for slug, reference in broken
            ]
            more = f" And {len(reasons) - _MENTIONED} more." if len(reasons) > _MENTIONED else ""
            raise WouldBreak(f"Prompts that work now would no longer compile. {' '.join(reasons[:_MENTIONED])}{more}")
