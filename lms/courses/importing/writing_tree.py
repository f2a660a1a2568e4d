"""The module tree of a course, brought to the shape that its source has, by the one set of structural actions."""

from collections.abc import Callable
from dataclasses import dataclass, field

from lms.courses.actions.tree import create_module, move_module, update_module
from lms.courses.importing.ledger import Ledger
from lms.courses.importing.source import SourceModule
from lms.courses.models import Course, Module
from tenants.models import User


@dataclass
class WrittenTree:
    """Rows by the key of their source module; `changes` counts what was made, moved or renamed."""

    rows: dict[str, Module] = field(default_factory=dict)
    changes: int = 0


def write_tree(
    *, by: User | None, course: Course, root: SourceModule, ledger: Ledger, count: Callable[[], None]
) -> WrittenTree:
    """Modules made here stay where they are beside their neighbours; ones that the source no longer has stay too."""
    existing = {module.source_key: module for module in Module.objects.filter(course=course).exclude(source_key="")}
    writer = _TreeWriter(by, course, existing, count)
    writer.tree.rows[root.key] = Module.objects.get(course=course, parent=None)
    count()
    writer.write_children(root)
    for key, module in existing.items():
        if key not in writer.tree.rows:
            ledger.keep(key, module.type, "the source no longer has it; delete it here if it should go")
    return writer.tree


class _TreeWriter:
    def __init__(self, by: User | None, course: Course, existing: dict[str, Module], count: Callable[[], None]) -> None:
        self.by = by
        self.course = course
        self.existing = existing
        self.count = count
        self.tree = WrittenTree()

    def write_children(self, source: SourceModule) -> None:
        parent = self.tree.rows[source.key]
        order = list(Module.objects.filter(parent=parent).order_by("lft").values_list("pk", flat=True))
        previous: Module | None = None
        for child in source.modules:
            position = order.index(previous.pk) + 1 if previous else 0
            row = self.existing.get(child.key)
            if row is None:
                row = self._create(child, parent, position)
                order.insert(position, row.pk)
            else:
                row = self._update(child, row)
                # One that stands somewhere behind the previous is in order already.
                if row.pk not in order[position:]:
                    row = self._move(row, parent, previous)
                    order = [pk for pk in order if pk != row.pk]
                    order.insert(order.index(previous.pk) + 1 if previous else 0, row.pk)
            self.tree.rows[child.key] = previous = row
            self.count()
            self.write_children(child)

    def _create(self, source: SourceModule, parent: Module, position: int) -> Module:
        self.tree.changes += 1
        return create_module(
            by=self.by,
            course=self.course,
            parent=parent,
            type=source.type,
            title=source.title,
            position=position,
            available_from=source.available_from,
            source_key=source.key,
        )

    def _update(self, source: SourceModule, row: Module) -> Module:
        """A date that the source does not give is one that was set here, and stays."""
        available_from = source.available_from or row.available_from
        if (row.type, row.title, row.available_from) == (source.type, source.title, available_from):
            return row
        self.tree.changes += 1
        return update_module(
            by=self.by,
            module=row,
            type=source.type,
            title=source.title,
            available_from=available_from,
            available_until=row.available_until,
        )

    def _move(self, row: Module, parent: Module, previous: Module | None) -> Module:
        self.tree.changes += 1
        if previous is None:
            return move_module(by=self.by, module=row, target=parent, position="first-child")
        return move_module(by=self.by, module=row, target=previous, position="right")
