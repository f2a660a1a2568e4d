"""The suite's database: made and migrated by the owner, used as the application's role, as in production."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from psycopg import sql

from lms.embedded_postgres import Cluster

_PREFIX = "test_colloquy_"


@contextmanager
def migrated_database() -> Iterator[str]:
    """One database for this process, so that parallel workers and parallel runs never share one."""
    name = f"{_PREFIX}{os.getpid()}"
    with _owner_connection() as owner:
        _drop_leftovers(owner)
        owner.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    for alias in ("default", "owner"):
        connections[alias].close()
        settings.DATABASES[alias]["NAME"] = connections[alias].settings_dict["NAME"] = name
    call_command("migrate", verbosity=0)
    _let_the_suite_truncate()
    yield name
    for alias in ("default", "owner"):
        connections[alias].close()
    with _owner_connection() as owner:
        _drop(owner, name)


def _owner_connection() -> psycopg.Connection:
    database = settings.DATABASES["owner"]
    return psycopg.connect(
        host=database["HOST"],
        port=database["PORT"],
        user=database["USER"],
        password=database["PASSWORD"],
        dbname="postgres",
        autocommit=True,
    )


def _let_the_suite_truncate() -> None:
    """TransactionTestCase empties tables by TRUNCATE, which the application's role may not do anywhere else."""
    role = sql.Identifier(connections["default"].settings_dict["USER"])
    with connections["owner"].cursor() as cursor:
        cursor.execute(sql.SQL("GRANT TRUNCATE ON ALL TABLES IN SCHEMA public TO {}").format(role))


def _drop_leftovers(owner: psycopg.Connection) -> None:
    """Databases of runs that were killed: their name ends with the number of a process that is gone."""
    rows = owner.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{_PREFIX}%"]).fetchall()
    for (name,) in rows:
        try:
            os.kill(int(name.removeprefix(_PREFIX)), 0)
        except ProcessLookupError:
            _drop(owner, name)


def _drop(owner: psycopg.Connection, name: str) -> None:
    owner.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def stop_cluster_when_unused() -> None:
    cluster = Cluster(Path(os.environ["EMBEDDED_POSTGRES_DIR"]))
    if not cluster.is_ready():
        return
    with psycopg.connect(cluster.url("postgres", "postgres")) as connection:
        others = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        (in_use,) = connection.execute(others).fetchone()
    if not in_use:
        cluster.stop()
