"""What every source must hold to, of whatever format: fitting names, one key for one thing, data as its type says."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from lms.courses.content_rules import check_answer_key, check_data
from lms.courses.errors import InvalidContent
from lms.courses.importing.errors import BrokenSource, TooLarge
from lms.courses.importing.source import SourceCourse, SourceItem, SourceModule
from lms.courses.schema_files import content_type_files
from prompts.rules import is_label, is_name, is_storable

# The widths of the columns in `lms.courses.models`.
COURSE_WIDTHS = {"title": 200, "code": 40, "slug": 80, "language": 16, "key": 255}
WIDTHS = {"title": 300, "key": 255}
MAX_MODULES = 5_000
MAX_ITEMS = 20_000
MAX_OBJECTIVES = 50
MAX_OBJECTIVE_CHARACTERS = 500


def check_course(course: SourceCourse) -> None:
    origin = course.root.origin
    _check_widths(course, COURSE_WIDTHS, origin)
    _check_objectives(course.objectives, origin)
    _check_texts([course.title, course.code, course.language, course.key, course.description], origin)
    modules = list(course.root.walk())
    items = [item for _, item in course.items()]
    if len(modules) > MAX_MODULES or len(items) > MAX_ITEMS:
        raise TooLarge(f"has more than {MAX_MODULES} modules or {MAX_ITEMS} items.", file=origin)
    _check_keys(modules)
    _check_keys(items)
    for item in items:
        check_item(item)


def check_item(item: SourceItem) -> None:
    _check_objectives(item.objectives, item.origin)
    _check_texts([item.data, item.answers], item.origin)
    if item.prompt_name and not is_name(item.prompt_name):
        raise BrokenSource(f"prompt: {item.prompt_name!r} is not the name of a prompt.", file=item.origin)
    if item.prompt_label and not is_label(item.prompt_label):
        raise BrokenSource(f"prompt_label: {item.prompt_label!r} is not a label.", file=item.origin)
    try:
        check_data(_schemas()[item.content_type], item.data)
        if item.answers is not None:
            check_answer_key(item.data, item.answers)
    except InvalidContent as error:
        raise BrokenSource(str(error), file=item.origin) from None


def _check_keys(rows: list[SourceModule] | list[SourceItem]) -> None:
    seen: dict[str, str] = {}
    for row in rows:
        _check_widths(row, WIDTHS, row.origin)
        _check_texts([row.title, row.key], row.origin)
        if row.key in seen:
            problem = f"is called {row.key!r}, as {seen[row.key]} is; numbers in front of names do not count."
            raise BrokenSource(problem, file=row.origin)
        seen[row.key] = row.origin


def _check_widths(row: SourceCourse | SourceModule | SourceItem, widths: dict[str, int], origin: str) -> None:
    for name, width in widths.items():
        if not 1 <= len(getattr(row, name)) <= width:
            raise BrokenSource(f"its {name} must have 1 to {width} characters.", file=origin)


def _check_objectives(objectives: list[str], origin: str) -> None:
    _check_texts(objectives, origin)
    if len(objectives) > MAX_OBJECTIVES or any(len(text) > MAX_OBJECTIVE_CHARACTERS for text in objectives):
        limit = f"at most {MAX_OBJECTIVES} of at most {MAX_OBJECTIVE_CHARACTERS} characters are allowed."
        raise BrokenSource(f"objectives: {limit}", file=origin)


def _check_texts(values: Any, origin: str) -> None:
    if not all(is_storable(text) for text in _texts(values)):
        raise BrokenSource("holds characters that are no text.", file=origin)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


@cache
def _schemas() -> dict[str, dict[str, Any]]:
    return {file.slug: file.schema for file in content_type_files()}
