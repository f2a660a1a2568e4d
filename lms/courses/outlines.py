"""A course's tree as pages show it: units, and in each unit a flat list of headings and items. No database."""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypedDict


class Entry(NamedTuple):
    """One item of the tree in its order, with its module; the item is None in a module that has none.

    `is_closed` says that the module's own times close it now; what is below it is closed with it.
    """

    module_id: int
    level: int
    lft: int
    rght: int
    title: str
    is_closed: bool
    item_id: int | None
    item_title: str


class Row(TypedDict):
    """As courses/_outline.html wants it: a heading (`is_group`), or an item."""

    is_group: bool
    title: str
    url: str
    state: Literal["open", "done", "locked"]
    is_current: bool


@dataclass(slots=True)
class Unit:
    """A module below the root (or the root with items of its own). Without rows it is one link to `url`."""

    title: str
    url: str = ""
    done: int = 0
    total: int = 0
    is_open: bool = False
    rows: list[Row] = field(default_factory=list)


class Link(TypedDict):
    title: str
    url: str


@dataclass(slots=True)
class Tree:
    """`path` has the titles of the modules above the current item, without the root's."""

    units: list[Unit]
    done: int
    total: int
    path: list[str]
    previous: Link | None
    next: Link | None


def build_tree(
    entries: Iterable[Entry],
    *,
    done: Container[int | None] = (),
    item_url: str = "",
    current_item: int | None = None,
    opens_closed: bool = False,
) -> Tree:
    """Units that have items, in order. `done` are ids of items; `item_url` begins their addresses, empty for no links.

    With a current item only its unit has rows, so that a page costs the same in a small and in a large course.
    """
    builder = _Builder(done, item_url, current_item)
    timed = _without_times(entries) if opens_closed else _with_times_from_above(entries)
    units = [builder.unit(chunk) for chunk in _by_unit(timed)]
    previous, following = builder.neighbours()
    return Tree(
        units=[unit for unit in units if unit.total],
        done=sum(unit.done for unit in units),
        total=sum(unit.total for unit in units),
        path=builder.path,
        previous=previous,
        next=following,
    )


def _without_times(entries: Iterable[Entry]) -> Iterator[Entry]:
    return (entry._replace(is_closed=False) if entry.is_closed else entry for entry in entries)


def _with_times_from_above(entries: Iterable[Entry]) -> Iterator[Entry]:
    closed_to = 0
    for entry in entries:
        if entry.is_closed:
            closed_to = max(closed_to, entry.rght)
        yield entry._replace(is_closed=True) if entry.lft < closed_to else entry


def _by_unit(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    chunk: list[Entry] = []
    for entry in entries:
        if entry.level <= 1 and chunk and entry.module_id != chunk[0].module_id:
            yield chunk
            chunk = []
        chunk.append(entry)
    if chunk:
        yield chunk


class _Builder:
    """Units one after another; what lies beside the current item is known when all have been seen."""

    def __init__(self, done: Container[int | None], item_url: str, current_item: int | None) -> None:
        self._done = done
        self._item_url = item_url
        self._current = current_item
        self._ways: list[Entry] = []
        self.path: list[str] = []

    def unit(self, chunk: list[Entry]) -> Unit:
        items = [entry for entry in chunk if entry.item_id is not None]
        ways = [entry for entry in items if not entry.is_closed]
        self._ways += ways
        unit = Unit(chunk[0].title, done=sum(entry.item_id in self._done for entry in items), total=len(items))
        unit.is_open = self._current is not None and any(entry.item_id == self._current for entry in items)
        if unit.is_open:
            self._look_up(chunk)
        if unit.is_open or self._current is None or not ways:
            unit.rows = list(self._rows(chunk))
        else:
            unit.url = self._url(next((entry for entry in ways if entry.item_id not in self._done), ways[0]))
        return unit

    def neighbours(self) -> tuple[Link | None, Link | None]:
        """The items before and after the current one, without those that are closed."""
        ids = [entry.item_id for entry in self._ways]
        if self._current not in ids:
            return None, None
        at = ids.index(self._current)
        before = self._ways[at - 1] if at else None
        after = self._ways[at + 1] if at + 1 < len(ids) else None
        return before and self._link(before), after and self._link(after)

    def _look_up(self, chunk: list[Entry]) -> None:
        titles: dict[int, str] = {}
        for entry in chunk:
            titles[entry.level] = entry.title
            if entry.item_id == self._current:
                self.path = [titles[level] for level in sorted(titles) if 0 < level <= entry.level]
                return

    def _rows(self, chunk: list[Entry]) -> Iterator[Row]:
        """Headings come with their first item, so that empty modules leave none."""
        headings: list[Entry] = []
        needs_headings = _needs_headings(chunk)
        module_id = chunk[0].module_id
        for entry in chunk:
            if entry.module_id != module_id:
                module_id = entry.module_id
                headings = [above for above in headings if above.level < entry.level] + [entry]
            if entry.item_id is None:
                continue
            if needs_headings:
                yield from map(_heading, headings)
            headings = []
            yield self._row(entry)

    def _row(self, entry: Entry) -> Row:
        return Row(
            is_group=False,
            title=entry.item_title,
            url="" if entry.is_closed else self._url(entry),
            state="locked" if entry.is_closed else "done" if entry.item_id in self._done else "open",
            is_current=entry.item_id == self._current,
        )

    def _link(self, entry: Entry) -> Link:
        return Link(title=entry.item_title, url=self._url(entry))

    def _url(self, entry: Entry) -> str:
        return f"{self._item_url}{entry.item_id}/" if self._item_url else ""


def _heading(entry: Entry) -> Row:
    return Row(is_group=True, title=entry.title, url="", state="open", is_current=False)


def _needs_headings(chunk: list[Entry]) -> bool:
    """Not where each module has one item of its own name: the heading would only say it twice."""
    items = [entry for entry in chunk if entry.item_id is not None]
    return len({entry.module_id for entry in items}) < len(items) or any(
        entry.title != entry.item_title for entry in items
    )
