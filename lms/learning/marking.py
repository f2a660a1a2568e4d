"""Whether an answer is right. Pure: takes a question, its entry in the answer key and what was given."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

# By question id. A list always: of one option, text or number; of several options; of all options in their order; or
# of pairs of options. A question that is absent or has an empty list is not answered.
Answers = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Mark:
    """`is_partly`: some of it is right. It earns no points, but tells where to look."""

    is_correct: bool
    is_partly: bool = False


def mark(kind: str, key: Mapping[str, Any], given: Sequence[Any]) -> Mark:
    """`key` is the question's entry in `AnswerKey.data`."""
    correct = key["correct"]
    match kind:
        case "single":
            return Mark(len(given) == 1 and given[0] in correct)
        case "multiple":
            return _mark_set(correct, list(map(str, given)))
        case "matching":
            return _mark_set(_pairs(correct), _pairs(given))
        case "numeric":
            return Mark(len(given) == 1 and _is_near(str(given[0]), correct, key.get("tolerance", 0)))
        case "short_text":
            return Mark(len(given) == 1 and _folded(given[0]) in map(_folded, correct))
        case "ordering":
            return _mark_order(correct, given)
    raise ValueError(f"There is no way to mark questions of the kind {kind!r}.")


def _mark_set(correct: Collection[Any], given: Collection[Any]) -> Mark:
    right, chosen = set(correct), set(given)
    return Mark(right == chosen, is_partly=right != chosen and bool(right & chosen))


def _pairs(rows: Sequence[Any]) -> list[tuple[str, ...]]:
    return [tuple(map(str, row)) for row in rows if isinstance(row, list | tuple)]


def _mark_order(correct: Sequence[Any], given: Sequence[Any]) -> Mark:
    in_place = sum(one == other for one, other in zip(correct, given, strict=False))
    is_correct = list(correct) == list(given)
    return Mark(is_correct, is_partly=not is_correct and in_place > 0)


def _is_near(given: str, correct: Sequence[float], tolerance: float) -> bool:
    """In decimals, where 3.1 is within 0.1 of 3; a comma is a decimal point too."""
    try:
        number = Decimal(given.strip().replace(",", "."))
        return any(abs(number - Decimal(str(each))) <= Decimal(str(tolerance)) for each in correct)
    except ArithmeticError:
        return False


def _folded(text: Any) -> str:
    return " ".join(str(text).casefold().split())
