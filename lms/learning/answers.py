"""A student's answers to a quiz: what of them is kept, and how they read. Pure; nothing here knows what is right."""

from collections.abc import Mapping, Sequence
from typing import Any

from lms.courses.markdown import plain_text
from lms.learning.marking import Answers

Question = Mapping[str, Any]

MAX_TEXT_CHARACTERS = 1000
# Enough to tell which question or option is meant; the lesson has the whole of it.
_MAX_SHOWN_CHARACTERS = 300


def kept_answers(questions: Sequence[Question], answers: Answers) -> dict[str, list[Any]]:
    """Those to questions and options that exist, by question id in the quiz's order; texts are cut."""
    kept = {question["id"]: _kept(question, answers.get(question["id"], [])) for question in questions}
    return {question_id: given for question_id, given in kept.items() if given}


def answers_text(questions: Sequence[Question], answers: Answers) -> str:
    """Each question with what was answered to it, as plain text; empty where none of it was answered.

    Without marks: to know that an answer to a question with one right option is right is to know the answer key.
    """
    known = kept_answers(questions, answers)
    if not known:
        return ""
    return "\n\n".join(
        f"Question {number}: {_plain(question['prompt'])}\n{_answer(question, known.get(question['id'], []))}"
        for number, question in enumerate(questions, 1)
    )


def _kept(question: Question, given: Sequence[Any]) -> list[Any]:
    options = _texts(question, "options")
    match question["kind"]:
        case "numeric" | "short_text":
            texts = [_storable(each) for each in given[:1] if isinstance(each, str)]
            return [text for text in texts if text]
        case "matching":
            targets = _targets(question)
            pairs = {each[0]: each[1] for each in given if isinstance(each, list | tuple) and len(each) == 2}
            return [[option, target] for option, target in pairs.items() if option in options and target in targets]
    return [each for each in dict.fromkeys(map(str, given)) if each in options]


def _answer(question: Question, given: Sequence[Any]) -> str:
    if not given:
        return "Not answered."
    options = _texts(question, "options")
    match question["kind"]:
        case "numeric" | "short_text":
            return f"Answered: {_line(given[0])}"
        case "matching":
            targets = _targets(question)
            return "Matched: " + "; ".join(f"{_plain(options[a])} → {_plain(targets[b])}" for a, b in given)
        case "ordering":
            return "Put in this order: " + "; ".join(f"{at}. {_plain(options[a])}" for at, a in enumerate(given, 1))
    return "Chose: " + "; ".join(_plain(options[option]) for option in given)


def _targets(question: Question) -> dict[str, str]:
    """A question that does not name its targets apart has them among its options."""
    return _texts(question, "targets") or _texts(question, "options")


def _texts(question: Question, name: str) -> dict[str, str]:
    return {row["id"]: row["text"] for row in question.get(name, [])}


def _plain(markdown: str) -> str:
    line = _line(plain_text(markdown, format="markdown"))
    return line if len(line) <= _MAX_SHOWN_CHARACTERS else f"{line[: _MAX_SHOWN_CHARACTERS - 1]}…"


def _line(text: str) -> str:
    return " ".join(text.split())


def _storable(text: str) -> str:
    """PostgreSQL keeps neither the zero character nor half of a surrogate pair."""
    return text.encode(errors="ignore").decode().replace("\x00", "").strip()[:MAX_TEXT_CHARACTERS]
