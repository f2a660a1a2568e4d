"""What the API takes has no room for fields that it does not know, at any depth."""

import json
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from pydantic import BaseModel

from lms.api import api
from tenants.tokens import start_family
from tests.security.matrix.cast import make_cast
from tests.security.matrix.cells import BODIES, cells_of
from tests.security.matrix.ways import Way, all_ways
from tests.world import PASSWORD

UNKNOWN = "is_platform_admin"
# The places where a caller chooses the names: ids of questions, and settings of a prompt that are kept as they come.
FREE = {"AnswersIn.answers", "PromptIn.config", "VersionIn.config"}

_NEW = {"email": "nora@north.example", "password": PASSWORD, "full_name": "Nora Nordin"}
_SAY = [{"role": "user", "content": "Say."}]
# Beyond those of the matrix: bodies that it has none of, and those that hold others.
MORE: dict[str, list[dict[str, Any]]] = {
    "POST /api/v1/auth/register": [_NEW],
    "POST /api/v1/auth/register-with-onboarding": [_NEW | {"profile": {"grade": "2"}}],
    "POST /api/v1/auth/logout": [{"refresh_token": "none"}],
    "PATCH /api/v1/users/me": [{"profile": {"grade": "2"}}],
    "POST /api/v1/users/me/password": [{"current_password": PASSWORD, "new_password": "another horse battery"}],
    "POST /api/v1/prompts": [{"name": "another/prompt", "type": "chat", "body": _SAY}],
    "POST /api/v1/prompts/versions/<name>": [{"body": _SAY}],
}


def bodies() -> Iterator[tuple[str, type[BaseModel]]]:
    """Each operation's address and each model of its body."""
    for prefix, router in api._routers:
        for path, view in router.path_operations.items():
            for operation in view.operations:
                for model in operation.models:
                    if model.__ninja_param_source__ == "body":
                        for field in model.model_fields.values():
                            yield from ((f"{prefix}{path}", found) for found in models_in(field.annotation))


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Those that a value of this type may hold, at any depth."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models_in(field.annotation)
    for part in get_args(annotation):
        yield from models_in(part)


def test_every_model_of_every_body_forbids_what_it_does_not_know() -> None:
    models = {model for _path, model in bodies()}
    assert {model.__name__ for model in models} >= {"LoginIn", "ProfileIn", "PromptMessageIn", "MessageIn", "EnrollIn"}
    assert [model.__name__ for model in models if model.model_config.get("extra") != "forbid"] == []


def test_free_names_are_taken_in_known_places_alone() -> None:
    fields = [(model, name, field) for _path, model in bodies() for name, field in model.model_fields.items()]
    free = {f"{model.__name__}.{name}" for model, name, field in fields if "dict[" in str(field.annotation).lower()}
    assert free == FREE
    assert [f"{model.__name__}.{name}" for model, name, field in fields if field.annotation is Any] == []


def with_unknown(body: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """The body with one more field in one of its objects: each in turn, and where."""
    if isinstance(body, dict):
        yield (*at, UNKNOWN), body | {UNKNOWN: True}
    for name, part in body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ():
        if name in ("answers", "config"):
            continue
        for where, changed in with_unknown(part, (*at, name)):
            copy = body.copy()
            copy[name] = changed
            yield where, copy


def writes() -> list[Way]:
    """The operations that take a body."""
    taking = {f"/api/v1{path}" for path, _model in bodies()}
    known = {path.replace("{", "<").replace("}", ">") for path in map(_without_converters, taking)}
    return [way for way in all_ways() if f"/{way.route}" in known and way.method in ("POST", "PUT", "PATCH")]


def _without_converters(path: str) -> str:
    for converter in ("int:", "uuid:", "slug:", "path:"):
        path = path.replace(f"{{{converter}", "{")
    return path


def everything() -> str:
    """A digest of all rows of all tables."""
    tables = sorted(model._meta.db_table for model in apps.get_models())
    each = " UNION ALL ".join(
        f"SELECT '{table}', md5(string_agg(row::text, '|' ORDER BY row::text)) FROM {table} AS row" for table in tables
    )
    with connection.cursor() as cursor:
        cursor.execute(each)
        return repr(cursor.fetchall())


@pytest.mark.django_db
def test_one_unknown_field_is_refused_by_name_and_nothing_happens() -> None:
    """Of bodies that are right but for it, wherever in them it stands."""
    cast = make_cast()
    bearer = f"Bearer {start_family(cast.people['ada']).access_token}"
    before, asked = everything(), []
    for way in writes():
        cell = next(iter(cells_of(way, cast)))
        for body in [*([cell.body] if way.name in BODIES else []), *MORE.get(way.name, [])]:
            for where, changed in with_unknown(body):
                headers = cell.headers | {"Authorization": bearer}
                answer = Client().generic(
                    way.method, cell.path, json.dumps(changed), "application/json", headers=headers
                )
                # Which of two kinds a value is of stands in the place as well.
                told = [(error["loc"][-1], error["type"]) for error in answer.json()["detail"]]
                kinds = [("str", "string_type")] if where[0] == "body" else []
                assert (way.name, answer.status_code, told) == (way.name, 422, [*kinds, (UNKNOWN, "extra_forbidden")])
                asked.append((way.name, where))
    assert everything() == before
    assert {name for name, _where in asked} == {way.name for way in writes()}
    assert [where for _name, where in asked if len(where) > 1] == [
        ("profile", UNKNOWN),
        ("body", 0, UNKNOWN),
        ("body", 0, UNKNOWN),
        ("profile", UNKNOWN),
    ]
