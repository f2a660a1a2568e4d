"""Everything that is wrong with an item's data, each with its place, in words for authors. No database."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from jsonschema import Draft202012Validator, ValidationError

from lms.courses.content_rules import check_data
from lms.courses.errors import InvalidContent

Path = Sequence[str | int]
# What a pattern allows, in words; for others the property's own description has to say it.
_ALLOWED = {
    "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$": gettext_lazy(
        "Allowed: up to 64 letters, digits, “_”, “.” and “-”, beginning with a letter or a digit."
    ),
}
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


class Problem(NamedTuple):
    path: Path
    message: str


def problems_of(schema: Mapping[str, Any], data: Mapping[str, Any]) -> list[Problem]:
    """All that the schema refuses, or else the first thing that `check_data` demands beyond it."""
    found = [problem for error in Draft202012Validator(schema).iter_errors(data) for problem in _problems(error)]
    return found or list(_beyond_schema(schema, data))


def _problems(error: ValidationError) -> Iterator[Problem]:
    path = list(error.absolute_path)
    if error.validator == "required":
        found: Any = error.instance
        # jsonschema reports each missing name by itself and only in its message.
        for name in _names(error.validator_value):
            if name not in found and repr(name) in error.message:
                yield Problem([*path, name], _("This is needed."))
    else:
        yield Problem(path, _sentence(error))


def _sentence(error: ValidationError) -> str:
    rules: Any = error.schema
    if error.validator == "minLength" and not error.instance:
        return _("This is needed.")
    if error.validator == "minItems" and not error.instance:
        return _("At least one is needed.")
    allowed = _ALLOWED.get(rules.get("pattern", "")) or rules.get("description")
    if error.validator == "pattern" and allowed:
        found = _short(str(error.instance))
        return _("“%(found)s” is not allowed here. %(allowed)s") % {"found": found, "allowed": allowed}
    try:
        check_data(rules, error.instance)
    except InvalidContent as refusal:
        sentence = refusal.detail.split(": ", 1)[-1]
        return sentence[:1].upper() + sentence[1:]
    return error.message


def _beyond_schema(schema: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[Problem]:
    try:
        check_data(schema, data)
    except InvalidContent as refusal:
        place, _colon, message = refusal.detail.partition(": ")
        steps = _STEP.findall(place.removeprefix("data"))
        yield Problem([name or int(index) for name, index in steps], message)


def _names(value: Any) -> list[str]:
    return [str(name) for name in value]


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
