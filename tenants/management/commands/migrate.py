"""`migrate` as the owner of the tables, followed by what the application's role may do with them."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.core.management.commands.migrate import Command as MigrateCommand
from django.db import connections
from psycopg import sql

# Tables that the application may add to and read, and nothing else.
APPEND_ONLY = ["tenants_auditentry"]

_GRANTS = """
GRANT USAGE ON SCHEMA public TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role};
REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {role};
"""


class Command(MigrateCommand):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database=settings.MIGRATION_DATABASE)

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        if not (options["plan"] or options["check_unapplied"]):
            grant_to_application(options["database"])


def grant_to_application(alias: str) -> None:
    """Idempotent, and run after every migration so that new tables are reachable at once."""
    role = sql.Identifier(connections["default"].settings_dict["USER"])
    with connections[alias].cursor() as cursor:
        cursor.execute(sql.SQL(_GRANTS).format(role=role))
        existing = set(connections[alias].introspection.table_names(cursor))
        for table in existing.intersection(APPEND_ONLY):
            revoke = sql.SQL("REVOKE UPDATE, DELETE ON {} FROM {}")
            cursor.execute(revoke.format(sql.Identifier(table), role))
