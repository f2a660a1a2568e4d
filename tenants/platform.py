"""The platform's own connection, which sees every university. Each use of it is written into the audit log."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

from tenants import audit
from tenants.models import User
from tenants.visits import current, everywhere


@contextmanager
def platform(*, by: User | None, why: str) -> Iterator[None]:
    """For the block, this thread's queries go through `PLATFORM_DATABASE`; `by` is None for the system.

    To be opened outside a transaction: one that began on the other connection would not cover what is done on this.
    Within another such block it changes nothing.
    """
    visit = current()
    if visit and visit.is_everywhere:
        yield
        return
    with _swapped(settings.PLATFORM_DATABASE), everywhere():
        audit.record(by=by, action="platform.opened", detail={"why": why})
        yield


@contextmanager
def _swapped(alias: str) -> Iterator[None]:
    """`connections` keeps one connection for each name and thread: here the default name is lent to another."""
    if alias == DEFAULT_DB_ALIAS:
        yield
        return
    before = connections[DEFAULT_DB_ALIAS]
    if before.in_atomic_block:
        raise RuntimeError("The platform's connection cannot be opened within a transaction.")
    lent = connections[alias]
    connections[DEFAULT_DB_ALIAS] = lent
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = before
        lent.close()
