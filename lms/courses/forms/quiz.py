"""A quiz's questions with their answers, which are drawn beside the options and stored apart. No database."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from lms.courses.content_rules import check_answer_key
from lms.courses.errors import InvalidContent
from lms.courses.forms.drawing import LinesField, NumberField, TextField
from lms.courses.forms.schema import ObjectForm

Answer = dict[str, Any]
Options = Sequence[Mapping[str, str]]
# Kinds whose right answers are ticked among the options.
_TICKED = ("single", "multiple")


class OptionForm(ObjectForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        right = self.about.get("correct", ()) if self.about else ()
        label = _("Right answer")
        self.fields["is_right"] = forms.BooleanField(label=label, required=False)
        self.initial["is_right"] = self.stored is not None and self.stored.get("id") in right

    def parts(self) -> Iterator[Any]:
        yield from super().parts()
        yield self["is_right"]


class QuestionForm(ObjectForm):
    """`about` is the quiz's answer key."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        answer = self.about_rows()
        self.fields["right_answers"] = LinesField(label=_("Right answers"), required=False, help_text=_HELP)
        self.fields["tolerance"] = NumberField(
            label=_("Tolerance"), whole=False, required=False, min_value=0, help_text=_("How far a number may be off.")
        )
        self.fields["explanation"] = TextField(
            label=_("Explanation"),
            required=False,
            strip=False,
            widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField", "dir": "auto"}),
            help_text=_("Shown after checking. Markdown."),
        )
        self.initial["right_answers"] = _as_lines(answer.get("correct", []))
        self.initial["tolerance"] = answer.get("tolerance")
        self.initial["explanation"] = answer.get("explanation", "")

    def parts(self) -> Iterator[Any]:
        yield from super().parts()
        yield from (self[name] for name in ("right_answers", "tolerance", "explanation"))

    def about_rows(self) -> Answer:
        """The question's own answer."""
        name = self.stored.get("id") if self.stored else None
        return dict((self.about or {}).get(name, {}))

    def answer(self, question: Mapping[str, Any]) -> Answer | None:
        """What the answer key says of the question, whose assembled data is given; None where it says nothing."""
        correct = self._correct(question)
        explanation = self.cleaned_data.get("explanation", "")
        tolerance = self.cleaned_data.get("tolerance")
        if not correct:
            if explanation:
                self.add_error("explanation", _("Say which answer is right too, or leave the explanation empty."))
            return None
        if question.get("kind") == "single" and len(correct) > 1:
            self.add_error(None, _("Only one option can be right. Questions with more are of the kind “multiple”."))
            return None
        answer: Answer = {"correct": correct}
        if question.get("kind") == "numeric" and tolerance is not None:
            answer["tolerance"] = tolerance
        return answer | ({"explanation": explanation} if explanation else {})

    def _correct(self, question: Mapping[str, Any]) -> list[Any]:
        kind, options = question.get("kind"), question.get("options", [])
        targets = question.get("targets") or options
        if kind in _TICKED:
            ticks = (form.cleaned_data.get("is_right") for form in self.kept.get("options", []))
            return [option["id"] for option, is_right in zip(options, ticks, strict=False) if is_right]
        lines = self.cleaned_data.get("right_answers", [])
        try:
            return [_read(line, str(kind), options, targets) for line in lines]
        except ValidationError as error:
            self.add_error("right_answers", error)
            return []

    def refuse_answer(self, message: str) -> None:
        """Beside the lines where there are lines, else at the question."""
        kind = self.cleaned_data.get("kind")
        self.add_error(None if kind in _TICKED else "right_answers", _("Right answers: %s") % message)


QUIZ_ROW_FORMS: Mapping[str, type[ObjectForm]] = {"questions": QuestionForm, "questions.options": OptionForm}

_HELP = gettext_lazy(
    "One a line. For a number: each accepted number. For a short text: each accepted wording. For an order: the "
    "options (their ids or their texts) from first to last. For matching: pairs of an option and a target, such as "
    "a = b."
)


def answer_key(questions: Sequence[ObjectForm], data: Mapping[str, Any]) -> dict[str, Answer]:
    """The answers of the forms of a quiz's questions; what is wrong with them is said on the forms."""
    key = {}
    for form, question in zip(questions, data["questions"], strict=True):
        assert isinstance(form, QuestionForm)  # noqa: S101 # for mypy: the quiz's own forms are
        answer = form.answer(question)
        if answer is None:
            continue
        try:
            check_answer_key(data, {question["id"]: answer})
        except InvalidContent as refusal:
            form.refuse_answer(refusal.detail.split(": ", 1)[-1])
        key[question["id"]] = answer
    return key


def _read(line: str, kind: str, options: Options, targets: Options) -> Any:
    match kind:
        case "numeric":
            return _number(line)
        case "ordering":
            return _option(line, options)
        case "matching":
            left, equals, right = line.partition("=")
            if not equals:
                raise ValidationError(
                    _("“%(line)s” is no pair. Write an option and a target with = between."), params={"line": line}
                )
            return [_option(left, options), _option(right, targets)]
        case _:
            return line


def _number(line: str) -> int | float:
    try:
        number = json.loads(line)
    except ValueError:
        number = None
    if not isinstance(number, int | float) or isinstance(number, bool) or not math.isfinite(number):
        raise ValidationError(_("“%(line)s” is no number. Write it like 0.25."), params={"line": line})
    return number


def _option(words: str, options: Options) -> str:
    """The id of the option that is named by its id or its text; unknown words stay, for the check to name them."""
    words = words.strip()
    by_text = {option["text"].strip(): option["id"] for option in options}
    return words if any(option["id"] == words for option in options) else by_text.get(words, words)


def _as_lines(correct: Sequence[Any]) -> list[str]:
    return [
        " = ".join(map(str, entry)) if isinstance(entry, list) else " ".join(str(entry).split()) for entry in correct
    ]
