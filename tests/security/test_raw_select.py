"""Straight SQL with the application's own login: what every table of a university shows, whatever the code forgets."""

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection

from tenants.register import POLICIES, Wall, has_university, registered, walled_models
from tests.database import login_of_application
from tests.security.matrix.cast import Cast, make_cast

pytestmark = pytest.mark.django_db(transaction=True)

TABLES = {model._meta.db_table: wall for model, wall in walled_models() if has_university(model)}
# Read outside a university too: the platform's prompts, by all.
SHARED = {table for table, wall in TABLES.items() if wall == Wall.SHARED}


@pytest.fixture
def cast() -> Cast:
    """A row of each university in every table, committed."""
    return make_cast()


@pytest.fixture
def application(cast: Cast) -> Iterator[psycopg.Connection]:
    with login_of_application(connection.settings_dict["NAME"]) as session:
        yield session


def universities_in(session: psycopg.Connection, table: str) -> set[int | None]:
    return {row[0] for row in session.execute(f"SELECT university_id FROM {table}")}


def test_every_table_of_a_university_is_looked_at(cast: Cast) -> None:
    """Else an empty table would prove nothing."""
    both = {cast.north.university.pk, cast.south.university.pk}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT DISTINCT university_id FROM {table} WHERE university_id IS NOT NULL")
            assert (table, {row[0] for row in cursor.fetchall()}) == (table, both)
    assert sum(wall in POLICIES for wall in registered().values()) == len(TABLES) + 2


def test_outside_a_university_there_are_no_rows(application: psycopg.Connection) -> None:
    found = {table: universities_in(application, table) for table in TABLES}
    assert found == {table: {None} if table in SHARED else set() for table in TABLES}


@pytest.mark.parametrize("slug", ["north", "south"])
def test_inside_one_there_are_only_its_own(application: psycopg.Connection, cast: Cast, slug: str) -> None:
    home = {"north": cast.north, "south": cast.south}[slug].university.pk
    with application.transaction():
        application.execute("SELECT set_config('app.university', %s, true)", [str(home)])
        found = {table: universities_in(application, table) - {None} for table in TABLES}
    assert found == {table: {home} for table in TABLES}
    # Over with the transaction.
    assert universities_in(application, "tutoring_message") == set()
