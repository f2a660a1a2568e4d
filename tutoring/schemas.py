"""What clients of the socket and of the API send and get. Unknown fields are refused."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Field, Schema
from pydantic import AliasChoices, ConfigDict, TypeAdapter, ValidationError

from tutoring import queries
from tutoring.errors import BadFrame
from tutoring.models import ChatSession, Message, Share


class _In(Schema):
    model_config = ConfigDict(extra="forbid")


class SendFrame(_In):
    action: Literal["send"]
    key: str
    text: str
    parent: UUID | None = None
    edits: UUID | None = None


class RegenerateFrame(_In):
    action: Literal["regenerate"]
    key: str
    reply: UUID


class AttachFrame(_In):
    action: Literal["attach"]
    generation: UUID
    after: int = Field(0, ge=0)


class StopFrame(_In):
    action: Literal["stop"]
    generation: UUID


Frame = SendFrame | RegenerateFrame | AttachFrame | StopFrame
_frames: TypeAdapter[Frame] = TypeAdapter(Annotated[Frame, Field(discriminator="action")])


def read_frame(content: Any) -> Frame:
    try:
        return _frames.validate_python(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the frame"
        raise BadFrame(
            f"{where}: {first['msg']}. A frame is a JSON object whose action is send, regenerate, attach or stop."
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
    edits: UUID | None = Field(None, description="The question beside which this stands, as another way to ask it.")


class FeedbackIn(_In):
    thumb: Literal["up", "down", ""] = Field(description="Empty takes it back, with its comment.")
    comment: str = Field("", description="At most 1000 characters.")


class FeedbackOut(Schema):
    thumb: Literal["up", "down", ""]
    comment: str


class MessageOut(Schema):
    id: UUID
    seq: int = Field(description="One-based within the conversation.")
    parent: UUID | None = Field(description="The message that this one answers; with it clients draw the branches.")
    siblings: list[UUID] = Field(description="The messages of one role with this parent, oldest first, this included.")
    role: Literal["user", "assistant"]
    state: Literal["pending", "streaming", "complete", "stopped", "failed"]
    body: str = Field(description="Markdown. Of a reply that is being made, what has been saved so far.")
    error_code: str
    generation: UUID | None = Field(description="Of a reply: what to follow or stop.")
    feedback: FeedbackOut | None = Field(description="What its student thinks of a reply.")
    created_at: datetime
    finished_at: datetime | None


def _message_fields(message: Message, siblings: list[UUID]) -> dict[str, Any]:
    own = ("id", "seq", "role", "state", "body", "error_code", "created_at", "finished_at")
    return {name: getattr(message, name) for name in own} | {
        "parent": message.parent_id,
        "siblings": siblings,
        "generation": message.generation.pk if message.role == Message.Role.ASSISTANT else None,
        "feedback": getattr(message, "feedback", None),
    }


class SessionOut(Schema):
    """Of a session that comes with its university."""

    id: UUID
    title: str = Field(description="Made from the first exchange, until its student gives another; empty before it.")
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
    messages: list[MessageOut] = Field(description="Of all branches, oldest first.")

    @staticmethod
    def resolve_messages(session: ChatSession) -> list[dict[str, Any]]:
        found = queries.conversation(session)
        return [_message_fields(message, found.siblings[message.pk]) for message in found.messages]


class TitleIn(_In):
    title: str = Field(description="One line of at most 200 characters.")


class MeterOut(Schema):
    """The limit that is nearest to its end."""

    scope: Literal["user", "course", "university"] = Field(description="A person's day, or a month of the others.")
    used_percent: int = Field(description="0 to 100.")
    renews_at: datetime
    step: Literal["", "notice", "cheaper", "practice", "stop"] = Field(description="What the next reply takes.")

    @staticmethod
    def resolve_renews_at(meter: queries.Meter) -> datetime:
        return meter.renews_at.astimezone(UTC)


class ShareIn(_In):
    days: int | None = Field(None, description="How long the link works; 7 when absent, or as many as are allowed.")
    name: str = Field("", description="What the reader is told of the student: at most 80 characters, no address.")
    branch: UUID | None = Field(None, description="The message that the shared part ends with; the newest when absent.")


# Of a row, and of what has been read from one.
_SHOWN_NAME = AliasChoices("shown_name", "name")


class ShareOut(Schema):
    """A link that lives. Its address is told only by the answer that made it."""

    id: UUID
    title: str
    name: str = Field(validation_alias=_SHOWN_NAME, description="What readers are told; may be empty.")
    created_at: datetime
    expires_at: datetime
    view_count: int


class NewShareOut(ShareOut):
    url: str = Field(description="The link. Nobody can tell it again.")


class SharedMessageOut(Schema):
    role: Literal["user", "assistant"]
    body: str = Field(description="Markdown.")
    state: Literal["complete", "stopped", "failed"]


class SharedOut(Schema):
    """A conversation as it was when it was shared, for whoever has the link."""

    title: str
    name: str = Field(validation_alias=_SHOWN_NAME, description="What the student wants to be called; may be empty.")
    university: str = Field(description="Its name.")
    course: str
    lesson: str
    created_at: datetime
    expires_at: datetime
    messages: list[SharedMessageOut] = Field(description="Oldest first.")

    @staticmethod
    def resolve_university(share: Share) -> str:
        return share.university.name

    @staticmethod
    def resolve_course(share: Share) -> str:
        return str(share.snapshot["course"])

    @staticmethod
    def resolve_lesson(share: Share) -> str:
        return str(share.snapshot["lesson"])

    @staticmethod
    def resolve_messages(share: Share) -> list[dict[str, str]]:
        return list(share.snapshot["messages"])
