"""The tutor's two forms. They have no widgets: the templates write them by hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from tutoring.errors import BadQuestion


@dataclass(frozen=True)
class AskForm:
    key: str
    text: str

    @classmethod
    def read(cls, data: Mapping[str, str]) -> Self:
        """What the words and the key must be is checked by the action that stores them."""
        return cls(key=data.get("key", ""), text=data.get("text", ""))


@dataclass(frozen=True)
class StopForm:
    generation: UUID

    @classmethod
    def read(cls, data: Mapping[str, str]) -> Self:
        try:
            return cls(generation=UUID(data.get("generation", "")))
        except ValueError as error:
            raise BadQuestion("The reply to stop is named by its id, a UUID.") from error
