"""Writes to accounts and memberships. Each is one transaction with its audit entry."""

from typing import Any, TypedDict

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import F
from django.utils import timezone

from tenants import audit, tokens
from tenants.errors import Conflict, EmailNotVerified, EmailTaken, InvalidInput, NotVisible, WeakPassword
from tenants.models import Department, Membership, Role, University, User, UserProfile
from tenants.queries import has_verified_email, is_email_available
from tenants.visits import within


class AccountChanges(TypedDict, total=False):
    full_name: str
    locale: str
    time_zone: str


class ProfileChanges(TypedDict, total=False):
    date_of_birth: Any
    learning_goal: str
    study_level: str
    grade: str
    subject_preferences: list[str]


def register(*, email: str, password: str, account: AccountChanges, profile: ProfileChanges | None = None) -> User:
    """An account whose address is not verified yet. Raises `WeakPassword` or `EmailTaken`."""
    user = User(email=email.lower())
    _assign(user, account, AccountChanges)
    _refuse_weak(password, user)
    if not is_email_available(email):
        raise EmailTaken
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
            EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=False)
            if profile is not None:
                _save_profile(user, profile)
            audit.record(by=user, action="user.registered", subject=user)
    except IntegrityError as error:
        raise EmailTaken from error
    return user


@transaction.atomic
def sign_in_with_tokens(*, user: User) -> tokens.TokenPair:
    """`user` is the row whose password was just checked."""
    User.objects.filter(pk=user.pk).update(last_login=timezone.now())
    audit.record(by=user, action="user.signed_in", subject=user, detail={"through": "api"})
    return tokens.start_family(user)


@transaction.atomic
def create_account(*, by: User, email: str, full_name: str) -> User:
    """An account made for somebody else, who chooses a password through "forgotten password"."""
    if not is_email_available(email):
        raise EmailTaken
    user = User.objects.create_user(email.lower(), full_name=full_name)
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=False)
    audit.record(by=by, action="user.created", subject=user)
    return user


@transaction.atomic
def update_account(*, by: User, account: AccountChanges, profile: ProfileChanges) -> User:
    """The person's own data; only the named values change."""
    _assign(by, account, AccountChanges)
    by.save(update_fields=[*account])
    if profile:
        _save_profile(by, profile)
    return by


@transaction.atomic
def change_password(*, by: User, user: User, password: str) -> None:
    """Ends every sign-in through the API, and every session but one that the caller renews."""
    _refuse_weak(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])
    tokens.end_families(user, reason="password_changed")
    audit.record(by=by, action="user.password_changed", subject=user)


@transaction.atomic
def set_active(*, by: User, user: User, is_active: bool) -> None:
    """Closing an account works at once, and for good: opening it again brings no session and no token back."""
    user.is_active = is_active
    user.save(update_fields=["is_active"])
    if not is_active:
        User.objects.filter(pk=user.pk).update(times_closed=F("times_closed") + 1)
        user.refresh_from_db(fields=["times_closed"])
        tokens.end_families(user, reason="deactivated")
    audit.record(by=by, action="user.activated" if is_active else "user.deactivated", subject=user)


@transaction.atomic
def set_platform_admin(*, by: User, user: User, is_platform_admin: bool) -> None:
    user.is_platform_admin = is_platform_admin
    user.save(update_fields=["is_platform_admin"])
    audit.record(by=by, action="user.platform_admin_set", subject=user, detail={"is_platform_admin": is_platform_admin})


def join_university(*, by: User, university: University) -> None:
    """Become a student of an open university; for somebody who is a member already nothing changes."""
    if not has_verified_email(by):
        raise EmailNotVerified
    become_student(user=by, university=university)


@transaction.atomic
def become_student(*, user: User, university: University) -> None:
    """What signing up does before the address is verified: until then nobody can sign in to the membership."""
    if not (university.is_active and university.is_open_to_join):
        raise NotVisible
    with within(university.pk):
        if not user.memberships.filter(university=university).exists():
            _grant(by=user, user=user, university=university, role=Role.STUDENT, department=None)


@transaction.atomic
def grant_role(
    *, by: User, user: User, university: University, role: Role, department: Department | None = None
) -> Membership:
    """Raises `Conflict` when the person holds the role there already."""
    if department and department.university_id != university.pk:
        raise InvalidInput("This department belongs to another university.")
    membership, is_new = _grant(by=by, user=user, university=university, role=role, department=department)
    if not is_new:
        raise Conflict(f"{user} holds this role already.")
    return membership


@transaction.atomic
def change_role(*, by: User, membership: Membership, role: Role, department: Department | None) -> None:
    if department and department.university_id != membership.university_id:
        raise InvalidInput("This department belongs to another university.")
    before = Membership.objects.values_list("role", flat=True).get(pk=membership.pk)
    membership.role, membership.department = role, department
    try:
        with transaction.atomic():
            membership.save(update_fields=["role", "department"])
    except IntegrityError as error:
        raise Conflict(f"{membership.user} holds this role already.") from error
    _record_role("membership.changed", by, membership, {"before": before})


@transaction.atomic
def revoke_role(*, by: User, membership: Membership) -> None:
    _record_role("membership.revoked", by, membership, {})
    membership.delete()


def _grant(
    *, by: User, user: User, university: University, role: Role, department: Department | None
) -> tuple[Membership, bool]:
    membership, is_new = Membership.objects.get_or_create(
        user=user, university=university, role=role, defaults={"department": department}
    )
    if is_new:
        _record_role("membership.granted", by, membership, {})
    return membership, is_new


def _record_role(action: str, by: User, membership: Membership, more: dict[str, str]) -> None:
    audit.record(
        by=by,
        action=action,
        subject=membership,
        university=membership.university,
        detail={"user": membership.user_id, "role": membership.role} | more,
    )


def _refuse_weak(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise WeakPassword(" ".join(error.messages)) from error


def _assign(row: models.Model, changes: Any, allowed: type) -> None:
    for field in allowed.__annotations__.keys() & changes.keys():
        setattr(row, field, changes[field])


def _save_profile(user: User, changes: ProfileChanges) -> None:
    profile = UserProfile.objects.filter(user=user).first() or UserProfile(user=user)
    _assign(profile, changes, ProfileChanges)
    profile.save()
