"""What clients of the socket and of the API send and get. Unknown fields are refused."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from ninja import Field, Schema
from pydantic import ConfigDict, TypeAdapter, ValidationError

from tutoring.errors import BadFrame
from tutoring.models import ChatSession, Message


class _In(Schema):
    model_config = ConfigDict(extra="forbid")


class SendFrame(_In):
    action: Literal["send"]
    key: str
    text: str
    parent: UUID | None = None


class AttachFrame(_In):
    action: Literal["attach"]
    generation: UUID
    after: int = Field(0, ge=0)


class StopFrame(_In):
    action: Literal["stop"]
    generation: UUID


Frame = SendFrame | AttachFrame | StopFrame
_frames: TypeAdapter[Frame] = TypeAdapter(Annotated[Frame, Field(discriminator="action")])


def read_frame(content: Any) -> Frame:
    try:
        return _frames.validate_python(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the frame"
        raise BadFrame(
            f"{where}: {first['msg']}. A frame is a JSON object whose action is send, attach or stop."
        ) from error


class SessionIn(_In):
    """A conversation about one content item, as it is given in one offering."""

    university: str = Field(description="The university's slug.")
    offering: int
    content_item: int


class MessageIn(_In):
    text: str = Field(description="The question, Markdown or plain text. TUTOR_MAX_QUESTION_CHARACTERS bounds it.")
    parent: UUID | None = Field(None, description="The reply that this follows; the latest message when absent.")


class MessageOut(Schema):
    id: UUID
    seq: int = Field(description="One-based within the conversation.")
    parent: UUID | None
    role: Literal["user", "assistant"]
    state: Literal["pending", "streaming", "complete", "stopped", "failed"]
    body: str = Field(description="Markdown. Of a reply that is being made, what has been saved so far.")
    error_code: str
    generation: UUID | None = Field(description="Of a reply: what to follow or stop.")
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, message: Message) -> Self:
        generation = message.generation.pk if message.role == Message.Role.ASSISTANT else None
        fields = ("seq", "role", "state", "body", "error_code", "created_at", "finished_at")
        values = {name: getattr(message, name) for name in fields}
        return cls.model_validate({"id": message.pk, "parent": message.parent_id, "generation": generation, **values})


class SessionOut(Schema):
    id: UUID
    title: str = Field(description="From the first question; empty before it.")
    university: str
    offering: int
    content_item: int
    socket: str = Field(description="Path of the conversation's WebSocket.")
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, session: ChatSession) -> Self:
        """`session` comes with its university."""
        return cls(
            id=session.pk,
            title=session.title,
            university=session.university.slug,
            offering=session.offering_id,
            content_item=session.content_item_id,
            socket=f"/ws/tutor/{session.pk}/",
            created_at=session.created_at,
            updated_at=session.updated_at,
        )


class SessionDetailOut(SessionOut):
    messages: list[MessageOut] = Field(default_factory=list, description="Oldest first.")
