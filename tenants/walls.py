"""The migration operation that builds the second wall: row-level security, and references that stay at home."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db.migrations.operations.base import Operation

from tenants.register import POLICIES, Policy, Tie, Wall, ties_of


class BuildWalls(Operation):
    """For the named models of the migration's app, or of the library `of`.

    References are tied first, because a wall would hide what is wrong with them. Rows that point into another
    university make it fail with the name of the reference.
    """

    reversible = True

    def __init__(self, walls: Mapping[str, str], of: str = "") -> None:
        self.walls, self.of = dict(walls), of

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Models do not change."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        models = self._models(to_state, app_label)
        ties = [tie for model, _wall in models for tie in ties_of(model)]
        with _seen_by_its_owner(schema_editor, {tie.target for tie in ties}):
            for tie in ties:
                schema_editor.execute(unique_key(tie.target))
                schema_editor.execute(add_tie(tie))
        for model, wall in models:
            for statement in build(model._meta.db_table, wall):
                schema_editor.execute(statement)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        models = self._models(from_state, app_label)
        for model, wall in models:
            for statement in _tear_down(model._meta.db_table, wall):
                schema_editor.execute(statement)
            for tie in ties_of(model):
                schema_editor.execute(f'ALTER TABLE "{tie.table}" DROP CONSTRAINT "{tie.name}"')
        for model, _wall in models:
            schema_editor.execute(f'DROP INDEX IF EXISTS "{_key_name(model._meta.db_table)}"')

    def _models(self, state: Any, app_label: str) -> list[tuple[Any, Wall]]:
        label = self.of or app_label
        return [(state.apps.get_model(label, name), Wall(wall)) for name, wall in self.walls.items()]

    def describe(self) -> str:
        return f"Build the walls of {', '.join(self.walls)}"


@contextmanager
def _seen_by_its_owner(schema_editor: Any, tables: set[str]) -> Iterator[None]:
    """PostgreSQL looks for what rows point at as the owner, who sees nothing of what stands behind a wall already."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relforcerowsecurity AND relname = ANY(%s)", [sorted(tables)])
        forced = [table for (table,) in cursor.fetchall()]
    for table in forced:
        schema_editor.execute(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY')
    yield
    for table in forced:
        schema_editor.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')


def build(table: str, wall: Wall) -> list[str]:
    """FORCE because the owner of a table passes its policies otherwise."""
    return [
        f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
        f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
        *(create_policy(table, policy) for policy in POLICIES[wall]),
    ]


def create_policy(table: str, policy: Policy) -> str:
    using = f" USING ({policy.using})" if policy.using else ""
    check = f" WITH CHECK ({policy.check})" if policy.check else ""
    return f'CREATE POLICY "{policy.name}" ON "{table}" FOR {policy.command}{using}{check}'


def add_tie(tie: Tie) -> str:
    """Deferred like Django's own references, so that rows may come and go in any order within a transaction."""
    return (
        f'ALTER TABLE "{tie.table}" ADD CONSTRAINT "{tie.name}" FOREIGN KEY (university_id, "{tie.column}")'
        f' REFERENCES "{tie.target}" (university_id, id) DEFERRABLE INITIALLY DEFERRED'
    )


def unique_key(table: str) -> str:
    """What a tie points at."""
    return f'CREATE UNIQUE INDEX IF NOT EXISTS "{_key_name(table)}" ON "{table}" (university_id, id)'


def _key_name(table: str) -> str:
    return f"{table}_at_university"


def _tear_down(table: str, wall: Wall) -> list[str]:
    return [
        *(f'DROP POLICY "{policy.name}" ON "{table}"' for policy in POLICIES[wall]),
        f'DROP POLICY IF EXISTS platform ON "{table}"',
        f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY',
        f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY',
    ]
