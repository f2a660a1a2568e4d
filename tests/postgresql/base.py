"""One connection for both roles, because a test's transaction holds what it prepares and what its requests see of it.

Inside a visit, so in every request, socket and job, a statement runs as the application's role. Outside one, where
tests make and read rows at both universities, and within `platform()`, it runs as the platform's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lms.embedded_postgres import APPLICATION, PLATFORM
from tenants.postgresql import base
from tenants.visits import current

_is_wall_gone = False


@contextmanager
def without_second_wall() -> Iterator[None]:
    """Everything runs as the platform's role, whom the policies let pass."""
    global _is_wall_gone
    _is_wall_gone = True
    try:
        yield
    finally:
        _is_wall_gone = False


class Cursor(base.Cursor):
    def told(self) -> dict[str, str]:
        visit = current()
        passes = _is_wall_gone or visit is None or visit.is_everywhere
        return {"role": PLATFORM if passes else APPLICATION, **super().told()}


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        return super().get_connection_params() | {"cursor_factory": Cursor}
