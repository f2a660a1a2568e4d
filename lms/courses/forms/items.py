from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from mptt.forms import TreeNodeChoiceField

from lms.courses.comparison import Row, readable, side_by_side
from lms.courses.errors import StaleRevision
from lms.courses.forms.acting import ActionForm
from lms.courses.forms.content import ContentForm
from lms.courses.forms.drawing import LinesField
from lms.courses.models import AnswerKey, ContentItem, ContentType, Course, Module


class Difference(NamedTuple):
    """One part of an item that two people have written differently."""

    label: str
    rows: Sequence[Row]


class ItemForm(ActionForm):
    """An item with its `content`, drawn from the schema of its type.

    `conflict` is not None when somebody else has saved since `revision` was read. The form is then invalid and keeps
    what was typed; sent again as it is, it saves over theirs.
    """

    content_type: ClassVar[ContentType]
    course: ClassVar[Course]

    module = TreeNodeChoiceField(queryset=Module.objects.none(), label=_("Module"))
    place = forms.IntegerField(
        label=_("Place"), min_value=1, required=False, help_text=_("Among the content of the module; empty means last.")
    )
    objectives = LinesField(
        label=_("Objectives"),
        required=False,
        help_text=_("One a line, beginning with a verb. The tutor draws its suggested questions from them."),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = ContentItem
        fields = ["title", "module", "status", "prompt_name", "prompt_label"]

    def __init__(self, data: Any = None, files: Any = None, **kwargs: Any) -> None:
        super().__init__(data, files, **kwargs)
        self.conflict: list[Difference] | None = None
        is_new = self.instance.pk is None
        self.stored_answers = {} if is_new else stored_answers(self.instance)
        self.content = ContentForm(
            data,
            schema=self.content_type.schema,
            initial=None if is_new else self.instance.data,
            answers=self.stored_answers,
        )
        if "module" in self.fields:
            self.fields["module"].queryset = _places(self.course)  # type: ignore[attr-defined]
        if not is_new:
            self.initial["place"] = self.instance.sequence_index + 1

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.content.is_valid():
            self.add_error(None, gettext("Something in the content needs another look; the places are marked below."))
        elif not self.errors and self._is_stale():
            self._show_conflict()
        return cleaned

    def is_multipart(self) -> bool:
        """Django counts a long text against its limits as it is then, and not three times as long in its encoding."""
        return True

    @property
    def changed_data(self) -> list[str]:
        """With the content, for the history."""
        return [*super().changed_data, *(["content"] if self.content.has_changed() else [])]

    def _is_stale(self) -> bool:
        # The instance is as the database has it until the form is valid.
        return self.instance.pk is not None and self.cleaned_data.get("revision") != self.instance.revision

    def _show_conflict(self) -> None:
        self.conflict = self._differences()
        self.add_error(None, StaleRevision.message)
        # Who sends the form again has seen theirs.
        data: Any = self.data
        self.data = again = data.copy()
        again[self.add_prefix("revision")] = str(self.instance.revision)

    def _differences(self) -> list[Difference]:
        texts = zip(self._theirs(), self._mine(), strict=True)
        return [
            Difference(label, side_by_side(theirs, mine)) for (label, theirs), (_same, mine) in texts if theirs != mine
        ]

    def _theirs(self) -> list[tuple[str, str]]:
        item = self.instance
        about = [item.title, "\n".join(item.objectives), item.status, f"{item.prompt_name}, {item.prompt_label}"]
        return self._labelled([*about, self._readable(item.data), readable({}, self.stored_answers)])

    def _mine(self) -> list[tuple[str, str]]:
        mine = self.cleaned_data
        about = [mine["title"], "\n".join(mine["objectives"]), mine["status"]]
        answers = self.stored_answers if self.content.answers is None else self.content.answers
        prompt = f"{mine['prompt_name']}, {mine['prompt_label']}"
        return self._labelled([*about, prompt, self._readable(self.content.content), readable({}, answers)])

    def _readable(self, data: Any) -> str:
        return readable(self.content_type.schema, data)

    def _labelled(self, texts: list[str]) -> list[tuple[str, str]]:
        labels = (_("Title"), _("Objectives"), _("Status"), _("Prompt"), _("Content"), _("Answers"))
        return [(str(label), text) for label, text in zip(labels, texts, strict=True)]


def _places(course: Course) -> Any:
    return Module.objects.filter(course=course).order_by("lft")


def stored_answers(item: ContentItem) -> dict[str, Any]:
    """The answer key of a quiz; empty where there is none."""
    answers = AnswerKey.objects.filter(content_item=item.pk).values_list("data", flat=True).first()
    return answers or {}
