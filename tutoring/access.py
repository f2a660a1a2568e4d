"""One conversation, reply or share for its own student, or a refusal. Rights are read anew on each action."""

from uuid import UUID

from tenants import doors
from tenants.entering import enter, enter_through, enter_with
from tenants.errors import NotVisible
from tenants.models import User
from tutoring.models import ChatSession, Generation, Share
from tutoring.models.sharing import hash_token


def access_session(user: User, session_id: UUID, university: str | None = None) -> ChatSession:
    """With its university, content item and offering, in one query; `university` is the slug of a page's address."""
    if university is None:
        enter_with(ChatSession, session_id)
    else:
        enter(university)
    place = {"university__slug": university} if university is not None else {}
    session = (
        ChatSession.objects.visible_to(user)
        .filter(pk=session_id, **place)
        .filter(user__is_active=True)
        .select_related("university", "content_item__content_type", "content_item__module", "offering__course", "user")
        .first()
    )
    if session is None:
        raise NotVisible
    return session


def lock_session(session: ChatSession) -> ChatSession:
    """The row as it is now, locked to the end of the caller's transaction; `NotVisible` where it was deleted since."""
    locked = ChatSession.objects.select_for_update(of=("self",)).filter(pk=session.pk).first()
    if locked is None:
        raise NotVisible
    return locked


def access_generation(user: User, generation_id: UUID, session_id: UUID | None = None) -> Generation:
    """With its message, in one query; `session_id` is the conversation that it must belong to."""
    enter_with(Generation, generation_id)
    place = {"session": session_id} if session_id is not None else {}
    generation = (
        Generation.objects.visible_to(user)
        .filter(pk=generation_id, **place)
        .filter(session__user__is_active=True)
        .select_related("message")
        .first()
    )
    if generation is None:
        raise NotVisible
    return generation


def access_share(user: User, share_id: UUID, session_id: UUID | None = None) -> Share:
    """One's own, also when its link has ended; `session_id` is the conversation that it must belong to."""
    enter_with(Share, share_id)
    place = {"session": session_id} if session_id is not None else {}
    share = (
        Share.objects.visible_to(user)
        .filter(pk=share_id, **place)
        .filter(session__user__is_active=True)
        .select_related("university")
        .first()
    )
    if share is None:
        raise NotVisible
    return share


def access_shared(token: str) -> Share:
    """For whoever has the link's token; with its university. The link is the right."""
    [(university_id,)] = doors.ask("university_of_share", hash_token(token))
    enter_through(university_id)
    share = Share.objects.readable().with_token(token).select_related("university").first()
    if share is None:
        raise NotVisible
    return share
