"""The named, narrow doors in the second wall: what has to be known before a university can be entered.

Each is a function of PostgreSQL that runs as the platform's role and answers with numbers alone. Apps declare theirs in
`AppConfig.doors`; `manage.py migrate` installs them, and a system check compares them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, models

from tenants.register import has_university, walled_models


@dataclass(frozen=True)
class Door:
    """`arguments` and `returns` as in SQL; `body` is one SELECT. `why` says who goes through, and what is let out."""

    name: str
    arguments: str
    returns: str
    body: str
    why: str

    @property
    def signature(self) -> str:
        return f"app.{self.name}({self.arguments})"

    def create(self) -> str:
        """Its search path is closed, so that nobody's table can stand in for ours."""
        return (
            f"CREATE OR REPLACE FUNCTION {self.signature} RETURNS {self.returns} LANGUAGE sql STABLE SECURITY DEFINER"
            f" SET search_path = pg_catalog, public, pg_temp AS $door${self.body}$door$"
        )


def all_doors() -> Iterator[Door]:
    yield _university_of()
    for config in apps.get_app_configs():
        yield from getattr(config, "doors", [])


def ask(name: str, *arguments: Any) -> list[tuple[Any, ...]]:
    """The rows that a door answers with."""
    places = ", ".join(["%s"] * len(arguments))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM app.{name}({places})", arguments)  # noqa: S608 # `name` is one of ours
        return list(cursor.fetchall())


def university_of(model: type[models.Model], key: Any) -> int | None:
    """The number of the university whose row this is; None where there is none."""
    [(university_id,)] = ask("university_of", model._meta.db_table, str(key))
    return university_id  # type: ignore[no-any-return]


def _university_of() -> Door:
    return Door(
        name="university_of",
        arguments="kind text, key text",
        returns="bigint",
        body="SELECT CASE kind " + " ".join(_cases()) + " END",
        why="People of several universities, with an address that names a row alone. Lets out the university's number.",
    )


# Whatever is no id of the table's kind is NULL and matches nothing, instead of failing to be read.
_UUID = "CASE WHEN key ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN key::uuid END"
_NUMBER = "CASE WHEN key ~ '^[0-9]{1,18}$' THEN key::bigint END"


def _cases() -> Iterator[str]:
    models_by_table = {model._meta.db_table: model for model, _wall in walled_models() if has_university(model)}
    for table, model in sorted(models_by_table.items()):
        id = _UUID if isinstance(model._meta.pk, models.UUIDField) else _NUMBER
        yield f"WHEN '{table}' THEN (SELECT university_id FROM public.{table} WHERE id = {id})"  # noqa: S608 # names of ours
