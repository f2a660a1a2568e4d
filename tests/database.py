"""The suite's database: made and migrated by the owner, used as the application's role, as in production.

See `tests.postgresql` for who is who within one test.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from psycopg import sql

from lms.embedded_postgres import APPLICATION, OWNER, PLATFORM, Cluster

_PREFIX = "test_colloquy_"
# Has no rights of its own, and may take those of the two roles by turns.
_LOGIN = "colloquy_test"


@contextmanager
def migrated_database() -> Iterator[str]:
    """One database for this process, so that parallel workers and parallel runs never share one."""
    name = f"{_PREFIX}{os.getpid()}"
    # Held to the end, so that another run that ends meanwhile sees that the server is in use.
    with _superuser() as superuser:
        _drop_leftovers(superuser)
        _create(superuser, name)
        _create_login(superuser)
        for alias in ("default", "owner"):
            connections[alias].close()
            del connections[alias]
            connections.settings[alias]["NAME"] = name
        connections.settings["default"] |= {"ENGINE": "tests.postgresql", "USER": _LOGIN}
        settings.PLATFORM_DATABASE = "default"
        call_command("migrate", verbosity=0)
        _let_the_suite_truncate()
        yield name
        for alias in ("default", "owner"):
            connections[alias].close()
        _drop(superuser, name)


def _cluster() -> Cluster:
    return Cluster(Path(os.environ["EMBEDDED_POSTGRES_DIR"]), durable=False)


def superuser_of(database: str) -> psycopg.Connection:
    """A session of the superuser's in one database, in which every statement is done at once."""
    return psycopg.connect(_cluster().url("postgres", database), autocommit=True)


def login_of_application(database: str) -> psycopg.Connection:
    """A session of the application's own login, which may become nobody else."""
    return psycopg.connect(_cluster().url(APPLICATION, database), autocommit=True)


def _superuser() -> psycopg.Connection:
    """Makes and drops databases: only a superuser may end the sessions that still hang on one."""
    return superuser_of("postgres")


def _create(superuser: psycopg.Connection, name: str) -> None:
    statement = sql.SQL("CREATE DATABASE {} OWNER {}")
    superuser.execute(statement.format(sql.Identifier(name), sql.Identifier(OWNER)))


def _create_login(superuser: psycopg.Connection) -> None:
    if superuser.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [_LOGIN]).fetchone():
        return
    names = {"login": sql.Identifier(_LOGIN), "password": sql.Literal(_cluster().password)}
    roles = sql.SQL(", ").join(map(sql.Identifier, (APPLICATION, PLATFORM)))
    superuser.execute(sql.SQL("CREATE ROLE {login} LOGIN NOINHERIT PASSWORD {password}").format(**names))
    superuser.execute(sql.SQL("GRANT {roles} TO {login}").format(roles=roles, **names))


def _let_the_suite_truncate() -> None:
    """TransactionTestCase empties tables by TRUNCATE, which neither role may do anywhere else."""
    role = sql.Identifier(PLATFORM)
    with connections["owner"].cursor() as cursor:
        cursor.execute(sql.SQL("GRANT TRUNCATE ON ALL TABLES IN SCHEMA public TO {}").format(role))


def _drop_leftovers(superuser: psycopg.Connection) -> None:
    """Databases of runs that were killed: their name has the number of a process that is gone."""
    rows = superuser.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{_PREFIX}%"]).fetchall()
    for (name,) in rows:
        try:
            os.kill(int(name.removeprefix(_PREFIX).partition("_")[0]), 0)
        except ProcessLookupError:
            _drop(superuser, name)


def _drop(superuser: psycopg.Connection, name: str) -> None:
    superuser.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def stop_cluster_when_unused() -> None:
    cluster = _cluster()
    if not cluster.is_ready():
        return
    with _superuser() as connection:
        others = (
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        (in_use,) = connection.execute(others).fetchone()
    if not in_use:
        cluster.stop()


@contextmanager
def empty_database(suffix: str) -> Iterator[dict[str, str]]:
    """Another database in the suite's cluster, as the settings of a process of its own."""
    cluster, name = _cluster(), f"{_PREFIX}{os.getpid()}_{suffix}"
    with _superuser() as superuser:
        _create(superuser, name)
        try:
            yield cluster.urls(name)
        finally:
            _drop(superuser, name)
