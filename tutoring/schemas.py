"""What clients of the socket and of the API send and get. Unknown fields are refused."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Field, Schema
from pydantic import ConfigDict, TypeAdapter, ValidationError

from tutoring import queries
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


SLUG = r"^[-a-zA-Z0-9_]+$"


class SessionIn(_In):
    """A conversation about one content item, as it is given in one offering."""

    university: str = Field(description="The university's slug.", pattern=SLUG, max_length=50)
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

    @staticmethod
    def resolve_parent(message: Message) -> UUID | None:
        return message.parent_id

    @staticmethod
    def resolve_generation(message: Message) -> UUID | None:
        return message.generation.pk if message.role == Message.Role.ASSISTANT else None


class SessionOut(Schema):
    """Of a session that comes with its university."""

    id: UUID
    title: str = Field(description="From the first question; empty before it.")
    university: str
    offering: int
    content_item: int
    socket: str = Field(description="Path of the conversation's WebSocket.")
    created_at: datetime
    updated_at: datetime

    @staticmethod
    def resolve_university(session: ChatSession) -> str:
        return session.university.slug

    @staticmethod
    def resolve_offering(session: ChatSession) -> int:
        return session.offering_id

    @staticmethod
    def resolve_content_item(session: ChatSession) -> int:
        return session.content_item_id

    @staticmethod
    def resolve_socket(session: ChatSession) -> str:
        return f"/ws/tutor/{session.pk}/"


class SessionDetailOut(SessionOut):
    messages: list[MessageOut] = Field(description="Oldest first.")

    @staticmethod
    def resolve_messages(session: ChatSession) -> list[Message]:
        return queries.conversation(session).messages
