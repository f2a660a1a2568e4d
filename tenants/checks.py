"""System checks of the second wall. A server that finds a problem here does not start.

What the catalogues of PostgreSQL say is compared with the register: the role, the tables, their policies, the
references between them and the doors. Django checks a database where it is named: `manage.py check --database default`.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DEFAULT_DB_ALIAS, connections

from tenants.doors import all_doors
from tenants.register import POLICIES, Tie, all_models, registered, ties_of, walled_models
from tenants.visits import visit

Rows = list[tuple[Any, ...]]


@register()
def every_model_is_registered(app_configs: Any = None, **options: Any) -> list[CheckMessage]:
    known, models = registered(), {model._meta.label_lower for model in all_models()}
    missing = [
        Error(f"The model {label} has no wall.", hint=_REGISTER, id="tenants.E001") for label in models - {*known}
    ]
    gone = [
        Error(f"{label} has a wall and is no model.", hint=_REGISTER, id="tenants.E001") for label in {*known} - models
    ]
    return sorted([*missing, *gone], key=lambda error: error.msg)


_REGISTER = "Name it in the `walls` of its app's AppConfig."


@register(Tags.database)
def the_walls_stand(
    app_configs: Any = None, databases: Sequence[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """As the application's role sees them."""
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    with visit():
        return [Error(sentence, id=f"tenants.{id}") for id, problems in _PROBLEMS.items() for sentence in problems()]


def _role() -> Iterator[str]:
    """Whoever passes the walls, or could take them down, is not fit for the application."""
    [(name, is_superuser, passes)] = _rows(
        "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
    )
    if is_superuser:
        yield f"The application's role {name} is a superuser, whom no wall stops."
        return
    if name == settings.PLATFORM_ROLE:
        yield f"The application's role {name} is the platform's, whom the policies let pass."
    if passes:
        yield f"The application's role {name} has BYPASSRLS."
    owned = _rows(
        "SELECT relname FROM pg_class WHERE pg_get_userbyid(relowner) = current_user AND relkind = 'r' LIMIT 1"
    )
    if owned:
        yield f"The application's role {name} owns tables, such as {owned[0][0]}, and could take their walls down."
    for (other,) in _rows(
        "SELECT rolname FROM pg_roles WHERE rolname <> current_user AND pg_has_role(current_user, oid, 'MEMBER')"
        " AND (rolsuper OR rolbypassrls OR rolname = %s OR oid IN (SELECT relowner FROM pg_class WHERE relkind = 'r'"
        " AND relnamespace = 'public'::regnamespace)) ORDER BY rolname",
        settings.PLATFORM_ROLE,
    ):
        yield f"The application's role {name} may become {other}, whom no wall stops."


def _tables() -> Iterator[str]:
    standing = {
        table: (is_on, is_forced)
        for table, is_on, is_forced in _rows(
            "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        )
    }
    walled = {model._meta.db_table for model, _wall in walled_models()}
    for table in sorted(walled & standing.keys()):
        if standing[table] != (True, True):
            yield f"The table {table} has no row-level security with FORCE."
    unknown = _rows(
        "SELECT table_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND column_name = 'university_id'"
    )
    for (table,) in sorted(unknown):
        if table not in walled:
            yield f"The table {table} has a university_id and no wall."


def _policies() -> Iterator[str]:
    found = {
        (table, name): tuple(rest)
        for table, name, *rest in _rows(
            "SELECT tablename, policyname, permissive, roles::text[], cmd, qual, with_check FROM pg_policies"
            " WHERE schemaname = 'public'"
        )
    }
    wanted = dict(_wanted_policies())
    for table, name in sorted(wanted.keys() - found.keys()):
        yield f"The table {table} lacks its policy {name}."
    for table, name in sorted(found.keys() - wanted.keys()):
        yield f"The table {table} has a policy {name} that nobody generated."
    for key in sorted(wanted.keys() & found.keys()):
        if found[key] != wanted[key]:
            yield f"The policy {key[1]} of the table {key[0]} differs from the generated one."


def _wanted_policies() -> Iterator[tuple[tuple[str, str], tuple[Any, ...]]]:
    for model, wall in walled_models():
        table = model._meta.db_table
        yield (table, "platform"), ("PERMISSIVE", [settings.PLATFORM_ROLE], "ALL", "true", "true")
        for policy in POLICIES[wall]:
            conditions = _as_shown(policy.using), _as_shown(policy.check)
            yield (table, policy.name), ("PERMISSIVE", ["public"], policy.command, *conditions)


def _as_shown(condition: str) -> str | None:
    """As PostgreSQL writes a condition that it has read."""
    if condition in ("", "true"):
        return condition or None
    for name in ("current_university", "current_person"):
        condition = condition.replace(f"(SELECT app.{name}())", f"( SELECT app.{name}() AS {name})")
    return f"({condition})"


def _references() -> Iterator[str]:
    found: dict[str, str] = dict(
        _rows("SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' AND convalidated")
    )
    for model, _wall in walled_models():
        for tie in ties_of(model):
            if found.get(tie.name) != _definition(tie):
                yield f"The reference {tie.table}.{tie.column} may point into another university."


def _definition(tie: Tie) -> str:
    return (
        f"FOREIGN KEY (university_id, {tie.column}) REFERENCES {tie.target}(university_id, id)"
        " DEFERRABLE INITIALLY DEFERRED"
    )


def _doors() -> Iterator[str]:
    """Every function that runs with the rights of another role, wherever it is, is one of ours as we wrote it."""
    found = {
        f"{schema}.{name}": tuple(rest)
        for schema, name, *rest in _rows(
            "SELECT nspname, proname, prosrc, pg_get_userbyid(proowner),"
            " has_function_privilege(pg_proc.oid, 'EXECUTE'),"
            " EXISTS(SELECT 1 FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE grantee = 0)"
            " FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace"
            " WHERE prosecdef AND nspname NOT IN ('pg_catalog', 'information_schema')"
        )
    }
    wanted = {f"app.{door.name}": (door.body, settings.PLATFORM_ROLE, True, False) for door in all_doors()}
    for name in sorted(wanted.keys() - found.keys()):
        yield f"The door {name} is not there."
    for name in sorted(found.keys() - wanted.keys()):
        yield f"The function {name} passes the walls and is no door that is known."
    for name in sorted(wanted.keys() & found.keys()):
        if found[name] != wanted[name]:
            yield f"The door {name} differs from what is installed."


_PROBLEMS: dict[str, Callable[[], Iterator[str]]] = {
    "E002": _role,
    "E003": _tables,
    "E004": _policies,
    "E005": _references,
    "E006": _doors,
}


def _rows(query: str, *values: Any) -> Rows:
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(query, values or None)
        return list(cursor.fetchall())
