"""The tutor's forms. Those of the panel have no widgets: the templates write them by hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from tutoring.errors import BadQuestion
from tutoring.models import TutorPolicy


@dataclass(frozen=True)
class AskForm:
    """`parent` is the reply that the question follows, `edits` the question beside which it stands instead."""

    key: str
    text: str
    parent: UUID | None
    edits: UUID | None

    @classmethod
    def read(cls, data: Mapping[str, str]) -> Self:
        """What the words and the key must be is checked by the action that stores them."""
        return cls(
            key=data.get("key", ""),
            text=data.get("text", ""),
            parent=_message(data["parent"]) if data.get("parent") else None,
            edits=_message(data["edits"]) if data.get("edits") else None,
        )


@dataclass(frozen=True)
class RegenerateForm:
    key: str
    reply: UUID

    @classmethod
    def read(cls, data: Mapping[str, str]) -> Self:
        return cls(key=data.get("key", ""), reply=_message(data.get("reply", "")))


@dataclass(frozen=True)
class RateForm:
    reply: UUID
    thumb: str
    comment: str

    @classmethod
    def read(cls, data: Mapping[str, str]) -> Self:
        # A form sends two characters for a line end that its box counts as one.
        comment = data.get("comment", "").replace("\r\n", "\n")
        return cls(reply=_message(data.get("reply", "")), thumb=data.get("thumb", ""), comment=comment)


@dataclass(frozen=True)
class StopForm:
    generation: UUID

    @classmethod
    def read(cls, data: Mapping[str, str]) -> Self:
        try:
            return cls(generation=UUID(data.get("generation", "")))
        except ValueError as error:
            raise BadQuestion("The reply to stop is named by its id, a UUID.") from error


def _message(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise BadQuestion("A message is named by its id, a UUID.") from error


class ShareForm(forms.Form):
    shown_name = forms.CharField(
        label=_("Name shown"),
        required=False,
        max_length=80,
        help_text=_("What readers are to call you. Left empty, you are “A student”."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "data-part": "name"}),
    )
    days = forms.TypedChoiceField(label=_("The link works for"), coerce=int)

    def __init__(self, policy: TutorPolicy, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = sorted({days for days in (1, 7, 30) if days < policy.share_days} | {policy.share_days})
        days = self.fields["days"]
        assert isinstance(days, forms.TypedChoiceField)  # noqa: S101 # for mypy: declared above
        days.choices = [(count, ngettext("%d day", "%d days", count) % count) for count in choices]
        days.initial = min(7, policy.share_days)
