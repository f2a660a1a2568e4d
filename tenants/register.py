"""What wall each table has. Every app declares its own models in its `AppConfig.walls`; checks compare them all."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from django.apps import apps
from django.db import models

Command = Literal["ALL", "SELECT", "INSERT", "UPDATE"]

# The sub-select lets PostgreSQL ask once for each statement instead of once for each row.
UNIVERSITY = "(SELECT app.current_university())"
PERSON = "(SELECT app.current_person())"


class Wall(StrEnum):
    """Who reads and writes a table's rows through the application's role."""

    # Those of the university that a visit has entered.
    TENANT = "tenant"
    # The same, and everywhere a person's own to read: where they belong is known before a university is entered.
    TENANT_OR_OWN = "tenant_or_own"
    # The same as TENANT, and all read the rows of no university, which only the platform writes.
    SHARED = "shared"
    # The same as TENANT, and a row of no university may be added. Only the platform reads those.
    RECORD = "record"
    # Universities themselves: all know of them, each changes its own, only the platform makes and deletes them.
    DIRECTORY = "directory"
    # No wall: what belongs to people or to everybody.
    GLOBAL = "global"
    # No wall, and nothing of any university in it: what the installation keeps for itself.
    PLATFORM = "platform"


@dataclass(frozen=True)
class Policy:
    """One policy of a table: its name, what it is for, and the condition for rows read (`using`) and written."""

    name: str
    command: Command
    using: str = ""
    check: str = ""


_OWN_ROWS = f"university_id = {UNIVERSITY}"
_TENANT = Policy("university", "ALL", _OWN_ROWS, _OWN_ROWS)
_ITSELF = f"id = {UNIVERSITY}"

POLICIES: dict[Wall, list[Policy]] = {
    Wall.TENANT: [_TENANT],
    Wall.TENANT_OR_OWN: [_TENANT, Policy("own", "SELECT", f"user_id = {PERSON}")],
    Wall.SHARED: [_TENANT, Policy("shared", "SELECT", "university_id IS NULL")],
    Wall.RECORD: [_TENANT, Policy("record", "INSERT", check="university_id IS NULL")],
    Wall.DIRECTORY: [Policy("directory", "SELECT", "true"), Policy("itself", "UPDATE", _ITSELF, _ITSELF)],
}


def registered() -> dict[str, Wall]:
    """Wall by model label, as the apps declare them."""
    found: dict[str, Wall] = {}
    for config in apps.get_app_configs():
        for name, wall in getattr(config, "walls", {}).items():
            found[(name if "." in name else f"{config.label}.{name}").lower()] = wall
    return found


def all_models() -> list[type[models.Model]]:
    """With the hidden ones of many-to-many fields."""
    return [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]


def walled_models() -> Iterator[tuple[type[models.Model], Wall]]:
    """Those whose table has policies."""
    known = registered()
    for model in all_models():
        wall = known.get(model._meta.label_lower)
        if wall in POLICIES:
            yield model, wall


@dataclass(frozen=True)
class Tie:
    """A foreign key over (university_id, column), which refuses a row that points into another university."""

    table: str
    column: str
    target: str

    @property
    def name(self) -> str:
        return f"{self.table}_{self.column}_at_home"[:63]


def ties_of(model: type[models.Model]) -> list[Tie]:
    """Of a model with a university: one for each reference to another such model."""
    if not has_university(model):
        return []
    return [
        Tie(model._meta.db_table, field.column, field.related_model._meta.db_table)
        for field in model._meta.local_concrete_fields
        if isinstance(field, models.ForeignKey) and _is_kept(field) and has_university(field.related_model)
    ]


def _is_kept(reference: Any) -> bool:
    """By the database. An entry of the audit log outlives what it names."""
    return bool(reference.db_constraint)


def has_university(model: type[models.Model]) -> bool:
    return any(field.column == "university_id" for field in model._meta.local_concrete_fields)
