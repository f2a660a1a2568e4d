"""The connection and its cursor. Settings hold for one transaction, so none is left behind in a pooled connection.

They travel in front of each statement and in its round trip: PostgreSQL takes what comes together outside a
transaction as one. So a read outside `atomic()` is covered, a statement after a rollback too, and nothing can be stale.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db.backends.postgresql import base
from psycopg import sql
from psycopg.pq import TransactionStatus

from tenants.visits import local_settings

if TYPE_CHECKING:
    # What Django's own cursor is one of, which its types do not say.
    from psycopg import ClientCursor as PlainCursor
else:
    PlainCursor = base.Cursor


class Cursor(PlainCursor):
    """Sends text, never prepared statements: those take one command at a time."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> "Cursor":
        # A transaction that has failed takes nothing but its own end.
        has_failed = self.connection.pgconn.transaction_status == TransactionStatus.INERROR
        if has_failed:
            super().execute(query, params, **options)
            return self
        super().execute(_joined(self.told(), query), params, **options)
        # Past what `set_config` answers, to the result that was asked for.
        self.nextset()
        return self

    def executemany(self, query: Any, params_seq: Iterable[Any], **options: Any) -> None:
        """One by one: a pipeline takes one command at a time, too."""
        count = 0
        for params in params_seq:
            self.execute(query, params)
            count += max(self.rowcount, 0)
        self._rowcount = count

    def told(self) -> dict[str, str]:
        return local_settings()


def _joined(told: dict[str, str], query: Any) -> Any:
    """No value here comes from outside: names are ours, values are numbers and names of roles."""
    settings = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in told.items())
    prefix = f"SELECT {settings}; "
    if isinstance(query, bytes):
        return prefix.encode() + query
    return sql.SQL(prefix) + query if isinstance(query, sql.Composable) else prefix + query


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        return super().get_connection_params() | {"cursor_factory": Cursor}
