"""What the API takes and gives."""

from datetime import datetime
from typing import Annotated, Any

from ninja import Field, Schema
from pydantic import ConfigDict

from prompts.composition import malformed_tags
from prompts.models import Prompt, PromptLabel, PromptVersion
from prompts.rules import LATEST, Body, ChatRole, PromptType

VersionNumber = Annotated[int, Field(ge=1, le=2**31 - 1)]
_Label = Annotated[str, Field(max_length=36)]


class _In(Schema):
    model_config = ConfigDict(extra="forbid")


class PromptMessageIn(_In):
    role: ChatRole
    content: str


class VersionIn(_In):
    body: str | list[PromptMessageIn]
    config: dict[str, Any] = {}
    commit_message: str = ""
    labels: list[_Label] = Field([], max_length=20)

    def plain_body(self) -> Body:
        if isinstance(self.body, str):
            return self.body
        return [{"role": message.role, "content": message.content} for message in self.body]


class PromptIn(VersionIn):
    name: str
    type: PromptType
    tags: list[str] = Field([], max_length=20)
    description: str = ""


class LabelIn(_In):
    version: VersionNumber


class PromptMessageOut(Schema):
    role: ChatRole
    content: str


class PromptOut(Schema):
    """`university` is empty for the platform's prompts. `labels` says which version each stands on, `latest` too."""

    university: str | None
    name: str
    type: PromptType
    tags: list[str]
    description: str
    labels: dict[str, int]

    @staticmethod
    def resolve_university(prompt: Prompt) -> str | None:
        return prompt.university.slug if prompt.university else None

    @staticmethod
    def resolve_labels(prompt: Prompt) -> dict[str, int]:
        """Of a row of `prompts_for`, whose labels carry their version's number."""
        return {LATEST: prompt.latest_number} | {label.name: label.number for label in prompt.labels.all()}  # type: ignore[attr-defined]


class VersionHeadOut(Schema):
    """`warnings` names tags that are malformed and would be sent to the model as they stand."""

    university: str | None
    name: str
    type: PromptType
    number: int
    config: dict[str, Any]
    labels: list[str]
    commit_message: str
    created_by: str | None
    created_at: datetime
    warnings: list[str]

    @staticmethod
    def resolve_university(version: PromptVersion) -> str | None:
        return version.prompt.university.slug if version.prompt.university else None

    @staticmethod
    def resolve_name(version: PromptVersion) -> str:
        return version.prompt.name

    @staticmethod
    def resolve_type(version: PromptVersion) -> str:
        return version.prompt.type

    @staticmethod
    def resolve_labels(version: PromptVersion) -> list[str]:
        latest = [LATEST] if version.number == version.prompt.latest_number else []
        return latest + sorted(label.name for label in version.labels.all())

    @staticmethod
    def resolve_created_by(version: PromptVersion) -> str | None:
        return version.created_by.full_name if version.created_by else None

    @staticmethod
    def resolve_warnings(version: PromptVersion) -> list[str]:
        return [f"Malformed tag: {tag}" for tag in malformed_tags(version.body)]


class VersionOut(VersionHeadOut):
    body: str | list[PromptMessageOut]


class IncludedOut(Schema):
    """What a tag asks for, and the number of the version it led to where it was resolved."""

    name: str
    label: str | None
    number: int | None


class ReadOut(Schema):
    """Resolved: the body with all that it includes, and the SHA-256 of it. Otherwise the body as it was written."""

    version: VersionHeadOut
    is_resolved: bool
    body: str | list[PromptMessageOut]
    includes: list[IncludedOut]
    variables: list[str]
    hash: str | None


class LabelOut(Schema):
    name: str
    version: int
    moved_at: datetime

    @staticmethod
    def resolve_version(label: PromptLabel) -> int:
        return label.version.number
