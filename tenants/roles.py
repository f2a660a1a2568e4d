"""What the roles of PostgreSQL may do: given anew after each migration, so that a new table is covered at once.

The owner migrates. The application's role reads and writes through the walls. The platform's role passes them, and owns
the doors.
"""

from django.conf import settings
from django.db import connections
from psycopg import sql

from tenants.doors import all_doors
from tenants.register import walled_models

# Tables that nobody may change afterwards.
APPEND_ONLY = ["tenants_auditentry"]

_GRANTS = """
GRANT USAGE ON SCHEMA public, app TO {application}, {platform};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {application}, {platform};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {application}, {platform};
REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {application}, {platform};
GRANT EXECUTE ON FUNCTION app.current_university(), app.current_person() TO {application}, {platform};
GRANT CREATE ON SCHEMA app TO {platform};
"""


def grant(alias: str) -> None:
    """Idempotent. `alias` is the owner's connection; the roles are there already."""
    roles = {
        "application": sql.Identifier(settings.APPLICATION_ROLE),
        "platform": sql.Identifier(settings.PLATFORM_ROLE),
    }
    with connections[alias].cursor() as cursor:
        existing = set(connections[alias].introspection.table_names(cursor))
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'app'")
        if cursor.fetchone() is None:
            # A migration back to before there were walls.
            return
        cursor.execute(sql.SQL(_GRANTS).format(**roles))
        for table in existing.intersection(APPEND_ONLY):
            revoke = sql.SQL("REVOKE UPDATE, DELETE ON {} FROM {application}, {platform}")
            cursor.execute(revoke.format(sql.Identifier(table), **roles))
        cursor.execute("SELECT tablename FROM pg_policies WHERE policyname = 'platform'")
        passed = {table for (table,) in cursor.fetchall()}
        walled = {model._meta.db_table for model, _wall in walled_models()}
        for table in sorted(walled & existing - passed):
            _let_the_platform_pass(cursor, table, roles["platform"])
        _install_doors(cursor, roles)


def _let_the_platform_pass(cursor: object, table: str, role: sql.Identifier) -> None:
    """By a policy and not by BYPASSRLS, which only a superuser could give."""
    names = {"table": sql.Identifier(table), "role": role}
    policy = "CREATE POLICY platform ON {table} TO {role} USING (true) WITH CHECK (true)"
    cursor.execute(sql.SQL(policy).format(**names))  # type: ignore[attr-defined]


def _install_doors(cursor: object, roles: dict[str, sql.Identifier]) -> None:
    """As the platform's role, whose they are; a door for everybody would be none."""
    statements: list[sql.Composable] = [sql.SQL("SET ROLE {platform}").format(**roles)]
    for door in all_doors():
        function = sql.SQL(door.signature)
        statements += [
            sql.SQL(door.create()),
            sql.SQL("REVOKE ALL ON FUNCTION {} FROM PUBLIC").format(function),
            sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {application}").format(function, **roles),
        ]
    for statement in [*statements, sql.SQL("RESET ROLE")]:
        cursor.execute(statement)  # type: ignore[attr-defined]
