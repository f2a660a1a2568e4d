"""What a tree's numbers should be, told from the parents. No database."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Place(NamedTuple):
    """A module's place as stored: django-mptt's numbers, and the zero-based place among its siblings."""

    id: int
    parent_id: int | None
    sequence_index: int
    lft: int
    rght: int
    level: int
    tree_id: int


@dataclass(frozen=True)
class TreeProblem:
    found: Place
    expected: Place

    def __str__(self) -> str:
        wrong = [
            f"{name} is {getattr(self.found, name)}, should be {getattr(self.expected, name)}"
            for name in Place._fields
            if getattr(self.found, name) != getattr(self.expected, name)
        ]
        return f"module {self.found.id}: {'; '.join(wrong)}"


def tree_problems(rows: Sequence[Place], tree_id: int) -> list[TreeProblem]:
    """The modules of one course that do not stand as their parents say, in the tree's order. `tree_id` is the course's.

    Parents are believed. The order of siblings is the tree's own where the tree is whole, and `sequence_index` where it
    is broken. What hangs on nothing (a parent of another course, a circle) belongs under the root, at the end.
    """
    if not rows:
        return []
    by_tree = _expected(rows, tree_id, key=lambda row: (row.lft, row.id))
    if any(found._replace(sequence_index=0) != place._replace(sequence_index=0) for found, place in by_tree):
        by_tree = _expected(rows, tree_id, key=lambda row: (row.sequence_index, row.lft, row.id))
    return [TreeProblem(found, place) for found, place in by_tree if found != place]


def _expected(
    rows: Sequence[Place], tree_id: int, key: Callable[[Place], tuple[int, ...]]
) -> list[tuple[Place, Place]]:
    """Each module as found and as it should be, in the tree's order, with siblings ordered by `key`."""
    ordered = sorted(rows, key=key)
    root = next((row for row in ordered if row.parent_id is None), ordered[0])
    parents = _sound_parents(ordered, root.id)
    children: dict[int, list[int]] = defaultdict(list)
    index: dict[int, int] = {root.id: 0}
    for row in ordered:
        if row.id != root.id:
            siblings = children[parents[row.id]]
            index[row.id] = len(siblings)
            siblings.append(row.id)
    found = {row.id: row for row in rows}
    return [
        (found[id], Place(id, parents.get(id), index[id], lft, rght, level, tree_id))
        for id, (lft, rght, level) in sorted(_numbers(children, root.id).items(), key=lambda pair: pair[1])
    ]


def _sound_parents(rows: Sequence[Place], root_id: int) -> dict[int, int]:
    """Parent by module, the root left out; every way up leads to the root."""
    known = {row.id for row in rows}
    parents = {
        row.id: row.parent_id if row.parent_id in known and row.parent_id is not None else root_id
        for row in rows
        if row.id != root_id
    }
    for start in parents:
        seen: set[int] = set()
        node = start
        while node != root_id and node not in seen:
            seen.add(node)
            node = parents[node]
        if node != root_id:
            parents[node] = root_id
    return parents


def _numbers(children: dict[int, list[int]], root_id: int) -> dict[int, tuple[int, int, int]]:
    """Left, right and level by module; without recursion, since a broken tree may be as deep as it is large."""
    numbers: dict[int, tuple[int, int, int]] = {}
    entered: dict[int, int] = {}
    ahead = [(root_id, 0)]
    for count in range(1, 2 * (1 + sum(map(len, children.values()))) + 1):
        node, level = ahead[-1]
        if node in entered:
            numbers[node] = (entered[node], count, level)
            ahead.pop()
        else:
            entered[node] = count
            ahead += [(child, level + 1) for child in reversed(children[node])]
    return numbers
