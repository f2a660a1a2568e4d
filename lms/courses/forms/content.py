"""The content of an item as a form: its data and, for a quiz, its answer key. No database."""

from collections.abc import Mapping
from typing import Any

from lms.courses.forms.problems import problems_of
from lms.courses.forms.quiz import QUIZ_ROW_FORMS, answer_key
from lms.courses.forms.schema import ObjectForm


class ContentForm(ObjectForm):
    """After `is_valid`, `content` is the item's data and `answers` its answer key.

    `answers` is None for content that has none, and for questions too unusual for the fields: the stored key stays.
    """

    row_forms = QUIZ_ROW_FORMS

    def __init__(self, *args: Any, answers: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        self.content: dict[str, Any] = {}
        self.answers: dict[str, Any] | None = None
        super().__init__(*args, about=answers or {}, prefix="data", **kwargs)

    def full_clean(self) -> None:
        super().full_clean()
        if not self.is_bound or not self.is_valid():
            return
        self.content = self.value()
        problems = dict.fromkeys((tuple(path), message) for path, message in problems_of(self.schema, self.content))
        for path, message in problems:
            self.refuse(path, message)
        if not problems and "questions" in self.rows:
            self.answers = answer_key(self.kept["questions"], self.content)
