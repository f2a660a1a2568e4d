"""What the pages of this app are sent."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from lms.courses.models import Course, Subject
from lms.learning.marking import Answers

# A question's field is q-<id>; where each option has a field of its own, q-<id>-<option>.
PREFIX = "q-"


class CatalogueForm(forms.Form):
    """Filters of the catalogue. What makes no sense filters nothing."""

    q = forms.CharField(label=_("Search"), required=False, max_length=200)
    subject = forms.ChoiceField(label=_("Subject"), required=False)
    level = forms.ChoiceField(label=_("Level"), required=False, choices=[("", _("All levels")), *Course.Level.choices])

    def __init__(self, data: QueryDict, subjects: Iterable[Subject]) -> None:
        super().__init__(data)
        field = self.fields["subject"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 # for mypy: declared above
        field.choices = [("", _("All subjects")), *((subject.slug, subject.name) for subject in subjects)]

    def filters(self) -> dict[str, str]:
        """For `courses_for_catalogue`; each is there, empty when it is not given or not valid."""
        self.is_valid()
        given = self.cleaned_data
        return {"search": given.get("q", ""), "subject": given.get("subject", ""), "level": given.get("level", "")}


def given_answers(questions: Iterable[Mapping[str, Any]], data: QueryDict) -> Answers:
    """By question id, without those that nothing was entered for."""
    answers = {question["id"]: _answer(question, data) for question in questions}
    return {question_id: given for question_id, given in answers.items() if given}


def answer_fields(data: QueryDict) -> QueryDict:
    """Only the fields of answers, without the form's token."""
    kept = QueryDict(mutable=True)
    for name, values in data.lists():
        if name.startswith(PREFIX):
            kept.setlist(name, values)
    return kept


def _answer(question: Mapping[str, Any], data: QueryDict) -> list[Any]:
    name = PREFIX + question["id"]
    if question["kind"] not in ("ordering", "matching"):
        return [value for value in data.getlist(name) if value.strip()]
    ids = [option["id"] for option in question["options"]]
    chosen = {option_id: value for option_id in ids if (value := data.get(f"{name}-{option_id}", ""))}
    if question["kind"] == "matching":
        return [[option_id, target] for option_id, target in chosen.items()]
    return _in_order(chosen)


def _in_order(places: Mapping[str, str]) -> list[str]:
    """Options by the place that was given them; one that shares its place with another has none."""
    taken = list(places.values())
    is_place = re.compile("[0-9]{1,3}").fullmatch
    placed = {int(place): option for option, place in places.items() if is_place(place) and taken.count(place) == 1}
    return [placed[place] for place in sorted(placed)] or list(places)[:1]
