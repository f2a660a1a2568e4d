"""Tokens of the API: signed claims that name a family, and the family's row, which decides."""

import hashlib
import uuid
from dataclasses import dataclass
from typing import Any, Literal, cast

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError

from tenants import audit
from tenants.errors import BadToken, EmailNotVerified
from tenants.models import TokenFamily, User
from tenants.queries import with_places
from tenants.visits import as_person, recognise

Kind = Literal["access", "refresh"]

# Ours have about 400 characters. Longer ones are refused unread, because a header of deeply nested JSON is parsed
# before its signature is looked at.
MAX_CHARACTERS = 1000


@dataclass(frozen=True)
class TokenPair:
    access_token: str
    refresh_token: str
    token_type: str = "bearer"  # noqa: S105 # the kind of token, no token


@dataclass(frozen=True)
class Claims:
    family_id: uuid.UUID
    token_id: uuid.UUID
    person_id: int


def start_family(user: User) -> TokenPair:
    """One sign-in. `user` is the row whose password was checked: if it has changed since, the family is born dead."""
    family = TokenFamily.objects.create(
        user=user,
        expires_at=timezone.now() + settings.REFRESH_TOKEN_LIFETIME,
        password_digest=_password_digest(user),
    )
    return _pair(family)


def refresh(token: str) -> TokenPair:
    """Spend a refresh token for a new pair. A token that is spent already ends its family."""
    claims = _read(token, "refresh")
    now, next_id = timezone.now(), uuid.uuid4()
    # One statement decides between parallel requests. Its conditions are on the row's own columns, because PostgreSQL
    # checks only those again after waiting for another request's write.
    spent = TokenFamily.objects.filter(
        id=claims.family_id, refresh_id=claims.token_id, revoked_at=None, expires_at__gt=now
    ).update(refresh_id=next_id, refreshed_at=now, expires_at=now + settings.REFRESH_TOKEN_LIFETIME)
    family = TokenFamily.objects.select_related("user").filter(id=claims.family_id).first()
    if family is None:
        raise BadToken
    if not spent:
        if family.refresh_id != claims.token_id:
            _revoke(family, reason="reused", by=None)
        raise BadToken
    if not _is_owner_entitled(family):
        _revoke(family, reason="owner_not_entitled", by=None)
        raise BadToken
    return _pair(family)


def end_family(token: str) -> None:
    """Sign out by either token of the family. Doing it again changes nothing."""
    claims = _read(token, "access", "refresh")
    family = TokenFamily.objects.select_related("user").filter(id=claims.family_id).first()
    if family is not None:
        _revoke(family, reason="logout", by=family.user)


def end_families(user: User, *, reason: str) -> None:
    """Every sign-in of the person through the API; their access tokens are refused from now on."""
    user.token_families.filter(revoked_at=None).update(revoked_at=timezone.now(), revoked_reason=reason)


def user_for_access_token(token: str, *, allow_unverified: bool = False) -> User:
    """The person, read with their family in one query; from here on the visit is theirs.

    Raises `BadToken`, or `EmailNotVerified` unless allowed.
    """
    claims = _read(token, "access")
    verified = EmailAddress.objects.filter(user=OuterRef("user"), verified=True)
    families = TokenFamily.objects.select_related("user").annotate(is_verified=Exists(verified))
    live = families.filter(user=claims.person_id, revoked_at=None, expires_at__gt=timezone.now())
    with as_person(claims.person_id):
        family = with_places(live, claims.person_id).filter(id=claims.family_id).first()
    if family is None or not _is_owner_entitled(family):
        raise BadToken
    if not (family.is_verified or allow_unverified):
        raise EmailNotVerified
    person: User = family.user
    person.places = family.places  # type: ignore[attr-defined]
    recognise(person)
    return person


def _is_owner_entitled(family: TokenFamily) -> bool:
    return family.user.is_active and family.password_digest == _password_digest(family.user)


def family_of(access_token: str) -> uuid.UUID:
    """The sign-in that the token descends from, alive or not. Raises `BadToken`."""
    return _read(access_token, "access").family_id


@transaction.atomic
def _revoke(family: TokenFamily, *, reason: str, by: User | None) -> None:
    changed = TokenFamily.objects.filter(id=family.id, revoked_at=None).update(
        revoked_at=timezone.now(), revoked_reason=reason
    )
    if changed:
        audit.record(by=by, action="token_family.ended", subject=family, detail={"reason": reason})


def _password_digest(user: User) -> str:
    return hashlib.sha256(user.sign_in_basis.encode()).hexdigest()


def _backend() -> TokenBackend:
    return TokenBackend(
        "HS256",
        signing_key=settings.JWT_SIGNING_KEY,
        audience=settings.JWT_AUDIENCE,
        issuer=settings.JWT_ISSUER,
    )


def _pair(family: TokenFamily) -> TokenPair:
    access_expires_at = timezone.now() + settings.ACCESS_TOKEN_LIFETIME
    return TokenPair(
        access_token=_write(family, "access", uuid.uuid4(), int(access_expires_at.timestamp())),
        refresh_token=_write(family, "refresh", family.refresh_id, int(family.expires_at.timestamp())),
    )


def _write(family: TokenFamily, kind: Kind, token_id: uuid.UUID, expires_at: int) -> str:
    claims = {
        "type": kind,
        "sub": str(family.user_id),
        "fam": str(family.id),
        "jti": str(token_id),
        "iat": int(timezone.now().timestamp()),
        "exp": expires_at,
    }
    return str(_backend().encode(claims))


def _read(token: str, *kinds: Kind) -> Claims:
    """The claims of a token that we signed, that is of one of `kinds` and not expired; otherwise `BadToken`."""
    if len(token) > MAX_CHARACTERS or not token.isascii():
        raise BadToken
    try:
        # The backend is typed for its own Token class, and hands what it gets to PyJWT, which wants the text.
        claims = _backend().decode(cast(Any, token))
        if claims["type"] not in kinds or not claims["exp"]:
            raise BadToken
        return Claims(uuid.UUID(claims["fam"]), uuid.UUID(claims["jti"]), int(claims["sub"]))
    except (TokenBackendError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise BadToken from error
