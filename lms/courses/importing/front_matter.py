"""Markdown files with YAML front matter, and typed access to what stands in it.

Every scalar stays the text that the author wrote until a field asks for a number: `text: No`, `1.50` and `010` are
answers to a question, not a truth value and two other numbers.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import yaml
from frontmatter.default_handlers import YAMLHandler

from lms.courses.importing.errors import BrokenSource
from lms.courses.importing.folder import SourceFolder


class _Mapping(dict[str, Any]):
    """A mapping that remembers the zero-based line of each key."""

    lines: dict[str, int]


class _Loader(yaml.BaseLoader):
    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            # A few nested aliases unfold to gigabytes.
            event = self.get_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases are not supported", problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        mapping = _Mapping()
        mapping.lines = {}
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str) or key in mapping:
                raise yaml.MarkedYAMLError(problem=f"the key {key!r} stands twice", problem_mark=key_node.start_mark)
            mapping[key] = self.construct_object(value_node, deep=True)
            mapping.lines[key] = key_node.start_mark.line
        return mapping  # type: ignore[return-value]


class Fields:
    """The values of one mapping; each wrong one is refused with the file and line, as is one that nobody asked for."""

    def __init__(self, values: _Mapping, *, file: str, first_line: int) -> None:
        self._values = values
        self._asked: set[str] = set()
        self._first_line = first_line
        self.file = file

    def refuse(self, name: str, problem: str) -> BrokenSource:
        line = self._values.lines.get(name)
        at = line if line is not None else min(self._values.lines.values(), default=0)
        return BrokenSource(f"{name}: {problem}", file=self.file, line=at + self._first_line)

    def __contains__(self, name: str) -> bool:
        return bool(self._values.get(name))

    def raw(self, name: str) -> Any:
        self._asked.add(name)
        return self._values.get(name)

    def text(self, name: str, default: str | None = None) -> str:
        value = self.raw(name)
        if value in (None, "") and default is not None:
            return default
        if value in (None, ""):
            raise self.refuse(name, "is missing.")
        if not isinstance(value, str):
            raise self.refuse(name, "must be text.")
        return value.strip()

    def choice(self, name: str, allowed: Iterable[str], default: str | None = None) -> str:
        value = self.text(name, default)
        if value not in allowed:
            raise self.refuse(name, f"{value!r} is not one of {', '.join(allowed)}.")
        return value

    def texts(self, name: str) -> list[str]:
        """A list of texts without blank ones; a single text stands for a list of one."""
        value = self.raw(name) or []
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
            raise self.refuse(name, "must be a list of texts.")
        return [one.strip() for one in values if one.strip()]

    def number(self, name: str) -> float:
        text = self.text(name)
        try:
            number = float(text)
        except ValueError:
            raise self.refuse(name, f"{text!r} is not a number.") from None
        if number != number or number in (float("inf"), float("-inf")):
            raise self.refuse(name, f"{text!r} is not a number.")
        return int(number) if number.is_integer() and abs(number) < 2**53 else number

    def whole_number(self, name: str, default: int) -> int:
        number = self.number(name) if name in self else default
        if not isinstance(number, int):
            raise self.refuse(name, "must be a whole number.")
        return number

    def flag(self, name: str) -> bool:
        return self.choice(name, ("true", "false", "yes", "no"), "false") in ("true", "yes")

    def rows(self, name: str) -> list["Fields"]:
        value = self.raw(name) or []
        if not isinstance(value, list) or not all(isinstance(row, _Mapping) for row in value):
            raise self.refuse(name, "must be a list of entries with named fields.")
        return [Fields(row, file=self.file, first_line=self._first_line) for row in value]

    def finish(self) -> None:
        """Refuse what no reader asked for, which is most often a slip of the pen in a name."""
        for name in self._values:
            if name not in self._asked:
                raise self.refuse(name, "is not known here.")


@dataclass(frozen=True)
class Document:
    fields: Fields
    body: str


def read_document(folder: SourceFolder, path: str) -> Document:
    text = folder.read_text(path)
    handler = YAMLHandler()
    if not text.startswith("---"):
        raise BrokenSource("does not begin with front matter between two lines of ---.", file=path, line=1)
    try:
        front, body = handler.split(text)
    except ValueError:
        raise BrokenSource("its front matter has no closing line of ---.", file=path, line=1) from None
    # One-based, of the first line of the front matter.
    first_line = text.count("\n", 0, text.index(front, 3)) + 1
    return Document(Fields(_load(front, path, first_line), file=path, first_line=first_line), body.strip("\n"))


def _load(front: str, path: str, first_line: int) -> _Mapping:
    try:
        values = yaml.load(front, Loader=_Loader)  # noqa: S506 # it makes texts, lists and mappings alone
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + first_line if mark else None
        raise BrokenSource(f"its front matter cannot be read ({error.problem}).", file=path, line=line) from None
    except (yaml.YAMLError, RecursionError, ValueError):
        raise BrokenSource("its front matter cannot be read.", file=path, line=first_line) from None
    if not isinstance(values, _Mapping):
        raise BrokenSource("its front matter is not a list of named fields.", file=path, line=first_line)
    return values
