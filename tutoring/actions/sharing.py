"""Showing a conversation to whoever has a link, and taking it back."""

import secrets
import unicodedata
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from tenants.audit import record
from tenants.errors import NotVisible
from tenants.models import User
from tenants.throttles import Rate, count_against
from tutoring.access import access_session, access_share, access_shared
from tutoring.errors import BadShare, NothingToShare, SharingOff
from tutoring.models import ChatSession, Share, TutorPolicy
from tutoring.models.sharing import hash_token
from tutoring.queries import Draft, draft_share

_TOKEN_BYTES = 16
_USUAL_DAYS = 7
_NAME_LENGTH = 80
_SHARES_PER_HOUR = 60


@dataclass(frozen=True)
class Published:
    """A new share with its token, which is told this once: the row has only its hash."""

    share: Share
    token: str = field(repr=False)

    @property
    def url(self) -> str:
        return f"{settings.SITE_URL}{reverse('tutoring:shared', args=[self.token])}"


def publish_share(
    *, by: User, session_id: UUID, days: int | None = None, shown_name: str = "", branch: UUID | None = None
) -> Published:
    """Keep the conversation as it is now, down to the message `branch` or to its newest, behind a new link.

    Each call makes another link. Raises `SharingOff`, `NothingToShare`, and `BadShare` for days that the university
    does not allow or a name that cannot be shown.
    """
    session = access_session(by, session_id)
    count_against("shares_per_hour", {f"user:{by.pk}": Rate(_SHARES_PER_HOUR, per_s=3600, noun="links")})
    policy = TutorPolicy.objects.of(session.university_id)
    if policy.sharing == TutorPolicy.Sharing.OFF:
        raise SharingOff
    draft = draft_share(session, branch)
    if draft.last is None:
        raise NothingToShare
    days, shown_name = _checked_days(days, policy), _checked_name(shown_name)
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    return Published(_store(session, draft, by=by, token=token, days=days, shown_name=shown_name), token)


@transaction.atomic
def revoke_share(*, by: User, share_id: UUID, session_id: UUID | None = None) -> Share:
    """From now on nobody can read it. A share that is revoked already stays as it is."""
    share = access_share(by, share_id, session_id)
    # The words go with the link: nobody is to read them there again.
    if Share.objects.filter(pk=share.pk, revoked_at=None).update(revoked_at=Now(), snapshot={}):
        record(by=by, action="share.revoked", subject=share, university=share.university)
    return share


def view_share(token: str) -> Share:
    """The share for a reader, who counts as one view. Raises `NotVisible` for whatever is not readable now."""
    share = access_shared(token)
    # Readable still: what is revoked at this moment must not be shown either.
    if not Share.objects.readable().filter(pk=share.pk).update(view_count=F("view_count") + 1):
        raise NotVisible
    return share


@transaction.atomic
def _store(session: ChatSession, draft: Draft, *, by: User, token: str, days: int, shown_name: str) -> Share:
    share = Share.objects.create(
        university=session.university,
        session=session,
        token_hash=hash_token(token),
        title=draft.title,
        shown_name=shown_name,
        snapshot=draft.snapshot,
        expires_at=timezone.now() + timedelta(days=days),
    )
    detail = {"session": str(session.pk), "days": days}
    record(by=by, action="share.created", subject=share, university=session.university, detail=detail)
    return share


def _checked_days(days: int | None, policy: TutorPolicy) -> int:
    if days is None:
        return min(_USUAL_DAYS, policy.share_days)
    if not 1 <= days <= policy.share_days:
        raise BadShare(f"A link can last from 1 to {policy.share_days} days.")
    return days


def _checked_name(name: str) -> str:
    # PostgreSQL's text holds neither NUL nor half a surrogate pair, which JSON can bring.
    whole = name.encode(errors="ignore").decode()
    printable = (character for character in whole if character.isspace() or unicodedata.category(character) != "Cc")
    name = " ".join("".join(printable).split())
    if len(name) > _NAME_LENGTH:
        raise BadShare(f"The name shown has {len(name)} characters; at most {_NAME_LENGTH} can be shown.")
    if "@" in name:
        raise BadShare("An e-mail address is not shown to others. Please choose another name, or none.")
    return name
