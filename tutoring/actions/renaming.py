"""What a student calls a conversation."""

from uuid import UUID

from tenants.errors import InvalidInput
from tenants.models import User
from tutoring.access import access_session
from tutoring.models import ChatSession

MAX_TITLE_CHARACTERS = 200


def rename_session(*, by: User, session_id: UUID, title: str, university: str | None = None) -> ChatSession:
    """One line; space around and between its words is not kept. Raises `InvalidInput` for none and for too many."""
    session = access_session(by, session_id, university)
    # PostgreSQL's text holds neither NUL nor half a surrogate pair, which JSON can bring.
    title = " ".join(title.encode(errors="ignore").decode().replace("\x00", "").split())
    if not title:
        raise InvalidInput("Please write a title.")
    if len(title) > MAX_TITLE_CHARACTERS:
        raise InvalidInput(f"The title has {len(title)} characters; at most {MAX_TITLE_CHARACTERS} can be kept.")
    session.title = title
    ChatSession.objects.filter(pk=session.pk).update(title=title)
    return session
