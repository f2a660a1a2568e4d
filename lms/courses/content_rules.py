"""What an item's data and a quiz's answer key must be. No database."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import best_match

from lms.courses.errors import InvalidContent
from prompts.rules import is_storable

_KEY_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "required": ["correct"],
        "additionalProperties": False,
        "properties": {
            "correct": {"type": "array", "minItems": 1, "maxItems": 100},
            "tolerance": {"type": "number", "minimum": 0},
            "explanation": {"type": "string", "maxLength": 20_000},
        },
    },
}
_TEXT = {"type": "string", "minLength": 1, "maxLength": 1000}
# What `correct` holds, by the question's kind. Ordering: all options in their right order. Matching: pairs of an option
# and one of the question's targets, or of two options where it does not name targets apart.
_CORRECT: dict[str, dict[str, Any]] = {
    "single": {"items": _TEXT, "maxItems": 1},
    "multiple": {"items": _TEXT, "uniqueItems": True},
    "numeric": {"items": {"type": "number"}},
    "short_text": {"items": _TEXT},
    "ordering": {"items": _TEXT, "uniqueItems": True},
    "matching": {"items": {"type": "array", "items": _TEXT, "minItems": 2, "maxItems": 2}, "uniqueItems": True},
}
_CHOOSING = ("single", "multiple", "ordering", "matching")


def check_schema(schema: Any) -> None:
    """Raise `jsonschema.SchemaError` for what is no JSON Schema (2020-12)."""
    Draft202012Validator.check_schema(schema)


def check_data(schema: Mapping[str, Any], data: Any) -> None:
    """Raise `InvalidContent` for data that its content type's schema does not allow."""
    _check(schema, data, "data")
    _check_storable(data, "data")
    if isinstance(data, dict) and "questions" in data:
        _check_ids(data["questions"], "data.questions")
        for index, question in enumerate(data["questions"]):
            for name in ("options", "targets"):
                _check_ids(question.get(name, []), f"data.questions[{index}].{name}")


def check_answer_key(data: Mapping[str, Any], key: Any) -> None:
    """Raise `InvalidContent` where the key does not fit the questions of `data`, which has been checked."""
    _check(_KEY_SCHEMA, key, "answer_key")
    _check_storable(key, "answer_key")
    questions = {question["id"]: question for question in data.get("questions", [])}
    for question_id, answer in key.items():
        place = f"answer_key.{question_id}"
        if question_id not in questions:
            raise InvalidContent(f"{place}: there is no such question. Allowed: {_listed(questions)}.")
        _check_answer(questions[question_id], answer, place)


def _check_answer(question: Mapping[str, Any], answer: Mapping[str, Any], place: str) -> None:
    kind, correct = question["kind"], answer["correct"]
    _check(_CORRECT[kind], correct, f"{place}.correct")
    if "tolerance" in answer and kind != "numeric":
        raise InvalidContent(f"{place}.tolerance: only numeric questions have one.")
    if kind not in _CHOOSING:
        return
    options = _ids(question, "options")
    if kind == "matching":
        _check_known([left for left, _right in correct], options, place)
        _check_known([right for _left, right in correct], _ids(question, "targets") or options, place)
    else:
        _check_known(correct, options, place)
    if kind == "ordering" and len(correct) != len(options):
        raise InvalidContent(f"{place}.correct: the order must name each option once: {_listed(options)}.")


def _ids(question: Mapping[str, Any], name: str) -> list[str]:
    return [row["id"] for row in question.get(name, [])]


def _check_known(named: Sequence[str], options: Sequence[str], place: str) -> None:
    unknown = [option for option in named if option not in options]
    if unknown:
        raise InvalidContent(f"{place}.correct: “{unknown[0]}” is no option of it. Allowed: {_listed(options)}.")


def _check_ids(rows: Sequence[Mapping[str, Any]], place: str) -> None:
    seen = set()
    for index, row in enumerate(rows):
        if row["id"] in seen:
            raise InvalidContent(f"{place}[{index}].id: “{row['id']}” stands there twice. Allowed: ids that differ.")
        seen.add(row["id"])


def _check_storable(value: Any, place: str) -> None:
    """JSON Schema allows a few texts and numbers that PostgreSQL refuses."""
    if isinstance(value, str) and not is_storable(value):
        raise InvalidContent(f"{place}: the text holds characters that cannot be stored.")
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidContent(f"{place}: the number is not finite.")
    if isinstance(value, dict):
        for name, inner in value.items():
            _check_storable(name, f"{place}.{name!r}")
            _check_storable(inner, f"{place}.{name}")
    if isinstance(value, list):
        for index, inner in enumerate(value):
            _check_storable(inner, f"{place}[{index}]")


def _check(schema: Mapping[str, Any], value: Any, name: str) -> None:
    error = best_match(Draft202012Validator(schema).iter_errors(value))
    if error is not None:
        raise InvalidContent(f"{_place(name, error)}: {_sentence(error)}")


def _place(name: str, error: ValidationError) -> str:
    """As one would write it in JavaScript: data.questions[2].kind"""
    return name + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)


def _sentence(error: ValidationError) -> str:
    value: Any = error.validator_value
    found: Any = error.instance
    match error.validator:
        case "enum":
            return f"“{_short(found)}” is not allowed. Allowed: {_listed(value)}."
        case "const":
            return f"“{_short(found)}” is not allowed. Allowed: {_short(value)}."
        case "required":
            missing = [name for name in value if name not in found]
            return f"“{missing[0]}” is missing. Needed: {_listed(value)}."
        case "additionalProperties":
            rules: Any = error.schema
            known = list(rules.get("properties", {}))
            unknown = [name for name in found if name not in known]
            return f"“{_short(unknown[0])}” is not known here. Allowed: {_listed(known)}."
        case "type":
            return f"this must be of type {_listed(value if isinstance(value, list) else [value])}."
        case "pattern":
            return f"“{_short(found)}” does not have the form {value}"
        case "oneOf" | "anyOf":
            ways = [_listed(way["required"]) for way in value if "required" in way]
            return f"exactly one of these is needed: {_listed(ways)}." if ways else "no allowed form fits."
        case _:
            return f"{_short(error.message, 300)} ({error.validator}: {_short(value)})."


def _listed(names: Any) -> str:
    return ", ".join(str(name) for name in names) or "nothing"


def _short(value: Any, length: int = 80) -> str:
    text = str(value)
    return text if len(text) <= length else text[: length - 1] + "…"
