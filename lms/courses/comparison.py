"""Two texts side by side, for people who must choose between them. No database."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, Literal, NamedTuple

from lms.courses.schema_order import ordered_properties

# Equal lines shown before and after a difference.
_CONTEXT = 2
# Longer lines are marked as a whole: comparing them word by word costs the square of their length.
_MAX_WORDS = 1000


class Span(NamedTuple):
    text: str
    is_different: bool


class Row(NamedTuple):
    """One line of each text; for a gap, `equal_lines` says how many are left out."""

    kind: Literal["same", "different", "gap"]
    left: Sequence[Span] | None = None
    right: Sequence[Span] | None = None
    equal_lines: int = 0


def side_by_side(left: str, right: str) -> list[Row]:
    """Line by line, with the words that differ marked; a side without a counterpart is None."""
    lines, others = left.splitlines(), right.splitlines()
    rows: list[Row] = []
    for operation, start, end, other_start, other_end in SequenceMatcher(None, lines, others).get_opcodes():
        if operation == "equal":
            is_last = end == len(lines) and other_end == len(others)
            rows += _equal(lines[start:end], is_first=start == other_start == 0, is_last=is_last)
        else:
            rows += _different(lines[start:end], others[other_start:other_end])
    return rows


def _equal(lines: Sequence[str], *, is_first: bool, is_last: bool) -> list[Row]:
    before, after = 0 if is_first else _CONTEXT, 0 if is_last else _CONTEXT
    shown = [Row("same", [Span(line, False)], [Span(line, False)]) for line in lines]
    left_out = len(lines) - before - after
    if left_out < 2:
        return shown
    return [*shown[:before], Row("gap", equal_lines=left_out), *shown[len(lines) - after :]]


def _different(lines: Sequence[str], others: Sequence[str]) -> Iterator[Row]:
    for index in range(max(len(lines), len(others))):
        if index >= len(lines):
            yield Row("different", None, [Span(others[index], True)])
        elif index >= len(others):
            yield Row("different", [Span(lines[index], True)], None)
        else:
            yield Row("different", *_words(lines[index], others[index]))


def _words(left: str, right: str) -> tuple[list[Span], list[Span]]:
    words, others = re.findall(r"\w+|\W", left), re.findall(r"\w+|\W", right)
    if max(len(words), len(others)) > _MAX_WORDS:
        return [Span(left, True)], [Span(right, True)]
    spans: list[Span] = []
    other_spans: list[Span] = []
    for operation, start, end, other_start, other_end in SequenceMatcher(None, words, others, False).get_opcodes():
        _append(spans, words[start:end], operation != "equal")
        _append(other_spans, others[other_start:other_end], operation != "equal")
    return spans, other_spans


def _append(spans: list[Span], words: Sequence[str], is_different: bool) -> None:
    if words:
        spans.append(Span("".join(words), is_different))


def readable(schema: Mapping[str, Any], value: Any) -> str:
    """Data as lines of text, under the titles that the schema gives: what an author sees of it, without JSON."""
    return "\n".join(_lines(schema, value))


def _lines(schema: Mapping[str, Any], value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        named = ordered_properties(schema)
        for name in [*(name for name in named if name in value), *(name for name in value if name not in named)]:
            yield from _titled(named.get(name, {}), name, value[name])
    elif isinstance(value, list):
        items = schema.get("items", {})
        for number, entry in enumerate(value, 1):
            yield from _titled({**items, "title": str(number)}, "", entry)
    else:
        yield from str(value).splitlines() or [""]


def _titled(schema: Mapping[str, Any], name: str, value: Any) -> Iterator[str]:
    """On one line where the value has one, else indented below its title."""
    title = schema.get("title") or name.replace("_", " ").capitalize()
    lines = list(_lines(schema, value))
    if len(lines) <= 1 and not isinstance(value, dict | list):
        yield f"{title}: {''.join(lines)}"
    else:
        yield f"{title}:"
        yield from (f"  {line}" for line in lines)
