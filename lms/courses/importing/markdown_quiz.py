"""Questions as authors write them, split into what students see and the answer key."""

import hashlib
from collections.abc import Callable
from typing import Any

from lms.courses.importing.front_matter import Fields
from lms.courses.importing.markdown_page import Page

Question = dict[str, Any]
KINDS = ("single", "multiple", "numeric", "short_text", "ordering", "matching")


def read_questions(page: Page) -> tuple[list[Question], dict[str, Any]]:
    """The questions without any trace of their answers, and the answer key by question id."""
    questions: list[Question] = []
    key: dict[str, Any] = {}
    for number, row in enumerate(page.fields.rows("questions"), start=1):
        question, answer = _read_question(page, row, number)
        if question["id"] in key:
            raise row.refuse("id", f"{question['id']!r} stands twice in this quiz.")
        questions.append(question)
        key[question["id"]] = answer
    if not questions:
        raise page.fields.refuse("questions", "a quiz needs at least one question.")
    return questions, key


def _read_question(page: Page, row: Fields, number: int) -> tuple[Question, dict[str, Any]]:
    kind = row.choice("kind", KINDS, "single")
    options, correct_ids = _read_options(page, row)
    question = {
        "id": row.text("id", f"q{number}"),
        "kind": kind,
        "prompt": page.markdown(row.text("prompt")),
        "options": options,
        "points": row.whole_number("points", 1),
    }
    if bool(options) != (kind not in ("numeric", "short_text")):
        raise row.refuse("options", f"the kind {kind} {'has none' if options else 'needs some'}.")
    if correct_ids and kind not in ("single", "multiple"):
        raise row.refuse("options", f"for the kind {kind} the right answer stands in `answer`.")
    answer: dict[str, Any] = {"correct": CORRECT[kind](row, options, correct_ids)}
    if kind == "numeric":
        answer["tolerance"] = _tolerance(row)
    if kind == "ordering":
        question["options"] = _not_in_order(options, answer["correct"])
    if kind == "matching":
        question["options"], question["targets"] = _two_sides(options, answer["correct"])
    answer["explanation"] = page.markdown(row.text("explanation", ""))
    row.finish()
    return question, answer


def _read_options(page: Page, row: Fields) -> tuple[list[dict[str, str]], list[str]]:
    options: list[dict[str, str]] = []
    correct: list[str] = []
    for number, option in enumerate(row.rows("options")):
        option_id = option.text("id", chr(ord("a") + number) if number < 26 else f"o{number + 1}")
        if any(known["id"] == option_id for known in options):
            raise option.refuse("id", f"{option_id!r} stands twice in this question.")
        options.append({"id": option_id, "text": page.markdown(option.text("text"))})
        if option.flag("correct"):
            correct.append(option_id)
        option.finish()
    return options, correct


def _tolerance(row: Fields) -> float:
    tolerance = row.number("tolerance") if "tolerance" in row else 0
    if tolerance < 0:
        raise row.refuse("tolerance", "cannot be below zero.")
    return tolerance


def _single(row: Fields, options: list[dict[str, str]], correct: list[str]) -> list[Any]:
    if len(correct) != 1:
        raise row.refuse("options", "exactly one option needs `correct: true`.")
    return list(correct)


def _multiple(row: Fields, options: list[dict[str, str]], correct: list[str]) -> list[Any]:
    if not correct:
        raise row.refuse("options", "at least one option needs `correct: true`.")
    return list(correct)


def _numeric(row: Fields, options: list[dict[str, str]], correct: list[str]) -> list[Any]:
    return [row.number("answer")]


def _short_text(row: Fields, options: list[dict[str, str]], correct: list[str]) -> list[Any]:
    answers = row.texts("answer")
    if not answers:
        raise row.refuse("answer", "is missing.")
    return list(answers)


def _ordering(row: Fields, options: list[dict[str, str]], correct: list[str]) -> list[Any]:
    answers = row.texts("answer")
    if sorted(answers) != sorted(option["id"] for option in options):
        raise row.refuse("answer", "must name the id of each option once, in the right order.")
    return list(answers)


def _matching(row: Fields, options: list[dict[str, str]], correct: list[str]) -> list[Any]:
    """Pairs of option ids, what is matched first, as in `answer: [[a, x], [b, y]]`."""
    pairs = row.raw("answer") or []
    known = {option["id"] for option in options}
    if not isinstance(pairs, list) or not pairs:
        raise row.refuse("answer", "must be a list of pairs of option ids.")
    for pair in pairs:
        if not isinstance(pair, list) or len(pair) != 2 or not all(one in known for one in pair):
            raise row.refuse("answer", "must be a list of pairs of option ids.")
    if {left for left, _right in pairs} & {right for _left, right in pairs}:
        raise row.refuse("answer", "has an option on both sides; each stands on one.")
    return [list(pair) for pair in pairs]


def _two_sides(
    options: list[dict[str, str]], pairs: list[list[str]]
) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """What is matched, and what it is matched to; an option that no pair names is a wrong target."""
    matched = {left for left, _right in pairs}
    return [o for o in options if o["id"] in matched], [o for o in options if o["id"] not in matched]


CORRECT: dict[str, Callable[[Fields, list[dict[str, str]], list[str]], list[Any]]] = {
    "single": _single,
    "multiple": _multiple,
    "numeric": _numeric,
    "short_text": _short_text,
    "ordering": _ordering,
    "matching": _matching,
}


def _not_in_order(options: list[dict[str, str]], right: list[str]) -> list[dict[str, str]]:
    """The options, but never in the order that is the answer; the same at each import."""
    if [option["id"] for option in options] != right:
        return options
    mixed = sorted(options, key=lambda option: hashlib.sha256(option["id"].encode()).digest())
    return mixed if [option["id"] for option in mixed] != right else mixed[1:] + mixed[:1]
