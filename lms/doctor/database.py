"""The database: that it answers, who the application is there, and whether its tables are up to date."""

import os
from typing import Any

import psycopg
from django.conf import settings
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from lms import env
from lms.doctor.findings import Verdict, fail, ok, warn
from tenants.checks import the_walls_stand

_CONNECT_S = 5
_OLDEST = 15
_ROLE = """
SELECT rolname, rolsuper, rolbypassrls, (SELECT count(*) FROM pg_class WHERE relowner = pg_roles.oid)
FROM pg_roles WHERE rolname = session_user
"""
_FREE = """
SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
"""


def _ask(alias: str, query: str) -> tuple[Any, ...]:
    """One row, by a connection of its own: those of the pool would be waited for when there are none."""
    parameters = {**connections[alias].get_connection_params(), "connect_timeout": _CONNECT_S}
    with psycopg.connect(**parameters, autocommit=True) as server, server.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone() or ()


def database() -> Verdict:
    try:
        (version,) = _ask("default", "SHOW server_version")
    except psycopg.OperationalError as error:
        return fail(_why(error))
    is_embedded = not env.text("DATABASE_URL")
    server = f"{'The embedded' if is_embedded else 'Your own'} PostgreSQL {version.split()[0]} answers."
    if int(version.split(".")[0]) < _OLDEST:
        return fail(f"{server} It must be {_OLDEST} or newer.")
    if is_embedded and not settings.DEBUG:
        return warn(
            f"{server} It is meant for trials: set DATABASE_URL and its two companions to a server of your own."
        )
    return ok(server)


def application_role() -> Verdict:
    name, is_super, passes_rls, owned = _ask("default", _ROLE)
    faults = [
        "is a superuser" if is_super else "",
        "passes by row-level security" if passes_rls else "",
        f"owns {owned} relations" if owned else "",
    ]
    if found := [fault for fault in faults if fault]:
        return fail(f"The application's role {name} {' and '.join(found)}: give DATABASE_URL a role without rights.")
    return ok(f"{name} owns nothing and has no rights beyond its tables.")


def owner() -> Verdict:
    try:
        (name,) = _ask("owner", "SELECT current_user")
    except psycopg.OperationalError as error:
        return fail(_why(error))
    if name in (settings.APPLICATION_ROLE, settings.PLATFORM_ROLE):
        return fail(f"DATABASE_OWNER_URL names the role {name}, which one of the other two addresses names too.")
    return ok(f"{name} can sign in, to migrate.")


def platform() -> Verdict:
    try:
        (name,) = _ask(settings.PLATFORM_DATABASE, "SELECT current_user")
    except psycopg.OperationalError as error:
        return fail(_why(error))
    if settings.PLATFORM_ROLE == settings.APPLICATION_ROLE:
        return fail(f"DATABASE_URL and DATABASE_PLATFORM_URL name the same role, {name}.")
    return ok(f"{name} can sign in, to see all universities.")


def walls() -> Verdict:
    """Row-level security, tied references and doors, each as the register has it."""
    if problems := the_walls_stand(databases=["default"]):
        more = f" ({len(problems)} in all: see manage.py check --database default)" if len(problems) > 1 else ""
        return fail(f"{problems[0].msg}{more}")
    return ok("Every table of a university has its wall, and every door is known.")


def pool() -> Verdict:
    options: dict[str, Any] = settings.DATABASES["default"].get("OPTIONS", {}).get("pool") or {}
    processes = int(os.environ.get("WEB_CONCURRENCY") or 1)
    size, (free,) = processes * options.get("max_size", 0), _ask("default", _FREE)
    if not size:
        return warn("Without a pool each request opens a connection: set DATABASE_POOL_SIZE.")
    if size >= free:
        return warn(f"The pool may take {size} connections, and the server has {free}: lower DATABASE_POOL_SIZE.")
    return ok(f"At most {size} connections, of {free} that the server has.")


def migrations() -> Verdict:
    executor = MigrationExecutor(connections["default"])
    missing = [migration for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    if not missing:
        return ok("All are applied.")
    first = f"{missing[0].app_label} {missing[0].name}"
    return fail(f"{len(missing)} to apply, from {first} on: run manage.py migrate.")


def _why(error: psycopg.OperationalError) -> str:
    """The server's words, which name host and role and never the password."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"Not reached: {lines[0]}" if lines else "Not reached."
